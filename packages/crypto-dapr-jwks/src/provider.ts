import { createLocalProvider } from '@outrigger/common-crypto'
import { throwIfAborted } from '@outrigger/kit'
import { ComponentError, isComponentError, type ComponentContext, type CryptoProvider } from '@outrigger/spec'
import { readKeySet } from './key-set.ts'
import type { JwksMetadata } from './metadata.ts'
import { sourceOf } from './source.ts'

/** How long after a failure the set is asked for again. */
const retryMs = 30_000

/** Reads the set, and again when it is asked for a key and may have changed. */
export async function createProvider(context: ComponentContext<JwksMetadata>): Promise<CryptoProvider> {
  const { metadata, clock, logger, initSignal } = context
  throwIfAborted(initSignal)
  const source = await sourceOf(metadata, context)
  const closing = new AbortController()
  let keys = readKeySet((await source.read(initSignal))!, logger)
  let dueAt = clock.monotonic() + (source.refreshMs ?? Infinity)
  let problem: string | undefined
  let refreshing: Promise<void> | undefined

  /** What cannot be read leaves the former keys in use: it may be in the middle of being written, or out of reach for now. */
  async function refresh(refreshMs: number): Promise<void> {
    try {
      const text = await source.read(closing.signal)
      if (text !== undefined) keys = readKeySet(text, logger)
      problem = undefined
      dueAt = clock.monotonic() + refreshMs
    } catch (error) {
      dueAt = clock.monotonic() + Math.min(refreshMs, retryMs)
      const text = isComponentError(error) ? error.message : String(error)
      if (text !== problem && !closing.signal.aborted)
        logger.warn('the JSON Web Key Set cannot be read again; the former keys stay', { problem: text })
      problem = text
    }
  }

  async function current(): Promise<void> {
    const { refreshMs } = source
    if (refreshMs === undefined || clock.monotonic() < dueAt) return
    refreshing ??= refresh(refreshMs).finally(() => (refreshing = undefined))
    await refreshing
  }

  return createLocalProvider({
    async key(name) {
      await current()
      const key = keys.get(name)
      if (key !== undefined) return key
      throw new ComponentError(
        'NOT_FOUND',
        `there is no key ${JSON.stringify(name.slice(0, 200))} in the set`,
      )
    },
    async ping() {
      await current()
      if (problem !== undefined) throw new ComponentError('UNAVAILABLE', problem)
    },
    close() {
      closing.abort()
      keys = new Map()
      return Promise.resolve()
    },
  })
}
