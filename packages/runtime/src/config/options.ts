import { type Flag, FlagError, parseFlags, type ParsedFlags } from '@outrigger/host'
import { readCompat, type EarlyForm } from './compat.ts'
import { flags } from './flags.ts'
import { appProtocols, checkTogether, type Checked, initEndpoints, logLevels, modes } from './rules.ts'
import { StartupError } from './startup-error.ts'

/** Flags by name (`app-id`), as text or typed. What is absent was not given: the defaults are added here. */
export type FlagInput = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export type AppProtocol = (typeof appProtocols)[number]
export type LogLevel = (typeof logLevels)[number]
export type Env = Readonly<Record<string, string | undefined>>

/** Everything that command line and environment decide: checked, with defaults, frozen. Times in milliseconds, sizes in bytes. */
export interface RuntimeOptions {
  readonly appId: string
  readonly mode: (typeof modes)[number]
  readonly compat: ReadonlySet<EarlyForm>
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
  readonly disableInitEndpoints: readonly (typeof initEndpoints)[number][]

  /** `0`: any free port. */
  readonly httpPort: number
  readonly grpcPort: number
  readonly publicPort: number | undefined
  readonly publicListenAddress: string | undefined
  /** Empty: all addresses. */
  readonly listenAddresses: readonly string[]
  readonly unixDomainSocket: string | undefined
  /** For other sidecars. `undefined`: the same for this application and folder each time, where it is free. */
  readonly internalPort: number | undefined
  readonly internalListenAddress: string | undefined
  readonly mtls: {
    readonly enabled: boolean
    readonly sentryAddress: string | undefined
    readonly controlPlaneTrustDomain: string
    readonly controlPlaneNamespace: string
    readonly jwtAudiences: readonly string[]
  }
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
  /** `undefined`: that of the system; 0: none. */
  readonly memoryLimitBytes: number | undefined
  readonly logLevel: LogLevel
  readonly logAsJson: boolean
  readonly logFile: string | undefined
  readonly metrics: {
    readonly enabled: boolean
    readonly port: number
    /** Somebody relies on the port. */
    readonly portGiven: boolean
    readonly listenAddress: string
  }
  readonly profiling: { readonly enabled: boolean; readonly port: number }

  /** Flags that were given and have no effect: one line each, to be logged. */
  readonly warnings: readonly string[]
}

type Parsed = ParsedFlags<typeof flags>

/**
 * Turns flags, by name, and environment into the options of a runtime.
 * @throws StartupError with every wrong flag
 */
export function runtimeOptions(input: FlagInput, env: Env): RuntimeOptions {
  return optionsOf(parse(input, env), env)
}

/** Of others, empty means none. */
const neededPorts = ['dapr-http-port', 'dapr-grpc-port', 'metrics-port', 'profile-port'] as const

/** As `runtimeOptions`, of a command line that was parsed. */
export function optionsOf(parsed: Parsed, env: Env): RuntimeOptions {
  const { values } = parsed
  const errors: string[] = []
  const { 'app-id': appId = '', 'app-port': givenAppPort, mode } = values
  const httpPort = values['dapr-http-port'] ?? 3500
  const grpcPort = values['dapr-grpc-port'] ?? 50_001
  const appPort = givenAppPort === 0 ? undefined : givenAppPort
  const intervalMs = positive(values['app-health-probe-interval'], 5) * 1000
  const timeoutMs = positive(values['app-health-probe-timeout'], 500)
  for (const name of neededPorts)
    if (parsed.given.has(name) && values[name] === undefined)
      errors.push(`--${name} is empty: give a port, or leave the flag out`)
  const graceful = values['dapr-graceful-shutdown-seconds']
  const componentsPath = values['components-path']
  const resourcesPaths = values['resources-path']
  const options: RuntimeOptions = {
    appId,
    mode: oneOf('mode', mode, modes, errors),
    compat: readCompat(values.compat, errors),
    namespace: env['NAMESPACE'] || 'default',
    resourceNamespace: env['NAMESPACE'] || undefined,
    podName: env['POD_NAME'] || undefined,
    hostAddress: env['DAPR_HOST_IP'] || undefined,
    appPort,
    appProtocol: appProtocol(values['app-protocol'], values['app-ssl'], errors),
    appChannelAddress: values['app-channel-address'] || '127.0.0.1',
    appMaxConcurrency: values['app-max-concurrency'] > 0 ? values['app-max-concurrency'] : undefined,
    appHealth: Object.freeze({
      enabled: values['enable-app-health-check'],
      path: values['app-health-check-path'] || '/healthz',
      intervalMs,
      timeoutMs,
      threshold: positive(values['app-health-threshold'], 3),
    }),
    appBindingOptionsTimeoutMs: positive(values['app-binding-options-timeout'], 3000),
    disableInitEndpoints: Object.freeze(
      values['disable-init-endpoints'].map((name) =>
        oneOf('disable-init-endpoints', name, initEndpoints, errors),
      ),
    ),
    httpPort,
    grpcPort,
    publicPort: values['dapr-public-port'],
    publicListenAddress: values['dapr-public-listen-address'] || undefined,
    listenAddresses: Object.freeze(values['dapr-listen-addresses']),
    unixDomainSocket: values['unix-domain-socket'] || undefined,
    internalPort: values['dapr-internal-grpc-port'],
    internalListenAddress: values['dapr-internal-grpc-listen-address'] || undefined,
    mtls: Object.freeze({
      enabled: values['enable-mtls'],
      sentryAddress: values['sentry-address'] || undefined,
      controlPlaneTrustDomain: values['control-plane-trust-domain'],
      controlPlaneNamespace: values['control-plane-namespace'],
      jwtAudiences: Object.freeze(values['sentry-request-jwt-audiences']),
    }),
    allowedOrigins: Object.freeze(values['allowed-origins']),
    maxBodyBytes: size(parsed, 'max-body-size', 'dapr-http-max-request-size', 2 ** 20, 4 * 2 ** 20, errors),
    readBufferBytes: size(parsed, 'read-buffer-size', 'dapr-http-read-buffer-size', 1024, 4096, errors),
    enableApiLogging: values['enable-api-logging'],
    disableH2c: /^(1|t|true|y|yes|on)$/i.test(env['DAPR_HTTP_DISABLE_H2C'] ?? ''),
    apiToken: env['DAPR_API_TOKEN'] || undefined,
    appApiToken: env['APP_API_TOKEN'] || undefined,
    resourcesPaths: Object.freeze(
      resourcesPaths.length > 0 || !componentsPath ? resourcesPaths : [componentsPath],
    ),
    configPaths: Object.freeze(values.config),
    modulesPaths: Object.freeze(values['modules-path']),
    gracefulShutdownMs: (graceful < 0 ? 5 : graceful) * 1000,
    blockShutdownMs: values['dapr-block-shutdown-duration'],
    memoryLimitBytes: values['memory-limit'],
    logLevel: oneOf('log-level', values['log-level'], logLevels, errors),
    logAsJson: values['log-as-json'],
    logFile: values['log-file'] || undefined,
    metrics: Object.freeze({
      enabled: values['enable-metrics'],
      port: values['metrics-port'],
      portGiven: parsed.given.has('metrics-port'),
      listenAddress: values['metrics-listen-address'],
    }),
    profiling: Object.freeze({ enabled: values['enable-profiling'], port: values['profile-port'] }),
    warnings: Object.freeze(warnings(parsed)),
  }
  checkTogether(options, (option) => flagOf[option], errors)
  if (errors.length > 0) throw new StartupError(errors)
  return Object.freeze(options)
}

/** The flags of what is checked together. */
const flagOf: Readonly<Record<Checked, string>> = {
  appId: '--app-id',
  mode: '--mode',
  resourcesPaths: '--resources-path',
  httpPort: '--dapr-http-port',
  grpcPort: '--dapr-grpc-port',
  appPort: '--app-port',
  'appHealth.timeoutMs': '--app-health-probe-timeout',
  'appHealth.intervalMs': '--app-health-probe-interval',
  memoryLimitBytes: '--memory-limit',
}

function parse(input: FlagInput, env: Env): Parsed {
  const argv = Object.entries(input).flatMap(([name, value]) => {
    if (value === undefined) return []
    return (typeof value === 'object' ? value : [value]).map((text) => `--${name}=${text}`)
  })
  try {
    return parseFlags(flags, argv, env)
  } catch (error) {
    if (error instanceof FlagError) throw new StartupError(error.problems)
    throw error
  }
}

function oneOf<const T extends string>(
  name: string,
  text: string,
  allowed: readonly T[],
  errors: string[],
): T {
  const value = text.toLowerCase() as T
  if (!allowed.includes(value)) errors.push(`--${name}=${text} is not one of ${allowed.join(', ')}`)
  return value
}

/** What is not above zero means the default, as in Dapr. */
function positive(value: number, fallback: number): number {
  return value <= 0 ? fallback : value
}

function appProtocol(text: string, ssl: boolean, errors: string[]): AppProtocol {
  const name = oneOf('app-protocol', text || 'http', appProtocols, errors)
  if (!ssl) return name
  return name === 'http' ? 'https' : name === 'grpc' ? 'grpcs' : name
}

type SizeFlag =
  | 'max-body-size'
  | 'dapr-http-max-request-size'
  | 'read-buffer-size'
  | 'dapr-http-read-buffer-size'

/** The current flag wins over the deprecated one; -1 means the default. */
function size(
  parsed: Parsed,
  name: SizeFlag,
  deprecated: SizeFlag,
  unit: number,
  fallback: number,
  errors: string[],
): number {
  const useOld = !parsed.given.has(name) && parsed.given.has(deprecated)
  const value = parsed.values[useOld ? deprecated : name]
  if (value === -1) return fallback
  if (value <= 0) {
    const what = value < 0 ? 'is below zero' : 'would let nothing through'
    errors.push(`--${useOld ? deprecated : name}=${value} ${what}: leave it out, or give a size such as 4Mi`)
  }
  return useOld ? value * unit : value
}

/** Launchers pass many flags without effect as a matter of course: one line for all of them. */
function warnings(parsed: Parsed): string[] {
  const unbuilt = (flags as readonly Flag[]).flatMap(({ name, unbuilt: part }) =>
    part === undefined || !parsed.given.has(name) ? [] : [`--${name} (${part})`],
  )
  const lines = parsed.warnings.filter((line) => !line.includes(' has no effect yet: '))
  if (unbuilt.length === 0) return lines
  return [...lines, `without effect, as what they are for is not built yet: ${unbuilt.join(', ')}`]
}
