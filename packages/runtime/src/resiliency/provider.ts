import { Breaker, type BreakerState } from './breaker.ts'
import { builtIn } from './built-in.ts'
import type {
  BreakerPolicy,
  BuiltIn,
  ComponentTarget,
  Direction,
  ResiliencyModel,
  RetryPolicy,
  TargetPolicies,
  TimeoutPolicy,
} from './model.ts'
import { noUses, Policy, type Activations, type PolicyTools, type Uses } from './policy.ts'

/** One breaker, or what else applies to a target, as the metadata of the runtime shows it. */
export interface PolicyStatus {
  readonly target: string
  readonly timeout: string | undefined
  readonly retry: string | undefined
  readonly circuitBreakers: readonly { readonly name: string; readonly state: BreakerState }[]
  readonly activations: Readonly<Activations>
}

/** How a target was used, for metrics. */
export interface TargetUse extends Uses {
  /** `app_orders`, `Statestore_cart`. */
  readonly label: string
  readonly direction: 'inbound' | 'outbound'
  readonly timeout: boolean
  readonly retry: boolean
  readonly hasBreaker: boolean
  readonly states: readonly BreakerState[]
  readonly activations: Readonly<Activations>
}

interface Parts {
  readonly timeout: TimeoutPolicy | undefined
  readonly retry: RetryPolicy | undefined
  readonly breaker: BreakerPolicy | undefined
}

/** A target with its policies, looked up once. */
interface Target {
  /** For logs, errors and metrics. */
  readonly name: string
  /** Its endpoints are not for them: they may hold what only the caller should know. */
  readonly hidesEndpoints: boolean
  readonly label: string
  readonly direction: 'inbound' | 'outbound'
  readonly uses: Uses
  readonly parts: Parts
  readonly activations: Activations
  /** By endpoint where there is a breaker, which each has for itself; the oldest use first. */
  readonly policies: Map<string, Policy>
  readonly maxPolicies: number
}

const anyEndpoint = ''
const appCacheSize = 100
/** Names that callers choose cannot make the table of targets grow without end. */
const mostTargets = 10_000

/** Finds the policy of each target; what a target has is looked up at its first call. */
export class Resiliency {
  readonly #model: ResiliencyModel
  readonly #tools: PolicyTools
  readonly #targets = new Map<string, Target | undefined>()
  readonly #builtIn = new Map<BuiltIn, Policy>()

  constructor(model: ResiliencyModel, tools: PolicyTools) {
    this.#model = model
    this.#tools = tools
  }

  /** Names of the resources that were read. */
  get names(): readonly string[] {
    return this.#model.names
  }

  /** Whether the application is named as a target: the built-in retries do not apply then. */
  definesApp(appId: string): boolean {
    return this.#model.apps.has(appId)
  }

  /** What applies to calls of an application; each endpoint has a breaker of its own. */
  app(appId: string, endpoint: string): Policy | undefined {
    const key = `app ${appId}`
    let target = this.#targets.get(key)
    if (target === undefined && !this.#targets.has(key)) {
      const named = this.#model.apps.get(appId)
      const parts = named === undefined ? this.#defaults(['App']) : this.#parts(named)
      const shown = shownApp(appId)
      const size = named?.circuitBreakerCacheSize ?? appCacheSize
      target = this.#remember(key, `app_${shown}`, parts, size, 'outbound', `app ${shown}`)
    }
    return target === undefined ? undefined : this.#policy(target, endpoint)
  }

  /** What applies to the operations of a component, or to what it delivers. */
  component(name: string, kind: ComponentTarget, direction: Direction): Policy | undefined {
    const key = `component ${name} ${direction.toLowerCase()}`
    if (this.#targets.has(key)) {
      const target = this.#targets.get(key)
      return target === undefined ? undefined : this.#policy(target, anyEndpoint)
    }
    const named = this.#model.components.get(name)
    const policies = direction === 'Inbound' ? named?.inbound : named?.outbound
    const levels = [`${kind}Component${direction}`, `Component${direction}`, 'Component']
    const parts = policies === undefined ? this.#defaults(levels) : this.#parts(policies)
    const inbound = direction === 'Inbound'
    const target = this.#remember(key, `${kind}_${name}`, parts, 1, inbound ? 'inbound' : 'outbound')
    return target === undefined ? undefined : this.#policy(target, anyEndpoint)
  }

  /**
   * What applies to calls of an actor before its turn comes: retries and breaker. Waiting for the turn has no limit;
   * the time of the turn itself is `actorTimeout`.
   */
  actor(type: string, id: string): Policy | undefined {
    const key = `actor ${type}`
    let target = this.#targets.get(key)
    const named = this.#model.actors.get(type)
    if (target === undefined && !this.#targets.has(key)) {
      const parts = named === undefined ? this.#defaults(['Actor']) : this.#parts(named)
      const untimed = { ...parts, timeout: undefined }
      target = this.#remember(key, `actor_${type}`, untimed, named?.circuitBreakerCacheSize ?? 1)
    }
    if (target === undefined) return undefined
    const perType = named === undefined || named.circuitBreakerScope === 'type'
    return this.#policy(target, perType ? anyEndpoint : id)
  }

  actorTimeout(type: string): TimeoutPolicy | undefined {
    const named = this.#model.actors.get(type)
    return (named === undefined ? this.#defaults(['Actor']) : this.#parts(named)).timeout
  }

  /** What the runtime retries by itself. */
  builtIn(name: BuiltIn): Policy {
    let policy = this.#builtIn.get(name)
    if (policy === undefined) {
      const retry = this.#model.retries.get(name) ?? builtIn[name]
      policy = new Policy({ target: name, timeout: undefined, retry, breaker: undefined }, this.#tools)
      this.#builtIn.set(name, policy)
    }
    return policy
  }

  /** The targets that were called so far and have a policy. */
  status(): readonly PolicyStatus[] {
    const now = this.#tools.clock.monotonic()
    return [...this.#targets.values()].flatMap((target): PolicyStatus[] => {
      if (target === undefined) return []
      const { timeout, retry } = target.parts
      const circuitBreakers = [...target.policies.values()].flatMap(({ breaker }) =>
        breaker === undefined ? [] : [{ name: breaker.name, state: breaker.state(now) }],
      )
      const { name, activations } = target
      return [{ target: name, timeout: timeout?.name, retry: retry?.name, circuitBreakers, activations }]
    })
  }

  /** How every target that was called so far and has a policy was used. */
  uses(): readonly TargetUse[] {
    const now = this.#tools.clock.monotonic()
    return [...this.#targets.values()].flatMap((target): TargetUse[] => {
      if (target === undefined) return []
      const { label, direction, parts, uses, activations, policies } = target
      const breakers = [...policies.values()].flatMap(({ breaker }) => breaker ?? [])
      return [
        {
          ...uses,
          label,
          direction,
          activations,
          timeout: parts.timeout !== undefined,
          retry: parts.retry !== undefined,
          hasBreaker: parts.breaker !== undefined,
          states: breakers.map((breaker) => breaker.state(now)),
        },
      ]
    })
  }

  #remember(
    key: string,
    label: string,
    parts: Parts,
    maxPolicies: number,
    direction: Target['direction'] = 'outbound',
    name = key,
  ): Target | undefined {
    const none = parts.timeout === undefined && parts.retry === undefined && parts.breaker === undefined
    const activations = { timeouts: 0, retries: 0, refusals: 0 }
    const hidesEndpoints = url.test(name)
    const known = { name, label, hidesEndpoints, direction, parts, activations, maxPolicies }
    const target = none ? undefined : { ...known, policies: new Map(), uses: noUses() }
    if (this.#targets.size < mostTargets) this.#targets.set(key, target)
    return target
  }

  #policy(target: Target, endpoint: string): Policy {
    const { name, hidesEndpoints, parts, activations, uses, policies, maxPolicies } = target
    const key = parts.breaker === undefined ? anyEndpoint : endpoint
    let policy = policies.get(key)
    if (policy !== undefined && policies.size === 1) return policy
    if (policy === undefined) {
      const breaker =
        parts.breaker === undefined
          ? undefined
          : new Breaker(
              key === anyEndpoint || hidesEndpoints ? name : `${name} ${key}`,
              parts.breaker,
              this.#tools.clock.monotonic(),
            )
      policy = new Policy({ target: name, ...parts, breaker }, this.#tools, activations, uses)
      if (policies.size >= maxPolicies) policies.delete(policies.keys().next().value!)
    } else policies.delete(key)
    policies.set(key, policy)
    return policy
  }

  #parts({ timeout, retry, circuitBreaker }: TargetPolicies): Parts {
    const { timeouts, retries, circuitBreakers } = this.#model
    return {
      timeout: timeout === undefined ? undefined : limited(timeouts.get(timeout)),
      retry: retry === undefined ? undefined : (retries.get(retry) ?? builtIn[retry as BuiltIn]),
      breaker: circuitBreaker === undefined ? undefined : circuitBreakers.get(circuitBreaker),
    }
  }

  /** By name: `DefaultAppRetryPolicy`, `DefaultRetryPolicy`, the most particular one first. */
  #defaults(levels: readonly string[]): Parts {
    const first = <T>(policies: ReadonlyMap<string, T>, kind: string): T | undefined => {
      for (const level of [...levels, '']) {
        const policy = policies.get(`Default${level}${kind}Policy`)
        if (policy !== undefined) return policy
      }
      return undefined
    }
    const { timeouts, retries, circuitBreakers } = this.#model
    return {
      timeout: limited(first(timeouts, 'Timeout')),
      retry: first(retries, 'Retry'),
      breaker: first(circuitBreakers, 'CircuitBreaker'),
    }
  }
}

const url = /^app https?:\/\//

/** A URL that is called may hold a password, and a token in its query. */
function shownApp(appId: string): string {
  if (!url.test(`app ${appId}`)) return appId
  const { origin, pathname } = URL.canParse(appId) ? new URL(appId) : { origin: 'https://', pathname: '' }
  return origin + pathname.replace(/\/$/, '')
}

/** A timeout of nothing is none, and stands before those of broader defaults. */
function limited(timeout: TimeoutPolicy | undefined): TimeoutPolicy | undefined {
  return timeout === undefined || timeout.ms === 0 ? undefined : timeout
}
