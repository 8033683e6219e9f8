import { nearest, wanted } from '@outrigger/host'
import type { CreateRuntimeOptions } from '../index.ts'
import { earlyForms } from './compat.ts'
import { runtimeOptions, type RuntimeOptions } from './options.ts'
import { appProtocols, checkTogether, initEndpoints, logLevels, modes } from './rules.ts'
import { StartupError } from './startup-error.ts'

/** What a value must be. Programs in JavaScript have no compiler that says it. */
interface Rule {
  readonly is: string
  test(value: unknown): boolean
  /** The value may hold a secret. */
  readonly secret?: boolean
}

type Rules<T> = { readonly [K in keyof Required<T>]: Rule | { readonly fields: Rules<Required<T>[K]> } }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const number = (is: string, least: number, most = Number.MAX_SAFE_INTEGER, whole = true): Rule => ({
  is,
  test: (value) =>
    typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value)),
})
const oneOf = (choices: readonly string[]): Rule => ({
  is: `one of ${choices.join(', ')}`,
  test: (value) => choices.includes(value as string),
})
const listOf = (is: string, each: (value: unknown) => boolean, secret = false): Rule => ({
  is,
  test: (value) => Array.isArray(value) && value.every(each),
  secret,
})
/** Of this process, or of another copy of the package: what counts is what it can do. */
const withMethods = (is: string, ...names: readonly string[]): Rule => ({
  is: `${is} with the methods ${names.join(', ')}`,
  test: (value) => isObject(value) && names.every((name) => typeof value[name] === 'function'),
})

const text: Rule = { is: 'a text that is not empty', test: isText }
const secretText: Rule = { ...text, secret: true }
const flag: Rule = { is: wanted.bool, test: (value) => typeof value === 'boolean' }
const port = number(wanted.port, 0, 65_535)
const usedPort = number('a port from 1 to 65535', 1, 65_535)
const count = number('a whole number from 1', 1)
const bytes = number('a whole number of bytes', 0)
const someBytes = number('a whole number of bytes from 1', 1)
const time = number('a number of milliseconds, 0 or more', 0, Number.MAX_SAFE_INTEGER, false)
const someTime = number('a number of milliseconds from 1', 1, Number.MAX_SAFE_INTEGER, false)
const texts = listOf('a list of texts', isText)
const callback: Rule = { is: 'a function', test: (value) => typeof value === 'function' }

const rules: Rules<CreateRuntimeOptions> = {
  appId: text,
  mode: oneOf(modes),
  compat: {
    is: `a Set of ${Object.keys(earlyForms).join(', ')}`,
    test: (value) =>
      value instanceof Set && [...value].every((form) => Object.hasOwn(earlyForms, form as string)),
  },
  namespace: text,
  resourceNamespace: text,
  podName: text,
  hostAddress: text,
  appPort: usedPort,
  appProtocol: oneOf(appProtocols),
  appChannelAddress: text,
  appMaxConcurrency: count,
  appHealth: {
    fields: { enabled: flag, path: text, intervalMs: someTime, timeoutMs: someTime, threshold: count },
  },
  appBindingOptionsTimeoutMs: someTime,
  disableInitEndpoints: listOf(`a list of ${initEndpoints.join(', ')}`, (value) =>
    initEndpoints.includes(value as never),
  ),
  httpPort: port,
  grpcPort: port,
  publicPort: port,
  publicListenAddress: text,
  listenAddresses: texts,
  unixDomainSocket: text,
  internalPort: port,
  internalListenAddress: text,
  mtls: {
    fields: {
      enabled: flag,
      sentryAddress: text,
      controlPlaneTrustDomain: text,
      controlPlaneNamespace: text,
      jwtAudiences: texts,
    },
  },
  allowedOrigins: texts,
  maxBodyBytes: someBytes,
  readBufferBytes: someBytes,
  enableApiLogging: flag,
  disableH2c: flag,
  apiToken: secretText,
  appApiToken: secretText,
  resourcesPaths: texts,
  configPaths: texts,
  modulesPaths: texts,
  gracefulShutdownMs: time,
  blockShutdownMs: time,
  memoryLimitBytes: bytes,
  logLevel: oneOf(logLevels),
  logAsJson: flag,
  logFile: text,
  metrics: { fields: { enabled: flag, port, portGiven: flag, listenAddress: text } },
  profiling: { fields: { enabled: flag, port } },
  resources: listOf(
    'a list of objects and YAML texts',
    (value) => isObject(value) || typeof value === 'string',
    true,
  ),
  definitions: listOf('a list of component definitions: what their packages export by default', isObject),
  app: callback,
  listen: flag,
  logger: withMethods('an object', 'debug', 'info', 'warn', 'error'),
  clock: withMethods('an object', 'now', 'monotonic', 'schedule'),
  random: withMethods('an object', 'next', 'uuid'),
  env: {
    is: 'an object of texts',
    test: (value) =>
      isObject(value) && Object.values(value).every((each) => each === undefined || typeof each === 'string'),
    secret: true,
  },
  onShutdownRequest: callback,
}

/**
 * Checks what a program gave, and puts the defaults where it gave nothing.
 * @throws StartupError with every option that is wrong
 */
export function checkedOptions(given: CreateRuntimeOptions): RuntimeOptions {
  if (!isObject(given)) throw wrong(['the options must be an object with an appId'])
  const errors: string[] = []
  checkFields('', given, rules, errors)
  if (given.appId === undefined)
    errors.push('appId is missing: every runtime needs the name of its application')
  if (errors.length > 0) throw wrong(errors)
  const options = withDefaults(given)
  // Without listeners the ports mean nothing.
  const checked = given.listen === true ? options : { ...options, httpPort: 0, grpcPort: 0 }
  checkTogether(checked, (option) => option, errors)
  if (errors.length > 0) throw wrong(errors)
  return options
}

function withDefaults(given: CreateRuntimeOptions): RuntimeOptions {
  const defaults = runtimeOptions({ 'app-id': 'a' }, given.env ?? {})
  const { appHealth, mtls, metrics, profiling } = defaults
  const {
    resources: _r,
    definitions: _d,
    app: _a,
    listen: _l,
    logger: _g,
    clock: _c,
    random: _n,
    ...rest
  } = given
  const { env: _e, onShutdownRequest: _s, ...own } = rest
  return Object.freeze({
    ...defaults,
    ...defined(own),
    appHealth: Object.freeze({ ...appHealth, ...defined(given.appHealth ?? {}) }),
    mtls: Object.freeze({ ...mtls, ...defined(given.mtls ?? {}) }),
    metrics: Object.freeze({
      ...metrics,
      // Whoever names a port relies on it.
      portGiven: given.metrics?.port !== undefined,
      ...defined(given.metrics ?? {}),
    }),
    profiling: Object.freeze({ ...profiling, ...defined(given.profiling ?? {}) }),
  })
}

export function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

function checkFields(path: string, given: object, known: Rules<object>, errors: string[]): void {
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(known, name) ? (known as Rules<Record<string, unknown>>)[name] : undefined
    if (rule === undefined) errors.push(unknown(path, name, Object.keys(known)))
    else if (value === undefined) continue
    else if (!('fields' in rule)) {
      if (!rule.test(value)) errors.push(`${path}${name} is ${shown(value, rule)}; it must be ${rule.is}`)
    } else if (isObject(value) && !Array.isArray(value))
      checkFields(`${path}${name}.`, value, rule.fields, errors)
    else
      errors.push(
        `${path}${name} is ${shown(value)}; it must be an object with ${Object.keys(rule.fields).join(', ')}`,
      )
  }
}

function unknown(path: string, name: string, known: readonly string[]): string {
  const close = nearest(name, known)
  const hint =
    close === undefined
      ? `it can be ${known.map((each) => path + each).join(', ')}`
      : `did you mean ${path}${close}?`
  return `${path}${name.slice(0, 100)} is no option; ${hint}`
}

/** Enough to find it; never what may be a secret, or holds one. */
function shown(value: unknown, rule?: Rule): string {
  if (value === null) return 'null'
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) {
    const odd = value.find((each) => rule?.test([each]) === false)
    return odd === undefined ? 'a list' : `a list with ${shown(odd, { ...rule!, test: () => true })}`
  }
  if (typeof value === 'object') return 'an object'
  if (rule?.secret === true) return `of the type ${typeof value} (not shown)`
  const written = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return written.length > 80 ? `${written.slice(0, 80)}...` : written
}

function wrong(lines: readonly string[]): StartupError {
  return new StartupError(lines.map((line) => `createRuntime: ${line}`))
}
