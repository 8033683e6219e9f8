import { readDocument } from '../resources/document.ts'
import type { OtherResource, ResourceProblem } from '../resources/model.ts'
import { readText } from '../resources/read.ts'
import { Report, Section, Unusable } from '../resources/section.ts'
import { parseDocuments } from '../resources/yaml.ts'
import {
  completeAccessControl,
  readAccessControl,
  type AccessControl,
  type AccessControlPart,
} from './access-control.ts'
import { expandEnv } from './expand-env.ts'
import { readMetrics } from './metrics.ts'
import { readModules } from './modules.ts'
import { completeMtls, readMtls, type MtlsPart, type MtlsSettings } from './mtls.ts'
import { readNameResolution, type NameResolutionSettings } from './name-resolution.ts'
import type { Env } from './options.ts'
import { readPipelines, type PipelineHandler } from './pipelines.ts'
import { reportUnbuilt } from './unbuilt.ts'

/** Which secrets of one store the application may read: the allowed list decides, then the denied one, then the default. */
export interface SecretScope {
  readonly storeName: string
  readonly defaultAccess: 'allow' | 'deny'
  readonly allowedSecrets: readonly string[]
  readonly deniedSecrets: readonly string[]
}

/** One entry of `spec.api.allowed` or `spec.api.denied`. */
export interface ApiRule {
  /** A building block as its path names it: `state`. */
  readonly name: string
  /** `v1.0`; absent, every version. */
  readonly version: string | undefined
  /** `http` or `grpc`; absent, both. */
  readonly protocol: string | undefined
}

/** What all files of `--config` say together. */
export interface Configuration {
  readonly secretScopes: readonly SecretScope[]
  readonly apiAccess: { readonly allowed: readonly ApiRule[]; readonly denied: readonly ApiRule[] }
  readonly apiLogging: {
    readonly enabled: boolean
    readonly obfuscateUrls: boolean
    readonly omitHealthChecks: boolean
  }
  /** Component types that are not loaded: `bindings.smtp`, `state.redis/v1`. */
  readonly deniedComponents: readonly string[]
  /** Names of the features that are switched on, sorted. */
  readonly features: readonly string[]
  readonly metricsEnabled: boolean
  /** Modules of WebAssembly get neither time nor chance from outside, whatever their components say. */
  readonly strictSandbox: boolean
  /** `undefined`: the default of the mode. */
  readonly nameResolution: NameResolutionSettings | undefined
  /** `undefined`: everybody may call the application. */
  readonly accessControl: AccessControl | undefined
  readonly mtls: MtlsSettings | undefined
  /** Middleware before the HTTP API. */
  readonly httpPipeline: readonly PipelineHandler[]
  /** Middleware before an application that speaks HTTP. */
  readonly appHttpPipeline: readonly PipelineHandler[]
  /** Component type to package: annotations `modules.outrigger.dev/TYPE: PACKAGE`. */
  readonly modules: Readonly<Record<string, string>>
  /** Package scopes in order: annotation `outrigger.dev/scopes`. */
  readonly packageScopes: readonly string[]
}

export interface ReadConfigurationResult {
  readonly configuration: Configuration
  readonly problems: readonly ResourceProblem[]
}

type Whole = { -readonly [K in keyof Configuration]?: NonNullable<Configuration[K]> }

/** Sections of several fields, of which one file may have one and another the next. */
interface Mixed {
  apiAccess?: Partial<Configuration['apiAccess']>
  apiLogging?: Partial<Configuration['apiLogging']>
  accessControl?: AccessControlPart
  mtls?: MtlsPart
}

/** What one file says, or some of them together. */
type Part = Omit<Whole, keyof Mixed> & Mixed

/** The features of Dapr that are on unless a file says otherwise, and that are built. */
const defaultFeatures: readonly string[] = []

/** Reads the Configuration files in order; later ones win, field by field, lists as a whole. Whatever is wrong in one is fatal. */
export async function readConfiguration(
  paths: readonly string[],
  env: Env,
): Promise<ReadConfigurationResult> {
  const problems: ResourceProblem[] = []
  let whole: Part = {}
  for (const path of paths) {
    const raw = await readText(path, problems, 'fatal')
    if (raw === undefined) continue
    const report = new Report(path, problems)
    const text = expandEnv(raw, env, (name, line) => {
      report.add('warn', line, undefined, `the variable ${name} is not set and becomes empty`)
    })
    for (const document of parseDocuments(text)) {
      const resource = readDocument(document, path, problems, 'Configuration')
      if (resource === undefined) continue
      if (resource.kind !== 'Configuration') {
        report.add(
          'warn',
          resource.source.line,
          'kind',
          `${resource.kind} has no effect in a file of --config: use --resources-path`,
        )
        continue
      }
      whole = merge(whole, readPart(resource, problems))
    }
  }
  const configuration = complete(whole)
  return { configuration, problems: problems.map(asFatal) }
}

/** What a resource folder may leave out, a Configuration may not: it holds limits that somebody relies on. */
function asFatal(problem: ResourceProblem): ResourceProblem {
  return problem.severity === 'skip' ? { ...problem, severity: 'fatal' } : problem
}

function complete(part: Part): Configuration {
  return Object.freeze({
    secretScopes: part.secretScopes ?? [],
    apiAccess: { allowed: [], denied: [], ...part.apiAccess },
    apiLogging: { enabled: false, obfuscateUrls: false, omitHealthChecks: false, ...part.apiLogging },
    deniedComponents: part.deniedComponents ?? [],
    features: part.features ?? defaultFeatures,
    metricsEnabled: part.metricsEnabled ?? true,
    strictSandbox: part.strictSandbox ?? false,
    nameResolution: part.nameResolution,
    accessControl: part.accessControl && completeAccessControl(part.accessControl),
    mtls: part.mtls && completeMtls(part.mtls),
    httpPipeline: part.httpPipeline ?? [],
    appHttpPipeline: part.appHttpPipeline ?? [],
    modules: part.modules ?? {},
    packageScopes: part.packageScopes ?? ['@outrigger'],
  })
}

function merge(first: Part, second: Part): Part {
  const merged = { ...first, ...second }
  // A file that adds a field must not take back what another protects.
  for (const name of ['apiAccess', 'apiLogging', 'accessControl', 'mtls', 'modules'] as const)
    if (first[name] !== undefined) Object.assign(merged, { [name]: { ...first[name], ...second[name] } })
  return merged
}

function readPart(resource: OtherResource, problems: ResourceProblem[]): Part {
  const report = new Report(resource.source.file, problems)
  report.subject = `Configuration "${resource.name}"`
  const spec = new Section(resource.spec, 'spec', report).known(specKeys)
  const part: Part = {}
  const steps = [
    () => readModules(resource, report, part),
    () => reportUnbuilt(spec),
    () => readSecrets(spec, part),
    () => readApi(spec, part),
    () => readLogging(spec, part),
    () => readPipelines(spec, resource.source.file, part),
    () => readNameResolution(spec, resource.source.file, part),
    () => readAccessControl(spec, part),
    () => readMtls(spec, part),
    () => readMetrics(spec, part),
    () => readOthers(spec, part),
  ]
  // Each on its own, so that one run shows everything that is wrong.
  for (const step of steps) {
    try {
      step()
    } catch (error) {
      if (!(error instanceof Unusable)) throw error
    }
  }
  return part
}

const specKeys = [
  'accessControl',
  'api',
  'appHttpPipeline',
  'components',
  'features',
  'httpPipeline',
  'logging',
  'metric',
  'metrics',
  'mtls',
  'nameResolution',
  'secrets',
  'tracing',
  'wasm',
  'workflow',
]

function readSecrets(spec: Section, part: Part): void {
  const secrets = spec.section('secrets')?.known(['scopes'])
  if (secrets === undefined || !secrets.has('scopes')) return
  const names = new Set<string>()
  part.secretScopes = secrets.sections('scopes').map((scope) => {
    scope.known(['storeName', 'defaultAccess', 'allowedSecrets', 'deniedSecrets'])
    const storeName = scope.required('storeName', 'name the secret store')
    if (names.has(storeName))
      scope.unusable('storeName', `"${storeName}" is there twice: put both lists into one scope`)
    names.add(storeName)
    const access = (scope.text('defaultAccess') || 'allow').toLowerCase()
    if (access !== 'allow' && access !== 'deny')
      return scope.unusable('defaultAccess', 'must be allow or deny')
    const allowedSecrets = scope.texts('allowedSecrets')
    return { storeName, defaultAccess: access, allowedSecrets, deniedSecrets: scope.texts('deniedSecrets') }
  })
}

function readApi(spec: Section, part: Part): void {
  const api = spec.section('api')?.known(['allowed', 'denied'])
  if (api === undefined) return
  const rules = (key: string): readonly ApiRule[] =>
    api.sections(key).map((rule) => {
      rule.known(['name', 'version', 'protocol'])
      const protocol = rule.text('protocol')?.toLowerCase() || undefined
      if (protocol !== undefined && protocol !== 'http' && protocol !== 'grpc') {
        rule.unusable('protocol', 'must be http or grpc')
      }
      const name = rule.required('name', 'name the building block, such as state')
      return { name, version: rule.text('version') || undefined, protocol }
    })
  part.apiAccess = {
    ...(api.has('allowed') && { allowed: rules('allowed') }),
    ...(api.has('denied') && { denied: rules('denied') }),
  }
}

function readLogging(spec: Section, part: Part): void {
  const logging = spec.section('logging')?.known(['apiLogging']).section('apiLogging')
  if (logging === undefined) return
  logging.known(['enabled', 'obfuscateURLs', 'omitHealthChecks'])
  const enabled = logging.bool('enabled')
  const obfuscateUrls = logging.bool('obfuscateURLs')
  const omitHealthChecks = logging.bool('omitHealthChecks')
  part.apiLogging = {
    ...(enabled !== undefined && { enabled }),
    ...(obfuscateUrls !== undefined && { obfuscateUrls }),
    ...(omitHealthChecks !== undefined && { omitHealthChecks }),
  }
}

function readOthers(spec: Section, part: Part): void {
  const components = spec.section('components')?.known(['deny'])
  if (components?.has('deny') === true) {
    part.deniedComponents = components.texts('deny').map((text) => text.trim().toLowerCase())
  }
  const strictSandbox = spec.section('wasm')?.known(['strictSandbox']).bool('strictSandbox')
  if (strictSandbox !== undefined) part.strictSandbox = strictSandbox
  if (!spec.has('features')) return
  const features = new Set(defaultFeatures)
  for (const feature of spec.sections('features')) {
    feature.known(['name', 'enabled'])
    const name = feature.required('name', 'name the feature')
    if (feature.bool('enabled') === true) features.add(name)
    else features.delete(name)
  }
  part.features = [...features].sort()
}
