import { errorText, type Clock, type Logger, type Random } from '@outrigger/host'
import { longestSleepMs, renewalTime, retryDelay } from './renewal.ts'
import { IdentityRefused, type Identity } from './sentry-client.ts'
import { sleep } from './trust-anchors.ts'

/** What happens to the identity of a process, for its metrics. */
export type SecurityEvent =
  | { readonly kind: 'initialised' }
  | { readonly kind: 'renewed' }
  | { readonly kind: 'failed'; readonly reason: 'refused' | 'unavailable' }

export interface IdentitySourceOptions {
  /** Gets a new one. */
  readonly request: (signal: AbortSignal) => Promise<Identity>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onEvent?: ((event: SecurityEvent) => void) | undefined
}

/** Gets an identity, and keeps it fresh until it is closed. */
export class IdentitySource {
  private readonly options: IdentitySourceOptions
  private readonly end = new AbortController()
  private readonly listeners = new Set<() => void>()
  private identity: Identity | undefined
  private trouble: string | undefined
  private expired = false

  constructor(options: IdentitySourceOptions) {
    this.options = options
  }

  /** @throws Error before the first one has come */
  get current(): Identity {
    if (this.identity === undefined) throw new Error('there is no identity yet')
    return this.identity
  }

  /** Why the last renewal failed; `undefined` while all is well. */
  get problem(): string | undefined {
    return this.trouble
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.end.abort(new Error('the identity is no longer needed'))
    this.listeners.clear()
  }

  /**
   * Asks until sentry answers, and goes on renewing in the background.
   * @throws IdentityRefused when sentry says no, or the reason of the signal
   */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const { clock, random, logger, onEvent } = this.options
    const both = signal === undefined ? this.end.signal : AbortSignal.any([signal, this.end.signal])
    for (let failures = 1; ; failures++) {
      both.throwIfAborted()
      try {
        this.identity = await this.options.request(both)
        break
      } catch (error) {
        both.throwIfAborted()
        onEvent?.({ kind: 'failed', reason: reasonOf(error) })
        if (error instanceof IdentityRefused) throw error
        const wait = retryDelay(failures, random.next())
        logger.warn(
          `There is no identity yet, and nothing is served before there is; next attempt in ${seconds(wait)}: ${errorText(error)}`,
        )
        await sleep(clock, wait, both)
      }
    }
    onEvent?.({ kind: 'initialised' })
    const { id, expiresAt } = this.identity
    logger.info(`The identity is ${id.uri}, valid until ${date(expiresAt)}`)
    void this.keep().catch(() => {})
  }

  /** Renews until the source is closed: then it rejects. */
  private async keep(): Promise<never> {
    const { signal } = this.end
    const { clock, random, logger, onEvent } = this.options
    for (;;) {
      await this.until(this.nextRenewal())
      for (let failures = 1; ; failures++) {
        try {
          this.identity = await this.options.request(signal)
          break
        } catch (error) {
          signal.throwIfAborted()
          this.trouble = errorText(error)
          onEvent?.({ kind: 'failed', reason: reasonOf(error) })
          const wait = retryDelay(failures, random.next())
          this.complain(wait)
          await this.until(clock.now() + wait)
        }
      }
      signal.throwIfAborted()
      this.trouble = undefined
      this.expired = false
      onEvent?.({ kind: 'renewed' })
      logger.info(`The identity was renewed, it is valid until ${date(this.current.expiresAt)}`)
      for (const listener of [...this.listeners]) listener()
    }
  }

  private nextRenewal(): number {
    const { clock, random } = this.options
    const { notBefore, expiresAt, jwtsExpireAt } = this.current
    const now = clock.now()
    const chance = random.next()
    const at = renewalTime(now, notBefore, expiresAt, chance)
    return jwtsExpireAt === undefined ? at : Math.min(at, renewalTime(now, now, jwtsExpireAt, chance))
  }

  private complain(waitMs: number): void {
    const { clock, logger } = this.options
    const { expiresAt } = this.current
    const next = `next attempt in ${seconds(waitMs)}: ${this.trouble}`
    if (clock.now() < expiresAt) {
      logger.warn(`The identity could not be renewed; it is valid until ${date(expiresAt)}; ${next}`)
    } else {
      const first = this.expired ? '' : ' From now on no peer accepts this process.'
      this.expired = true
      logger.error(`The identity has expired at ${date(expiresAt)}.${first} Sentry must answer; ${next}`)
    }
  }

  /** Sleeps in pieces, and looks at the clock. */
  private async until(time: number): Promise<void> {
    const { clock } = this.options
    for (let left = time - clock.now(); left > 0; left = time - clock.now()) {
      await sleep(clock, Math.min(left, longestSleepMs), this.end.signal)
    }
  }
}

function reasonOf(error: unknown): 'refused' | 'unavailable' {
  return error instanceof IdentityRefused ? 'refused' : 'unavailable'
}

function date(ms: number): string {
  return new Date(ms).toISOString()
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 100) / 10} s`
}
