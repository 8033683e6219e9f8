import { StartupError } from './startup-error.ts'
import { FlagReader, type FlagValues } from './flag-values.ts'
import { flags } from './flags.ts'

export type AppProtocol = 'http' | 'https' | 'h2c' | 'grpc' | 'grpcs'
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'
export type Env = Readonly<Record<string, string | undefined>>

/** Everything that command line and environment decide: checked, with defaults, frozen. Times in milliseconds, sizes in bytes. */
export interface RuntimeOptions {
  readonly appId: string
  readonly mode: 'standalone' | 'kubernetes'
  readonly compat: 'dapr' | 'none'
  readonly namespace: string
  /** The namespace that resources must have where they name one; absent, theirs is ignored. */
  readonly resourceNamespace: string | undefined
  readonly podName: string | undefined
  /** `DAPR_HOST_IP`; absent, it is found out when it is needed. */
  readonly hostAddress: string | undefined

  readonly appPort: number | undefined
  readonly appProtocol: AppProtocol
  readonly appChannelAddress: string
  /** `undefined`: any number. */
  readonly appMaxConcurrency: number | undefined
  readonly appHealth: {
    readonly enabled: boolean
    readonly path: string
    readonly intervalMs: number
    readonly timeoutMs: number
    readonly threshold: number
  }
  readonly appBindingOptionsTimeoutMs: number
  readonly disableInitEndpoints: readonly ('config' | 'subscribe')[]

  /** `0`: any free port. */
  readonly httpPort: number
  readonly grpcPort: number
  readonly publicPort: number | undefined
  readonly publicListenAddress: string | undefined
  /** Empty: all addresses. */
  readonly listenAddresses: readonly string[]
  readonly unixDomainSocket: string | undefined
  /** Empty: no cross-origin calls; `*`: from anywhere. */
  readonly allowedOrigins: readonly string[]
  readonly maxBodyBytes: number
  readonly readBufferBytes: number
  /** `undefined`: the Configuration decides. */
  readonly enableApiLogging: boolean | undefined
  readonly disableH2c: boolean
  /** What callers must show in `dapr-api-token`. */
  readonly apiToken: string | undefined
  /** What the sidecar shows to the application. */
  readonly appApiToken: string | undefined

  readonly resourcesPaths: readonly string[]
  readonly configPaths: readonly string[]
  readonly modulesPaths: readonly string[]

  readonly gracefulShutdownMs: number
  /** `undefined`: an end is not put off. */
  readonly blockShutdownMs: number | undefined
  readonly wait: boolean
  readonly logLevel: LogLevel
  readonly logAsJson: boolean
  readonly logFile: string | undefined
  readonly metrics: { readonly enabled: boolean; readonly port: number; readonly listenAddress: string }
  readonly profiling: { readonly enabled: boolean; readonly port: number }

  /** Flags that were given and have no effect: one line each, to be logged. */
  readonly warnings: readonly string[]
}

const protocols: ReadonlySet<string> = new Set(['http', 'https', 'h2c', 'grpc', 'grpcs'])
const levels: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error', 'fatal'])
const mebibyte = 2 ** 20
const defaultBodyBytes = 4 * mebibyte
const defaultReadBufferBytes = 4096

/**
 * Turns flags and environment into the options of a runtime.
 * @throws StartupError with every wrong flag at once
 */
export function runtimeOptions(values: FlagValues, env: Env): RuntimeOptions {
  const read = new FlagReader(values)
  const { errors } = read
  const oneOf = <T extends string>(name: string, allowed: ReadonlySet<string>, list: string): T => {
    const value = (read.string(name) ?? '').toLowerCase()
    if (!allowed.has(value)) errors.push(`--${name}=${value} is not one of ${list}`)
    return value as T
  }

  const appId = read.string('app-id') ?? ''
  if (appId === '') errors.push('--app-id is missing: every sidecar needs the name of its application')
  else if (appId.includes('.'))
    errors.push(`--app-id=${appId} has a dot, which separates an application from its namespace: use a dash`)

  const httpPort = read.port('dapr-http-port') ?? 3500
  const grpcPort = read.port('dapr-grpc-port') ?? 50_001
  const appPort = read.port('app-port') || undefined
  for (const [name, port] of [
    ['dapr-http-port', httpPort],
    ['dapr-grpc-port', grpcPort],
  ] as const) {
    if (appPort !== undefined && port === appPort)
      errors.push(`--${name}=${port} and --app-port=${appPort} are the same port: change one`)
  }
  if (httpPort !== 0 && httpPort === grpcPort)
    errors.push(`--dapr-http-port and --dapr-grpc-port are both ${httpPort}: change one`)

  const intervalMs = positive(read.int('app-health-probe-interval'), 5) * 1000
  const timeoutMs = positive(read.int('app-health-probe-timeout'), 500)
  if (timeoutMs > intervalMs) {
    errors.push(
      `--app-health-probe-timeout=${timeoutMs} (ms) is longer than --app-health-probe-interval=${intervalMs / 1000} (s)`,
    )
  }

  const disableInitEndpoints = read.list('disable-init-endpoints').map((name) => name.toLowerCase())
  for (const name of disableInitEndpoints) {
    if (name !== 'config' && name !== 'subscribe')
      errors.push(`--disable-init-endpoints=${name} is not one of config, subscribe`)
  }

  if (read.bool('enable-mtls') === true) {
    errors.push(
      '--enable-mtls is not built yet: connections between sidecars would not be protected; leave the flag away to start without',
    )
  }
  const mode = oneOf<RuntimeOptions['mode']>(
    'mode',
    new Set(['standalone', 'kubernetes']),
    'standalone, kubernetes',
  )
  if (mode === 'kubernetes')
    errors.push('--mode=kubernetes is not built yet: use --mode=standalone with --resources-path')

  const maxConcurrency = read.int('app-max-concurrency') ?? -1
  const resourcesPaths = read.list('resources-path')
  const componentsPath = read.string('components-path')
  const graceful = read.int('dapr-graceful-shutdown-seconds') ?? 5

  const options: RuntimeOptions = {
    appId,
    mode,
    compat: oneOf('compat', new Set(['dapr', 'none']), 'dapr, none'),
    namespace: env['NAMESPACE'] || 'default',
    resourceNamespace: env['NAMESPACE'] || undefined,
    podName: env['POD_NAME'] || undefined,
    hostAddress: env['DAPR_HOST_IP'] || undefined,
    appPort,
    appProtocol: protocol(
      oneOf<AppProtocol>('app-protocol', protocols, 'http, https, h2c, grpc, grpcs'),
      read.bool('app-ssl') ?? false,
    ),
    appChannelAddress: read.string('app-channel-address') ?? '127.0.0.1',
    appMaxConcurrency: maxConcurrency > 0 ? maxConcurrency : undefined,
    appHealth: Object.freeze({
      enabled: read.bool('enable-app-health-check') ?? false,
      path: read.string('app-health-check-path') ?? '/healthz',
      intervalMs,
      timeoutMs,
      threshold: positive(read.int('app-health-threshold'), 3),
    }),
    appBindingOptionsTimeoutMs: positive(read.duration('app-binding-options-timeout'), 3000),
    disableInitEndpoints: Object.freeze(disableInitEndpoints as ('config' | 'subscribe')[]),
    httpPort,
    grpcPort,
    publicPort: read.port('dapr-public-port'),
    publicListenAddress: read.string('dapr-public-listen-address'),
    listenAddresses: Object.freeze(read.list('dapr-listen-addresses')),
    unixDomainSocket: read.string('unix-domain-socket'),
    allowedOrigins: Object.freeze(read.list('allowed-origins')),
    maxBodyBytes: size(read, 'max-body-size', 'dapr-http-max-request-size', mebibyte, defaultBodyBytes),
    readBufferBytes: size(
      read,
      'read-buffer-size',
      'dapr-http-read-buffer-size',
      1024,
      defaultReadBufferBytes,
    ),
    enableApiLogging: read.bool('enable-api-logging'),
    disableH2c: /^(1|t|true|y|yes|on)$/i.test(env['DAPR_HTTP_DISABLE_H2C'] ?? ''),
    apiToken: env['DAPR_API_TOKEN'] || undefined,
    appApiToken: env['APP_API_TOKEN'] || undefined,
    resourcesPaths: Object.freeze(
      resourcesPaths.length > 0 || componentsPath === undefined ? resourcesPaths : [componentsPath],
    ),
    configPaths: Object.freeze(read.list('config')),
    modulesPaths: Object.freeze(read.list('modules-path')),
    gracefulShutdownMs: (graceful < 0 ? 5 : graceful) * 1000,
    blockShutdownMs: read.duration('dapr-block-shutdown-duration'),
    wait: read.bool('wait') ?? false,
    logLevel: oneOf('log-level', levels, 'debug, info, warn, error, fatal'),
    logAsJson: read.bool('log-as-json') ?? false,
    logFile: read.string('log-file'),
    metrics: Object.freeze({
      enabled: read.bool('enable-metrics') ?? true,
      port: read.port('metrics-port') ?? 9090,
      listenAddress: read.string('metrics-listen-address') ?? '0.0.0.0',
    }),
    profiling: Object.freeze({
      enabled: read.bool('enable-profiling') ?? false,
      port: read.port('profile-port') ?? 7777,
    }),
    warnings: Object.freeze(warnings(read)),
  }
  if (errors.length > 0) throw new StartupError(errors)
  return Object.freeze(options)
}

/** What is not above zero means the default, as in Dapr. */
function positive(value: number | undefined, fallback: number): number {
  return value === undefined || value <= 0 ? fallback : value
}

function protocol(name: AppProtocol, ssl: boolean): AppProtocol {
  if (!ssl) return name
  return name === 'http' ? 'https' : name === 'grpc' ? 'grpcs' : name
}

/** The current flag wins over the deprecated one; -1 means the default. */
function size(read: FlagReader, name: string, deprecated: string, unit: number, fallback: number): number {
  const useOld = !read.given(name) && read.given(deprecated)
  const bytes = useOld ? read.int(deprecated) : read.quantity(name)
  if (bytes === undefined || bytes === -1) return fallback
  if (bytes < 0) read.errors.push(`--${useOld ? deprecated : name}=${bytes} is below zero`)
  return useOld ? bytes * unit : bytes
}

function warnings(read: FlagReader): string[] {
  const given = flags.filter((flag) => read.given(flag.name))
  const lines = given.flatMap((flag) =>
    flag.deprecated === undefined ? [] : [`--${flag.name} is deprecated: ${flag.deprecated}`],
  )
  // Launchers pass many of these as a matter of course: one line for all of them.
  const unbuilt = given.flatMap((flag) =>
    flag.unbuilt === undefined ? [] : [`--${flag.name} (${flag.unbuilt})`],
  )
  if (unbuilt.length > 0)
    lines.push(`without effect, as what they are for is not built yet: ${unbuilt.join(', ')}`)
  return lines
}
