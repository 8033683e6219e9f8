import { fetchJson, shownUrl } from '@outrigger/common-oauth2'
import { ComponentError, type ComponentContext, type Logger } from '@outrigger/spec'
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

/** Keys are asked for again when they are older. */
const refreshAfterMs = 10 * 60_000
/** How soon a token with an unknown key may have them asked for again: anybody can send one. */
const unknownKeyPauseMs = 30_000
const mostKeys = 1000

/** The keys of an issuer, which are renewed as they age and when a key comes up that is not among them. */
export class KeySet {
  readonly #url: string
  readonly #context: Pick<ComponentContext<unknown>, 'clock'>
  readonly #logger: Logger
  readonly #closing = new AbortController()
  #keys: JWTVerifyGetKey | undefined
  #ids: ReadonlySet<string | undefined> = new Set()
  #askedAt = 0
  #asking: Promise<void> | undefined

  constructor(url: string, context: Pick<ComponentContext<unknown>, 'clock' | 'logger'>) {
    this.#url = url
    this.#context = context
    this.#logger = context.logger
  }

  /** The first keys. @throws ComponentError */
  async open(signal: AbortSignal): Promise<void> {
    await this.#fetch(signal)
  }

  readonly get: JWTVerifyGetKey = async (header, token) => {
    const age = this.#context.clock.monotonic() - this.#askedAt
    // Renewal goes on beside the request; only one whose key is not there waits for it.
    if (age >= refreshAfterMs) void this.#renew()
    if (header?.kid !== undefined && !this.#ids.has(header.kid)) {
      if (this.#asking === undefined && age >= unknownKeyPauseMs) void this.#renew()
      await this.#asking
    }
    return this.#keys!(header, token)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#asking
  }

  #renew(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    this.#asking ??= this.#fetch(this.#closing.signal)
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return
        this.#logger.warn('the keys of the issuer cannot be renewed; the former ones are used still', {
          error,
        })
      })
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context
    this.#askedAt = clock.monotonic()
    const { status, value } = await fetchJson(this.#url, { clock, signal })
    const keys = (value as { keys?: unknown } | undefined)?.keys
    if (status !== 200 || !Array.isArray(keys)) {
      throw new ComponentError(
        'UNAVAILABLE',
        `${shownUrl(this.#url)} has no set of keys: it answers with status ${status}`,
      )
    }
    if (keys.length > mostKeys)
      throw new ComponentError('UNAVAILABLE', `${shownUrl(this.#url)} has more than ${mostKeys} keys`)
    this.#keys = createLocalJWKSet(value as JSONWebKeySet)
    this.#ids = new Set((value as JSONWebKeySet).keys.map(({ kid }) => kid))
  }
}
