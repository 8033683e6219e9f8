import { bool, duration, int, list, oneOf, string } from '@outrigger/kit'

const noPool = 'Accepted for compatibility and without effect: all requests share one pipelined connection.'

/** The metadata fields that every Redis component has. Spread them into the component's own fields. */
export const redisFields = {
  redisHost: list({
    required: true,
    description:
      'Address of the server, `host` or `host:port`. Several between commas for `redisType: cluster` (some of the nodes) and for `failover` (the sentinels).',
    example: 'localhost:6379',
  }),
  redisPort: int({
    minimum: 1,
    maximum: 65_535,
    description: 'Port of the addresses that name none; 6379 (26379 with `failover`) without it.',
    example: '6379',
  }),
  redisUsername: string({
    description: 'User name, for servers with access control lists.',
    example: 'orders',
  }),
  redisPassword: string({ sensitive: true, description: 'Password of the server.' }),
  redisDB: int({
    default: '0',
    minimum: 0,
    description: 'Number of the database. Without effect in a cluster.',
    example: '0',
  }),
  redisType: oneOf(['node', 'cluster'], {
    default: 'node',
    description: '`node` for one server (also behind sentinels), `cluster` for Redis Cluster.',
  }),
  enableTLS: bool({ default: 'false', description: 'Whether to connect with TLS.' }),
  insecureSkipTLSVerify: bool({
    default: 'false',
    description: 'Accepts any certificate of the server. For tests only.',
  }),
  caCert: string({
    description:
      'Certificate authorities (PEM) that the certificate of the server is checked against; those of the system without it.',
  }),
  clientCert: string({ description: 'Client certificate (PEM). Needs `clientKey` and `enableTLS`.' }),
  clientKey: string({ sensitive: true, description: 'Private key of the client certificate (PEM).' }),
  failover: bool({
    default: 'false',
    description: 'Whether `redisHost` names sentinels. Needs `sentinelMasterName`.',
  }),
  sentinelMasterName: string({
    description: 'Name of the master that the sentinels watch.',
    example: 'mymaster',
  }),
  sentinelUsername: string({ description: 'User name at the sentinels.' }),
  sentinelPassword: string({ sensitive: true, description: 'Password at the sentinels.' }),
  redisMaxRetries: int({
    aliases: ['maxRetries'],
    default: '3',
    minimum: -1,
    description:
      'How often a request is repeated that could not be sent, that the server refused for a while, or that only reads and lost its connection. `-1` never repeats. An outage fails a request after `redisMaxRetries` times `redisMaxRetryInterval`.',
  }),
  redisMinRetryIntervalMs: duration({
    name: 'redisMinRetryInterval',
    bareUnit: 'ms',
    default: '8ms',
    description: 'Pause before the first repetition; it doubles each time. `-1` is no pause.',
  }),
  redisMaxRetryIntervalMs: duration({
    name: 'redisMaxRetryInterval',
    bareUnit: 'ms',
    default: '512ms',
    description: 'The longest pause before a repetition. `-1` is no pause.',
  }),
  dialTimeoutMs: duration({
    name: 'dialTimeout',
    bareUnit: 'ms',
    default: '5s',
    description: 'How long establishing a connection may take.',
  }),
  readTimeoutMs: duration({
    name: 'readTimeout',
    bareUnit: 'ms',
    default: '3s',
    description:
      'A connection with requests under way on which nothing arrives for this long counts as dead: its requests fail and it is made anew. `-1` waits without end.',
  }),
  writeTimeoutMs: duration({
    name: 'writeTimeout',
    bareUnit: 'ms',
    description: 'Accepted for compatibility and without effect: `readTimeout` covers the whole round trip.',
  }),
  poolSize: int({ description: noPool }),
  minIdleConns: int({ description: noPool }),
  poolTimeoutMs: duration({ name: 'poolTimeout', bareUnit: 'ms', description: noPool }),
  maxConnAgeMs: duration({ name: 'maxConnAge', bareUnit: 'ms', description: noPool }),
  idleTimeoutMs: duration({ name: 'idleTimeout', bareUnit: 'ms', description: noPool }),
  idleCheckFrequencyMs: duration({ name: 'idleCheckFrequency', bareUnit: 'ms', description: noPool }),
  useEntraID: bool({
    aliases: ['useAzureAD'],
    default: 'false',
    description: 'Not supported yet: `true` is an error.',
  }),
  useOIDC: bool({ default: 'false', description: 'Not supported yet: `true` is an error.' }),
}
