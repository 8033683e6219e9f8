import type { Clock, Logger, Random } from '@outrigger/spec'
import { sleep } from '../app/time.ts'
import { BreakerError, type Breaker } from './breaker.ts'
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
}

export interface RunOptions<T> {
  /** Of the caller. */
  readonly signal?: AbortSignal | undefined
  /** What an error says about repeating the call. Default: it may be repeated. */
  readonly judge?: ((error: unknown) => Verdict) | undefined
  /** Gets rid of a result that came too late. */
  readonly discard?: ((result: T) => void) | undefined
  /** Of a result that goes on, such as a stream: whether it ended well. The breaker waits for it, the caller does not. */
  readonly outcome?: ((result: T) => Promise<boolean> | undefined) | undefined
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

const mayRepeat = (): Verdict => ({})

/** What applies to the calls of one target: each try has the timeout, the breaker sees each try. */
export class Policy {
  readonly target: string
  readonly timeout: TimeoutPolicy | undefined
  readonly retry: RetryPolicy | undefined
  readonly breaker: Breaker | undefined
  readonly activations: Activations
  readonly #tools: PolicyTools

  constructor(
    { target, timeout, retry, breaker }: PolicyParts,
    tools: PolicyTools,
    activations: Activations = { timeouts: 0, retries: 0, refusals: 0 },
  ) {
    this.target = target
    this.timeout = timeout
    this.retry = retry
    this.breaker = breaker
    this.activations = activations
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
    const { signal, judge = mayRepeat } = options
    let waits: Waits | undefined
    for (let number = 1; ; number++) {
      try {
        const result = await this.#guarded(attempt, number, options)
        if (number > 1) logger.info(`${this.target} answered again`, { attempts: number })
        return result
      } catch (error) {
        if (retry === undefined || signal?.aborted === true || error instanceof BreakerError) throw error
        const verdict = judge(error)
        if (verdict.final === true || !repeats(retry, verdict)) throw error
        waits ??= new Waits(retry, random, clock.monotonic())
        const waitMs = waits.next(clock.monotonic())
        if (waitMs === undefined) throw error
        this.activations.retries++
        if (number === 1) {
          logger.warn(`${this.target} failed and is tried again by retry policy ${retry.name}`, {
            waitMs: Math.round(waitMs),
          })
        }
        logger.debug(`try ${number} of ${this.target} failed`, { error })
        if (!(await sleep(clock, waitMs, signal))) throw error
      }
    }
  }

  async #guarded<T>(attempt: Attempt<T>, number: number, options: RunOptions<T>): Promise<T> {
    const { breaker } = this
    if (breaker === undefined) return this.#timed(attempt, number, options)
    const { clock, logger } = this.#tools
    let generation: number
    try {
      generation = breaker.enter(clock.monotonic())
    } catch (error) {
      this.activations.refusals++
      throw error
    }
    const before = breaker.state(clock.monotonic())
    const leave = (succeeded: boolean): void => {
      const now = clock.monotonic()
      if (options.signal?.aborted === true && !succeeded) breaker.forget(generation, now)
      else breaker.leave(generation, succeeded, now)
      const after = breaker.state(now)
      if (after !== before) logger.info(`circuit breaker ${breaker.name} went from ${before} to ${after}`)
    }
    try {
      const result = await this.#timed(attempt, number, options)
      const outcome = options.outcome?.(result)
      if (outcome === undefined) leave(true)
      else outcome.then(leave, () => leave(false))
      return result
    } catch (error) {
      leave(false)
      throw error
    }
  }

  #timed<T>(attempt: Attempt<T>, number: number, { signal, discard }: RunOptions<T>): Promise<T> {
    const { timeout } = this
    if (timeout === undefined) return attempt(signal, number)
    const controller = new AbortController()
    // What the try made may live on, and ends with its caller then: the signal stays tied to both.
    const either = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
    return new Promise<T>((resolve, reject) => {
      let late = false
      const timer = this.#tools.clock.schedule(timeout.ms, () => {
        late = true
        this.activations.timeouts++
        const error = new PolicyTimeoutError(this.target, timeout)
        controller.abort(error)
        reject(error)
      })
      attempt(either, number).then(
        (result) => {
          timer.cancel()
          if (late) discard?.(result)
          else resolve(result)
        },
        (error: unknown) => {
          timer.cancel()
          reject(error)
        },
      )
    })
  }
}
