import type { Clock, Logger, Random } from '@outrigger/spec'
import { sleep } from '../app/time.ts'
import { BreakerError, type Breaker, type BreakerState } from './breaker.ts'
import type { RetryPolicy, TimeoutPolicy } from './model.ts'
import { repeats, Waits, type Failure } from './retry.ts'

/** A try took longer than its timeout. */
export class PolicyTimeoutError extends Error {
  constructor(what: string, { name, ms }: TimeoutPolicy) {
    super(`${what} was not answered within ${ms} ms (timeout policy ${name}): context deadline exceeded`)
    this.name = 'PolicyTimeoutError'
  }
}

/** How a failure is to be taken. */
export interface Verdict extends Failure {
  /** The same call would fail again, or must not be made twice. */
  readonly final?: boolean
  /** The target works, and refused this call for what it is: no failure to its breaker. */
  readonly answered?: boolean
}

export interface RunOptions<T> {
  /** Of the caller. */
  readonly signal?: AbortSignal | undefined
  /** When it has aborted, no further try begins; one under way goes on. */
  readonly until?: AbortSignal | undefined
  /** Awaited before each try; its time is none of the try's. What it throws ends the call as an error of a try does. */
  readonly ready?: (() => Promise<void>) | undefined
  /** What an error says about repeating the call; without side effects. Default: it may be repeated. */
  readonly judge?: ((error: unknown) => Verdict) | undefined
  /** Gets rid of a result that came too late. */
  readonly discard?: ((result: T) => void) | undefined
  /**
   * Of a result that goes on, such as a stream: whether it ended well. The breaker waits for it, the caller does not,
   * and until then the signal of the try aborts with the caller's. `undefined`: the result is whole. Without this
   * function nobody knows, and the signals stay tied: callers that live long must have it.
   */
  readonly outcome?: ((result: T) => Promise<boolean> | undefined) | undefined
  /** `false`: the timeout does not count, as the call is one that may be without an answer for long. */
  readonly timed?: boolean
}

/** One try of a call: `signal` aborts with the caller's and at the timeout. Numbers from 1. */
export type Attempt<T> = (signal: AbortSignal | undefined, number: number) => Promise<T>

export interface PolicyTools {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface PolicyParts {
  /** For messages: `app orders`. */
  readonly target: string
  readonly timeout: TimeoutPolicy | undefined
  readonly retry: RetryPolicy | undefined
  readonly breaker: Breaker | undefined
}

/** Uses of a policy since the start. */
export interface Activations {
  timeouts: number
  retries: number
  refusals: number
}

/** Besides, for metrics: calls, and how often breakers came into a state. */
export interface Uses {
  executions: number
  readonly changes: Record<BreakerState, number>
}

/** Those of a target that nobody has called. */
export function noUses(): Uses {
  return { executions: 0, changes: { closed: 0, 'half-open': 0, open: 0 } }
}

const mayRepeat = (): Verdict => ({})

/** What applies to the calls of one target: each try has the timeout, the breaker sees each try. */
export class Policy {
  readonly target: string
  readonly timeout: TimeoutPolicy | undefined
  readonly retry: RetryPolicy | undefined
  readonly breaker: Breaker | undefined
  readonly activations: Activations
  readonly uses: Uses
  readonly #tools: PolicyTools

  constructor(
    { target, timeout, retry, breaker }: PolicyParts,
    tools: PolicyTools,
    activations: Activations = { timeouts: 0, retries: 0, refusals: 0 },
    uses: Uses = noUses(),
  ) {
    this.target = target
    this.timeout = timeout
    this.retry = retry
    this.breaker = breaker
    this.activations = activations
    this.uses = uses
    this.#tools = tools
  }

  /** Whether a call can be made more than once, so that its request must be kept. */
  get repeats(): boolean {
    return this.retry !== undefined && this.retry.maxRetries > 0
  }

  /** Makes a call, as often as the policy says. The last error is the one that is thrown. */
  async run<T>(attempt: Attempt<T>, options: RunOptions<T> = {}): Promise<T> {
    const { clock, random, logger } = this.#tools
    const { retry } = this
    this.uses.executions++
    if (retry === undefined) return this.#once(attempt, 1, options)
    const { signal, until, judge = mayRepeat } = options
    const startMs = clock.monotonic()
    let waits: Waits | undefined
    for (let number = 1; ; number++) {
      try {
        const result = await this.#once(attempt, number, options)
        if (number > 1) logger.info(`${this.target} answered again`, { attempts: number })
        return result
      } catch (error) {
        if (signal?.aborted === true || until?.aborted === true || error instanceof BreakerError) throw error
        const verdict = judge(error)
        if (verdict.final === true || !repeats(retry, verdict)) throw error
        waits ??= new Waits(retry, random, startMs)
        const waitMs = waits.next(clock.monotonic())
        if (waitMs === undefined) throw error
        this.activations.retries++
        if (number === 1) {
          logger.warn(`${this.target} failed and is tried again by retry policy ${retry.name}`, {
            waitMs: Math.round(waitMs),
          })
        }
        logger.debug(`try ${number} of ${this.target} failed`, { error })
        if (!(await sleep(clock, waitMs, either(signal, until)))) throw error
      }
    }
  }

  async #once<T>(attempt: Attempt<T>, number: number, options: RunOptions<T>): Promise<T> {
    const { breaker } = this
    const { signal, judge, ready } = options
    const timeout = options.timed === false ? undefined : this.timeout
    if (ready !== undefined) await ready()
    const generation = breaker === undefined ? 0 : this.#enter(breaker)
    const tie = timeout === undefined ? undefined : new Tie(signal)
    const left = (succeeded: boolean): void => {
      if (breaker !== undefined) this.#leave(breaker, generation, succeeded, signal)
    }
    const done = (succeeded: boolean): void => {
      tie?.untie()
      left(succeeded)
    }
    let result: T
    let outcome: Promise<boolean> | undefined
    try {
      result = await (tie === undefined
        ? attempt(signal, number)
        : this.#timed(attempt, number, tie, timeout!, options.discard))
      outcome = options.outcome?.(result)
    } catch (error) {
      done(judge?.(error).answered === true)
      throw error
    }
    if (outcome !== undefined) outcome.then(done, () => done(false))
    else if (options.outcome !== undefined) done(true)
    else left(true)
    return result
  }

  #enter(breaker: Breaker): number {
    const before = breaker.lastState
    try {
      return breaker.enter(this.#tools.clock.monotonic())
    } catch (error) {
      this.activations.refusals++
      throw error
    } finally {
      this.#tell(breaker, before)
    }
  }

  #leave(breaker: Breaker, generation: number, succeeded: boolean, signal: AbortSignal | undefined): void {
    const before = breaker.lastState
    const now = this.#tools.clock.monotonic()
    if (signal?.aborted === true && !succeeded) breaker.forget(generation, now)
    else breaker.leave(generation, succeeded, now)
    this.#tell(breaker, before)
  }

  #tell({ name, lastState }: Breaker, before: BreakerState): void {
    if (lastState === before) return
    this.uses.changes[lastState]++
    const text = `circuit breaker ${name} went from ${before} to ${lastState}`
    if (lastState === 'open') this.#tools.logger.warn(text)
    else this.#tools.logger.info(text)
  }

  #timed<T>(
    attempt: Attempt<T>,
    number: number,
    tie: Tie,
    timeout: TimeoutPolicy,
    discard: RunOptions<T>['discard'],
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let late = false
      const timer = this.#tools.clock.schedule(timeout.ms, () => {
        late = true
        this.activations.timeouts++
        const error = new PolicyTimeoutError(this.target, timeout)
        reject(error)
        tie.abort(error)
      })
      const failed = (error: unknown): void => {
        timer.cancel()
        reject(error)
      }
      try {
        attempt(tie.signal, number).then((result) => {
          timer.cancel()
          if (late) discard?.(result)
          else resolve(result)
        }, failed)
      } catch (error) {
        failed(error)
      }
    })
  }
}

/** What results are that do not go on. */
export const whole = (): undefined => undefined

/** The signal of one try: aborts with the caller's, until it is untied, as callers may live long. */
class Tie {
  readonly #controller = new AbortController()
  readonly #parent: AbortSignal | undefined
  readonly #follow = (): void => this.#controller.abort(this.#parent?.reason)

  constructor(parent: AbortSignal | undefined) {
    this.#parent = parent
    if (parent?.aborted === true) this.#follow()
    else parent?.addEventListener('abort', this.#follow, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }

  untie(): void {
    this.#parent?.removeEventListener('abort', this.#follow)
  }
}

function either(first: AbortSignal | undefined, second: AbortSignal | undefined): AbortSignal | undefined {
  return first === undefined || second === undefined ? (first ?? second) : AbortSignal.any([first, second])
}
