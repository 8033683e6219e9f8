import { readItems, type ConfigurationItems } from '../updates.ts'
import { isRecord, textOf } from '../values.ts'
import { noContent, text, type AppAnswer, type AppRequest } from './request.ts'
import type { Routes } from './routes.ts'
import type { AppLogger } from './subscriptions.ts'

/** Takes changes of a store; a key that is gone has an empty value and no version. What it throws is logged. */
export type ConfigurationHandler = (changes: ConfigurationItems, id: string) => void | Promise<void>

const prefix = '/configuration/'

/** Changes of configuration, which the sidecar posts to `/configuration/STORE/KEY`. */
export class ConfigurationChanges {
  readonly #logger: AppLogger
  readonly #handlers = new Map<string, Set<ConfigurationHandler>>()

  constructor(routes: Routes, logger: AppLogger) {
    this.#logger = logger
    routes.add({ method: 'POST', path: prefix, below: true, run: (request) => this.#take(request) })
  }

  /** Returns what ends it. */
  add(store: string, handler: ConfigurationHandler): () => void {
    const handlers = this.#handlers.get(store) ?? new Set()
    this.#handlers.set(store, handlers.add(handler))
    return () => {
      handlers.delete(handler)
      if (handlers.size === 0) this.#handlers.delete(store)
    }
  }

  async #take({ path, body }: AppRequest): Promise<AppAnswer> {
    const slash = path.indexOf('/', prefix.length)
    const store = slash === -1 ? undefined : unescaped(path.slice(prefix.length, slash))
    const key = unescaped(path.slice(slash + 1))
    const document = parse(body)
    const id = document?.['id']
    const items = document?.['items']
    if (store === undefined || key === undefined || typeof id !== 'string' || !isRecord(items))
      return text(400, 'an object with "id" and "items" is expected')
    const all = readItems(items)
    // A change of several keys comes once for each, with all of them.
    const changes = Object.hasOwn(all, key) ? Object.fromEntries([[key, all[key]!]]) : all
    for (const handler of this.#handlers.get(store) ?? []) {
      try {
        await handler(changes, id)
      } catch (error) {
        this.#logger.error('a handler of configuration changes failed', { store, key, error })
      }
    }
    return noContent
  }
}

function unescaped(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(textOf(body))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
