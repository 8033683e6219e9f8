import type { Flag } from '@outrigger/host'

/** Every flag of `sentry`, in the order of `--help`. Names and defaults are Dapr's. */
export const flags = [
  { name: 'port', type: 'port', default: '50001', description: 'Port on which certificates are asked for' },
  { name: 'listen-address', type: 'string', default: '', description: 'Its address; all when empty' },
  {
    name: 'trust-domain',
    type: 'string',
    default: 'localhost',
    description: 'Trust domain of the control plane',
  },
  {
    name: 'mode',
    type: 'string',
    default: 'standalone',
    choices: ['standalone', 'kubernetes'],
    description: 'standalone; kubernetes is not built yet',
  },
  {
    name: 'config',
    type: 'string',
    default: 'daprsystem',
    description: 'File with a Configuration, whose section mtls counts; without it, the defaults',
  },

  // the authority
  {
    name: 'issuer-credentials',
    type: 'string',
    default: '/var/run/secrets/dapr.io/credentials',
    description: 'Folder with the certificates and the key; what is missing is made when all of it is',
  },
  {
    name: 'issuer-ca-filename',
    type: 'string',
    default: 'ca.crt',
    description: 'File with the roots, in that folder unless it is an absolute path',
  },
  {
    name: 'issuer-certificate-filename',
    type: 'string',
    default: 'issuer.crt',
    description: 'File with the certificate that signs',
  },
  { name: 'issuer-key-filename', type: 'string', default: 'issuer.key', description: 'File with its key' },

  // tokens
  {
    name: 'jwt-enabled',
    type: 'bool',
    default: 'false',
    description: 'Issue tokens (JWT) with the certificates',
  },
  {
    name: 'jwt-key-filename',
    type: 'string',
    default: 'jwt.key',
    description: 'File with the key of the tokens',
  },
  {
    name: 'jwks-filename',
    type: 'string',
    default: 'jwks.json',
    description: 'File with the keys that tokens are checked with',
  },
  { name: 'jwt-issuer', type: 'string', description: 'Issuer that the tokens name; none when empty' },
  {
    name: 'jwt-signing-algorithm',
    type: 'string',
    default: 'RS256',
    description: 'Algorithm of the signatures; it must fit the key',
  },
  {
    name: 'jwt-key-id',
    type: 'string',
    description: 'Id of the key in jwks-filename; its thumbprint (SHA-256, base64) when empty',
  },
  { name: 'jwt-ttl', type: 'duration', default: '24h', description: 'How long the tokens are valid' },

  // discovery
  {
    name: 'oidc-enabled',
    type: 'bool',
    default: 'false',
    description: 'Serve the keys of the tokens over HTTP, with the discovery document of OpenID Connect',
  },
  { name: 'oidc-server-listen-port', type: 'port', default: '9080', description: 'Port of that server' },
  {
    name: 'oidc-server-listen-address',
    type: 'string',
    default: 'localhost',
    description: 'Its address; all when empty',
  },
  { name: 'oidc-server-tls-enabled', type: 'bool', default: 'true', description: 'Serve it over TLS' },
  { name: 'oidc-server-tls-cert-file', type: 'string', description: 'Its certificate; needed with TLS' },
  { name: 'oidc-server-tls-key-file', type: 'string', description: 'Its key; needed with TLS' },
  { name: 'oidc-jwks-uri', type: 'string', description: 'Where the keys can be reached from outside' },
  { name: 'oidc-path-prefix', type: 'string', description: 'What the paths begin with' },
  { name: 'oidc-allowed-hosts', type: 'list', description: 'Hosts that may be asked for; any when empty' },

  // the process
  { name: 'healthz-port', type: 'port', default: '8080', description: 'Port of the health endpoint' },
  { name: 'healthz-listen-address', type: 'string', default: '', description: 'Its address; all when empty' },
  { name: 'enable-metrics', type: 'bool', default: 'true', description: 'Offer metrics' },
  { name: 'metrics-port', type: 'port', default: '9090', description: 'Port of the metrics' },
  {
    name: 'metrics-listen-address',
    type: 'string',
    default: '0.0.0.0',
    description: 'Address of the metrics',
  },
  {
    name: 'log-level',
    type: 'string',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'fatal'],
    description: 'debug, info, warn, error or fatal',
  },
  { name: 'log-as-json', type: 'bool', default: 'false', description: 'Log lines as JSON' },
  { name: 'log-file', type: 'string', description: 'File to which log lines go as well' },
  { name: 'version', type: 'bool', default: 'false', description: 'Print the version and exit' },
  { name: 'kubeconfig', type: 'string', description: 'Access to Kubernetes', unbuilt: 'the mode kubernetes' },
] as const satisfies readonly Flag[]
