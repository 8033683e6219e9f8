import { bad, grpcEndpointForms, httpEndpointForms, withoutPassword } from './options.ts'

/** Where a sidecar is. What is not given comes from the environment, as with other SDKs. */
export interface ConnectionOptions {
  /** `http://host:port`, `https://host` with or without a path, or `unix:/path`. Default: DAPR_HTTP_ENDPOINT, or 127.0.0.1 with DAPR_HTTP_PORT, or 3500. */
  readonly httpEndpoint?: string | undefined
  /** What the sidecar wants to see. Default: DAPR_API_TOKEN. */
  readonly apiToken?: string | undefined
  /** Time for the answer of a call, in milliseconds; 0: for ever. Neither for `invoke` nor for streams. Default 60 s. */
  readonly timeoutMs?: number | undefined
  /** Bytes of an answer that is held whole, and of one of `invoke`. Default 16 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Default: that of the process. */
  readonly env?: Environment | undefined
}

export interface GrpcConnectionOptions extends ConnectionOptions {
  /** `host:port`, also with `http://` or `https://`, or `unix:/path`. Default: DAPR_GRPC_ENDPOINT, or 127.0.0.1 with DAPR_GRPC_PORT, or 50001. */
  readonly grpcEndpoint?: string | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

export interface Settings {
  /** `http://host:port`, `https://host:port` or `unix:/path`. */
  readonly origin: string
  /** Comes before every path; empty or beginning with a slash. */
  readonly basePath: string
  readonly apiToken: string | undefined
  /** Absent: for ever. */
  readonly timeoutMs: number | undefined
  readonly maxBodyBytes: number
}

const defaultTimeoutMs = 60_000
const defaultMaxBodyBytes = 16 * 1024 * 1024

export function environment(given: Environment | undefined): Environment {
  return given ?? process.env
}

/** @throws OutriggerError ERR_CLIENT_ARGUMENT */
export function httpSettings(options: ConnectionOptions): Settings {
  const env = environment(options.env)
  const endpoint = options.httpEndpoint ?? (env['DAPR_HTTP_ENDPOINT'] || undefined)
  const source = options.httpEndpoint === undefined ? 'DAPR_HTTP_ENDPOINT' : 'httpEndpoint'
  const place =
    endpoint === undefined
      ? { origin: `http://127.0.0.1:${portOf(env, 'DAPR_HTTP_PORT', 3500)}`, basePath: '' }
      : httpPlace(endpoint, source)
  return { ...place, ...common(options, env) }
}

/** @throws OutriggerError ERR_CLIENT_ARGUMENT */
export function grpcSettings(options: GrpcConnectionOptions): Settings {
  const env = environment(options.env)
  const endpoint = options.grpcEndpoint ?? (env['DAPR_GRPC_ENDPOINT'] || undefined)
  const source = options.grpcEndpoint === undefined ? 'DAPR_GRPC_ENDPOINT' : 'grpcEndpoint'
  const origin =
    endpoint === undefined
      ? `http://127.0.0.1:${portOf(env, 'DAPR_GRPC_PORT', 50001)}`
      : grpcOrigin(endpoint, source)
  return { origin, basePath: '', ...common(options, env) }
}

function common(options: ConnectionOptions, env: Environment): Omit<Settings, 'origin' | 'basePath'> {
  const { timeoutMs = defaultTimeoutMs, maxBodyBytes = defaultMaxBodyBytes } = options
  if (!(timeoutMs >= 0)) throw bad('timeoutMs', timeoutMs, 'a number of milliseconds, or 0')
  if (!(maxBodyBytes > 0)) throw bad('maxBodyBytes', maxBodyBytes, 'a number of bytes above 0')
  return {
    apiToken: (options.apiToken ?? env['DAPR_API_TOKEN']) || undefined,
    timeoutMs: timeoutMs === 0 || timeoutMs === Infinity ? undefined : timeoutMs,
    maxBodyBytes,
  }
}

function portOf(env: Environment, name: string, usual: number): number {
  const text = env[name]
  if (text === undefined || text === '') return usual
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port
  throw bad(name, text, 'a port from 1 to 65535')
}

function httpPlace(endpoint: string, source: string): Pick<Settings, 'origin' | 'basePath'> {
  if (endpoint.startsWith('unix:')) return { origin: endpoint, basePath: '' }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const plain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!plain || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw bad(source, withoutPassword(endpoint), httpEndpointForms)
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') }
}

/** Also in the forms of gRPC's name resolution: `dns:host:port`, `dns://authority/host:port`, `?tls=true`. */
function grpcOrigin(endpoint: string, source: string): string {
  const problem = (): Error => bad(source, withoutPassword(endpoint), grpcEndpointForms)
  if (endpoint.startsWith('unix:')) return endpoint.replace(/^unix:\/\/(?=\/)/, 'unix:')
  const parts = /^(?:(https?):\/\/|dns:(?:\/\/[^/]*\/)?)?([^/?]+)\/?(?:\?tls=(true|false))?$/.exec(endpoint)
  if (parts === null) throw problem()
  const [, scheme, authority = '', tls] = parts
  const host = authority.startsWith(':') ? `127.0.0.1${authority}` : authority
  const url = `${scheme === 'https' || tls === 'true' ? 'https' : 'http'}://${host}`
  if (host.includes('@') || !URL.canParse(url)) throw problem()
  // As in SDKs of Dapr: the usual port is that of https, with TLS or without.
  return new URL(/:\d+$/.test(host) ? url : `${url}:443`).origin
}
