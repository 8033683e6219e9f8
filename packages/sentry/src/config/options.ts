import { isAbsolute, join, resolve } from 'node:path'
import type { FlagValues, LogLevel, ParsedFlags } from '@outrigger/host'
import { spiffeId } from '@outrigger/security'
import { readConfiguration, type MtlsConfiguration } from './configuration.ts'
import type { flags } from './flags.ts'

export interface Address {
  /** Absent: all. */
  readonly host?: string
  readonly port: number
}

export interface TokenOptions {
  readonly keyFile: string
  readonly keySetFile: string
  readonly issuer: string | undefined
  readonly algorithm: string
  readonly keyId: string | undefined
  readonly ttlMs: number
}

export interface OidcOptions {
  readonly listen: Address
  /** Files; absent: without TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly keySetUri: string | undefined
  /** Without a slash at its end; may be empty. */
  readonly pathPrefix: string
  readonly allowedHosts: readonly string[]
}

/** What sentry needs to know, whoever says it. */
export interface SentryOptions extends MtlsConfiguration {
  readonly listen: Address
  readonly healthz?: Address | undefined
  readonly metrics?: Address | undefined
  readonly trustDomain: string
  /** Where sentry itself, and the rest of the control plane, runs. */
  readonly namespace: string
  readonly files: {
    readonly trustAnchors: string
    readonly issuerChain: string
    readonly issuerKey: string
  }
  /** Absent: no tokens are issued. */
  readonly tokens?: TokenOptions | undefined
  readonly oidc?: OidcOptions | undefined
}

export interface ProcessOptions extends SentryOptions {
  readonly log: { readonly level: LogLevel; readonly json: boolean; readonly file: string | undefined }
  readonly warnings: readonly string[]
}

type Values = FlagValues<typeof flags>

/**
 * Flags, environment and the Configuration together.
 * @throws Error for what cannot be right
 */
export function optionsOf(
  { values, given, warnings }: ParsedFlags<typeof flags>,
  env: Readonly<Record<string, string | undefined>>,
): ProcessOptions {
  if (values.mode === 'kubernetes') {
    throw new Error(
      '--mode=kubernetes is not built yet: nothing here can check tokens of Kubernetes; use standalone',
    )
  }
  const namespace = env['NAMESPACE'] || 'default'
  // Throws for names that cannot be in an identity.
  spiffeId(values['trust-domain'], namespace, 'dapr-sentry')
  const inFolder = (name: string): string =>
    isAbsolute(name) ? name : resolve(join(values['issuer-credentials'], name))
  if (values['jwt-issuer'] && !values['jwt-enabled']) {
    throw new Error('--jwt-issuer has no meaning without --jwt-enabled')
  }
  return {
    ...readConfiguration(values.config, given.has('config'), env),
    listen: address(values['listen-address'], values.port),
    healthz: address(values['healthz-listen-address'], values['healthz-port']),
    metrics: values['enable-metrics']
      ? address(values['metrics-listen-address'], values['metrics-port'])
      : undefined,
    trustDomain: values['trust-domain'],
    namespace,
    files: {
      trustAnchors: inFolder(values['issuer-ca-filename']),
      issuerChain: inFolder(values['issuer-certificate-filename']),
      issuerKey: inFolder(values['issuer-key-filename']),
    },
    tokens: values['jwt-enabled']
      ? {
          keyFile: inFolder(values['jwt-key-filename']),
          keySetFile: inFolder(values['jwks-filename']),
          issuer: values['jwt-issuer'] || undefined,
          algorithm: values['jwt-signing-algorithm'],
          keyId: values['jwt-key-id'] || undefined,
          ttlMs: positive(values['jwt-ttl'], '--jwt-ttl'),
        }
      : undefined,
    oidc: oidcOf(values),
    log: { level: values['log-level'], json: values['log-as-json'], file: values['log-file'] || undefined },
    warnings,
  }
}

function oidcOf(values: Values): OidcOptions | undefined {
  const certFile = values['oidc-server-tls-cert-file'] || undefined
  const keyFile = values['oidc-server-tls-key-file'] || undefined
  const secure = values['oidc-server-tls-enabled']
  if (!values['oidc-enabled']) return undefined
  if (!values['jwt-enabled'])
    throw new Error('--oidc-enabled serves the keys of tokens: it needs --jwt-enabled')
  if (secure && (certFile === undefined || keyFile === undefined)) {
    throw new Error(
      '--oidc-enabled needs --oidc-server-tls-cert-file and --oidc-server-tls-key-file, or --oidc-server-tls-enabled=false',
    )
  }
  const keySetUri = values['oidc-jwks-uri'] || undefined
  if (keySetUri !== undefined && !URL.canParse(keySetUri)) {
    throw new Error(`--oidc-jwks-uri=${keySetUri} is no URL`)
  }
  const prefix = (values['oidc-path-prefix'] ?? '').replace(/\/+$/, '')
  return {
    listen: address(values['oidc-server-listen-address'], values['oidc-server-listen-port']),
    tls: secure ? { certFile: resolve(certFile!), keyFile: resolve(keyFile!) } : undefined,
    keySetUri,
    pathPrefix: prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}`,
    allowedHosts: values['oidc-allowed-hosts'],
  }
}

function address(host: string, port: number): Address {
  return host === '' ? { port } : { host, port }
}

function positive(ms: number, name: string): number {
  if (ms > 0) return ms
  throw new Error(`${name} must be longer than 0`)
}
