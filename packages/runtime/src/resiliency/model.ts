import type { Counts } from './breaker.ts'

/** Status codes from `first` to `last`, both included. */
export interface CodeRange {
  readonly first: number
  readonly last: number
}

/** How often, and after which waits, something that failed is tried again. */
export interface RetryPolicy {
  readonly name: string
  readonly kind: 'constant' | 'exponential'
  /** The wait, or the first of the growing ones. */
  readonly waitMs: number
  /** No wait is longer. */
  readonly maxWaitMs: number
  /** No try begins later than this after the first one; `Infinity`: no limit. */
  readonly maxElapsedMs: number
  /** Repetitions after the first try; `Infinity`: until it succeeds. */
  readonly maxRetries: number
  /** Statuses that are worth a repetition; `undefined`: all that stand for a failure. */
  readonly httpCodes: readonly CodeRange[] | undefined
  readonly grpcCodes: readonly CodeRange[] | undefined
}

/** From which every target gets a breaker of its own. */
export interface BreakerPolicy {
  readonly name: string
  /** Calls that may try while it is half-open, and successes in a row that close it. */
  readonly maxRequests: number
  /** After which the counts of the closed state begin anew; 0: never. */
  readonly intervalMs: number
  /** How long it stays open. */
  readonly timeoutMs: number
  readonly trips: (counts: Counts) => boolean
}

export interface TimeoutPolicy {
  readonly name: string
  readonly ms: number
}

/** Names of policies; an absent one means none. */
export interface TargetPolicies {
  readonly timeout: string | undefined
  readonly retry: string | undefined
  readonly circuitBreaker: string | undefined
  /** Breakers that are kept for one target at most, the latest used. */
  readonly circuitBreakerCacheSize: number
}

export interface ActorTarget extends TargetPolicies {
  readonly circuitBreakerScope: 'type' | 'id' | 'both'
}

/** What all Resiliency resources say together; a name that is there twice counts as the later one says. */
export interface ResiliencyModel {
  /** Names of the resources. */
  readonly names: readonly string[]
  readonly timeouts: ReadonlyMap<string, TimeoutPolicy>
  readonly retries: ReadonlyMap<string, RetryPolicy>
  readonly circuitBreakers: ReadonlyMap<string, BreakerPolicy>
  readonly apps: ReadonlyMap<string, TargetPolicies>
  readonly actors: ReadonlyMap<string, ActorTarget>
  readonly components: ReadonlyMap<
    string,
    { readonly inbound: TargetPolicies; readonly outbound: TargetPolicies }
  >
}

/** The targets that a component can be by default policies: `DefaultStatestoreComponentOutboundRetryPolicy`. */
export type ComponentTarget =
  | 'Binding'
  | 'Configuration'
  | 'Lock'
  | 'Pubsub'
  | 'Crypto'
  | 'Conversation'
  | 'Secretstore'
  | 'Statestore'

export type Direction = 'Inbound' | 'Outbound'

/** Policies of the runtime itself. All but the last may be overridden by a retry policy of that name. */
export type BuiltIn =
  | 'DaprBuiltInServiceRetries'
  | 'DaprBuiltInActorRetries'
  | 'DaprBuiltInActorReminderRetries'
  | 'DaprBuiltInInitializationRetries'
  | 'DaprBuiltInActorNotFoundRetries'
