import type { Token, TokenClient } from '@outrigger/common-oauth2'
import type { Clock } from '@outrigger/spec'

/** A token that does not say when it ends is kept so long. */
const unknownLifeMs = 60_000
/** So long before its end it is replaced: it has to live until the request arrives. */
const marginMs = 10_000
/** A token that is refused elsewhere is given up, but no more often than so. */
const shortestLifeMs = 30_000

interface Cached {
  readonly header: string
  readonly since: number
  readonly until: number
}

/** Holds one token and gets the next one when it is needed: once, however many wait for it. */
export class TokenCache {
  readonly #client: TokenClient
  readonly #grant: readonly (readonly [string, string])[]
  readonly #clock: Clock
  readonly #closing = new AbortController()
  #cached: Cached | undefined
  #asking: Promise<Cached> | undefined

  constructor(client: TokenClient, grant: readonly (readonly [string, string])[], clock: Clock) {
    this.#client = client
    this.#grant = grant
    this.#clock = clock
  }

  /** The value of the header. Rejects as the token client does. */
  async header(): Promise<string> {
    const cached = this.#cached
    if (cached !== undefined && this.#clock.monotonic() < cached.until) return cached.header
    // The signal of a request must not end what others wait for.
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    return (await this.#asking).header
  }

  /** Somebody did not accept it. */
  refused(header: string): void {
    const cached = this.#cached
    if (cached?.header !== header || this.#clock.monotonic() < cached.since + shortestLifeMs) return
    this.#cached = undefined
  }

  close(): void {
    this.#closing.abort()
  }

  async #ask(): Promise<Cached> {
    const token = await this.#client.request(this.#grant, this.#closing.signal)
    const now = this.#clock.monotonic()
    this.#cached = { header: `${token.type} ${token.accessToken}`, since: now, until: now + lifeOf(token) }
    return this.#cached
  }
}

function lifeOf({ expiresInMs }: Token): number {
  if (expiresInMs === undefined) return unknownLifeMs
  return Math.max(expiresInMs / 2, expiresInMs - marginMs)
}
