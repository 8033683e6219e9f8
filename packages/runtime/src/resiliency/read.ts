import { readDuration } from '@outrigger/host'
import { compile } from '../cel/compile.ts'
import { didYouMean } from '../resources/did-you-mean.ts'
import type { OtherResource, ResourceProblem } from '../resources/model.ts'
import { Report, Section, Unusable } from '../resources/section.ts'
import { tripsByDefault, type Counts } from './breaker.ts'
import { builtIn, fewestRetries, protectedPolicy } from './built-in.ts'
import { grpcCodes, httpCodes, readCodes } from './codes.ts'
import type {
  ActorTarget,
  BreakerPolicy,
  BuiltIn,
  ResiliencyModel,
  RetryPolicy,
  TargetPolicies,
} from './model.ts'

const appCacheSize = 100
const actorCacheSize = 5000

type Writable<M> = M extends ReadonlyMap<infer K, infer V> ? Map<K, V> : never
type Draft = { readonly [K in Exclude<keyof ResiliencyModel, 'names'>]: Writable<ResiliencyModel[K]> }

/** Puts the Resiliency resources together. One that is wrong is left out as a whole, with an error that says why. */
export function readResiliency(
  resources: readonly OtherResource[],
  problems: ResourceProblem[],
): ResiliencyModel {
  const whole = emptyDraft()
  const names: string[] = []
  const mentions: Mention[] = []
  for (const resource of resources) {
    const draft = emptyDraft()
    const mentioned: Mention[] = []
    const report = new Report(resource.source.file, problems)
    report.subject = `Resiliency "${resource.name}"`
    try {
      const spec = new Section(resource.spec, 'spec', report).known(['policies', 'targets'])
      readPolicies(spec, draft)
      readTargets(spec, draft, mentioned)
    } catch (error) {
      if (error instanceof Unusable) continue
      throw error
    }
    names.push(resource.name)
    mentions.push(...mentioned)
    for (const key of Object.keys(whole) as (keyof Draft)[]) {
      for (const [name, value] of draft[key]) (whole[key] as Map<string, unknown>).set(name, value)
    }
  }
  for (const mention of mentions) checkMention(mention, whole)
  return { names, ...whole }
}

/** What a target names as its policy; it may stand in any resource. */
interface Mention {
  readonly section: Section
  readonly key: string
  readonly kind: 'timeouts' | 'retries' | 'circuitBreakers'
  readonly name: string
}

function checkMention({ section, key, kind, name }: Mention, whole: Draft): void {
  const names = [...whole[kind].keys(), ...(kind === 'retries' ? Object.keys(builtIn) : [])]
  if (names.includes(name)) return
  const text = `names the policy "${name}", which is not in spec.policies.${kind} and has no effect`
  section.report.add('warn', section.lineOf(key), `${section.path}.${key}`, text + didYouMean(name, names))
}

function emptyDraft(): Draft {
  return {
    timeouts: new Map(),
    retries: new Map(),
    circuitBreakers: new Map(),
    apps: new Map(),
    actors: new Map(),
    components: new Map(),
  }
}

function readPolicies(spec: Section, draft: Draft): void {
  const policies = spec.section('policies')?.known(['timeouts', 'retries', 'circuitBreakers'])
  if (policies === undefined) return
  const timeouts = policies.section('timeouts')
  for (const name of keysOf(timeouts)) {
    draft.timeouts.set(name, { name, ms: duration(timeouts!, name) ?? 0 })
  }
  const retries = policies.section('retries')
  for (const name of keysOf(retries)) {
    const policy = readRetry(name, retries!.section(name))
    if (policy !== undefined) draft.retries.set(name, policy)
  }
  const breakers = policies.section('circuitBreakers')
  for (const name of keysOf(breakers)) {
    draft.circuitBreakers.set(name, readBreaker(name, breakers!.section(name)))
  }
}

function readRetry(name: string, section: Section | undefined): RetryPolicy | undefined {
  section?.known(['policy', 'duration', 'maxInterval', 'maxRetries', 'matching'])
  if (name === protectedPolicy) {
    section?.report.add('warn', section.line, section.path, 'cannot be overridden and has no effect')
    return undefined
  }
  const kind = (section?.text('policy') || 'constant').toLowerCase()
  if (kind !== 'constant' && kind !== 'exponential')
    return section?.unusable('policy', 'must be constant or exponential')
  const text = section?.text('maxRetries')
  if (text !== undefined && !/^-?\d{1,9}$/.test(text))
    return section?.unusable('maxRetries', 'must be a whole number; -1 stands for no limit')
  let maxRetries = text === undefined || Number(text) < 0 ? Infinity : Number(text)
  const replaced = Object.hasOwn(builtIn, name) ? builtIn[name as BuiltIn] : undefined
  if (replaced !== undefined && text === undefined) maxRetries = replaced.maxRetries
  if (replaced !== undefined && maxRetries < fewestRetries) {
    const advice = `must be ${fewestRetries} at least for a policy of the runtime, and is taken as that`
    section?.report.add('warn', section.lineOf('maxRetries'), `${section.path}.maxRetries`, advice)
    maxRetries = fewestRetries
  }
  const matching = section?.section('matching')?.known(['httpStatusCodes', 'gRPCStatusCodes'])
  const exponential = kind === 'exponential'
  return {
    name,
    kind,
    waitMs: exponential ? 500 : (duration(section, 'duration') ?? 5000),
    maxWaitMs: duration(section, 'maxInterval') ?? 60_000,
    maxElapsedMs: exponential ? 15 * 60_000 : Infinity,
    maxRetries,
    httpCodes: codes(matching, 'httpStatusCodes', httpCodes),
    grpcCodes: codes(matching, 'gRPCStatusCodes', grpcCodes),
  }
}

function readBreaker(name: string, section: Section | undefined): BreakerPolicy {
  section?.known(['maxRequests', 'interval', 'timeout', 'trip'])
  const trip = section?.text('trip') || undefined
  return {
    name,
    maxRequests: section?.count('maxRequests') ?? 1,
    intervalMs: duration(section, 'interval') ?? 0,
    timeoutMs: duration(section, 'timeout') || 60_000,
    trips: trip === undefined ? tripsByDefault : compileTrip(section!, trip),
  }
}

/** Counts to try an expression with; one that cannot be computed for any of them has a mistake. */
const samples: readonly Counts[] = [0, 1, 7].map((count) => ({
  requests: 2 * count,
  totalSuccesses: count,
  totalFailures: count,
  consecutiveSuccesses: 0,
  consecutiveFailures: count,
}))

/** What cannot be computed does not trip. */
function compileTrip(section: Section, source: string): (counts: Counts) => boolean {
  let expression: ReturnType<typeof compile>
  try {
    expression = compile(source)
  } catch (error) {
    return section.unusable('trip', error instanceof Error ? error.message : String(error))
  }
  const compute = (counts: Counts): unknown => {
    const variables = Object.entries(counts).map(([name, count]) => [name, BigInt(count as number)])
    return expression(Object.fromEntries(variables) as Record<string, unknown>)
  }
  const mistakes = samples.map((counts): string | undefined => {
    try {
      const result = compute(counts)
      return typeof result === 'boolean' ? undefined : 'is neither true nor false'
    } catch (error) {
      const names = Object.keys(counts).join(', ')
      return `cannot be computed from ${names}: ${(error as Error).message}`
    }
  })
  if (!mistakes.includes(undefined)) return section.unusable('trip', mistakes.at(-1)!)
  return (counts) => {
    try {
      return compute(counts) === true
    } catch {
      return false
    }
  }
}

function readTargets(spec: Section, draft: Draft, mentions: Mention[]): void {
  const targets = spec.section('targets')?.known(['apps', 'actors', 'components'])
  if (targets === undefined) return
  const apps = targets.section('apps')
  for (const name of keysOf(apps)) {
    const section = apps!.section(name)
    section?.known(['timeout', 'retry', 'circuitBreaker', 'circuitBreakerCacheSize'])
    draft.apps.set(name, readTarget(section, mentions, appCacheSize))
  }
  const actors = targets.section('actors')
  for (const name of keysOf(actors)) draft.actors.set(name, readActor(actors!.section(name), mentions))
  const components = targets.section('components')
  for (const name of keysOf(components)) {
    const section = components!.section(name)?.known(['inbound', 'outbound'], policyKeys)
    // As the documentation has it in one place: what stands at the component itself is for both directions.
    const both = readTarget(section, mentions, 1)
    const direction = (key: 'inbound' | 'outbound'): TargetPolicies => {
      const part = readTarget(section?.section(key)?.known(policyKeys), mentions, 1)
      const { timeout = both.timeout, retry = both.retry, circuitBreaker = both.circuitBreaker } = part
      return { ...part, timeout, retry, circuitBreaker }
    }
    draft.components.set(name, { inbound: direction('inbound'), outbound: direction('outbound') })
  }
}

const policyKeys = ['timeout', 'retry', 'circuitBreaker']

function readActor(section: Section | undefined, mentions: Mention[]): ActorTarget {
  section?.known(['timeout', 'retry', 'circuitBreaker', 'circuitBreakerScope', 'circuitBreakerCacheSize'])
  const target = readTarget(section, mentions, actorCacheSize)
  const scope = section?.text('circuitBreakerScope') || undefined
  if (target.circuitBreaker !== undefined && scope === undefined)
    return section!.unusable(
      'circuitBreakerScope',
      'is missing: a breaker of an actor is per type, id or both',
    )
  if (scope !== undefined && scope !== 'type' && scope !== 'id' && scope !== 'both')
    return section!.unusable('circuitBreakerScope', 'must be type, id or both')
  return { ...target, circuitBreakerScope: scope ?? 'type' }
}

function readTarget(section: Section | undefined, mentions: Mention[], cacheSize: number): TargetPolicies {
  const named = (key: string, kind: Mention['kind']): string | undefined => {
    const name = section?.text(key) || undefined
    if (name !== undefined) mentions.push({ section: section!, key, kind, name })
    return name
  }
  return {
    timeout: named('timeout', 'timeouts'),
    retry: named('retry', 'retries'),
    circuitBreaker: named('circuitBreaker', 'circuitBreakers'),
    circuitBreakerCacheSize: section?.count('circuitBreakerCacheSize') ?? cacheSize,
  }
}

function keysOf(section: Section | undefined): readonly string[] {
  return section === undefined ? [] : [...section.tree.entries.keys()]
}

function duration(section: Section | undefined, name: string): number | undefined {
  const text = section?.text(name) || undefined
  if (text === undefined) return undefined
  const ms = readDuration(text, 'ms')
  if (ms === undefined || ms < 0)
    return section!.unusable(name, `must be a duration such as 500ms, 5s or 1m, not "${text.slice(0, 40)}"`)
  return ms
}

function codes(
  section: Section | undefined,
  name: string,
  valid: typeof httpCodes,
): RetryPolicy['httpCodes'] {
  try {
    return readCodes(section?.text(name) ?? '', valid)
  } catch (error) {
    return section!.unusable(name, (error as Error).message)
  }
}
