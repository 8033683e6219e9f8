import type { CallOptions } from '../call.ts'
import { clientError, isOutriggerError } from '../error.ts'
import type { ConfigurationPort } from '../sections/configuration.ts'
import { ConfigurationSubscription, readItems, type ConfigurationItems } from '../updates.ts'
import { isRecord } from '../values.ts'
import type { HttpCaller } from './caller.ts'
import { segment, withQuery } from './path.ts'

/** Where changes of configuration arrive when they come as requests: the app of `@outrigger/client/app` is one. */
export interface ConfigurationUpdates {
  /** Has changes of a store told, with the id of the subscription that they belong to. Returns what ends that. */
  onConfiguration(store: string, listener: (id: string, changes: ConfigurationItems) => void): () => void
}

/** Changes that come before it is known whose they are. */
const mostEarly = 1000

export function httpConfiguration(
  caller: HttpCaller,
  updates: ConfigurationUpdates | undefined,
): ConfigurationPort {
  return {
    async get(store, keys, options) {
      const path = withKeys(`/v1.0/configuration/${segment(store)}`, keys, options)
      return readItems(await caller.json({ method: 'GET', path }, options))
    },
    async subscribe(store, keys, options) {
      if (updates === undefined) {
        throw clientError(
          'ERR_CLIENT_UNSUPPORTED',
          'over HTTP changes of configuration are sent to the application: give its app to createClient as `app`, or use the client of @outrigger/client/grpc',
        )
      }
      return subscribe(caller, updates, store, keys, options)
    },
  }
}

async function subscribe(
  caller: HttpCaller,
  updates: ConfigurationUpdates,
  store: string,
  keys: readonly string[],
  options: CallOptions,
): Promise<ConfigurationSubscription> {
  // The first change may be here before the answer that says the id.
  const early: [id: string, changes: ConfigurationItems][] = []
  let take = (id: string, changes: ConfigurationItems): void => {
    if (early.length < mostEarly) early.push([id, changes])
  }
  const forget = updates.onConfiguration(store, (id, changes) => take(id, changes))
  try {
    const path = withKeys(`/v1.0/configuration/${segment(store)}/subscribe`, keys, options)
    const answer = await caller.json({ method: 'GET', path }, options)
    const id = isRecord(answer) ? answer['id'] : undefined
    if (typeof id !== 'string' || id === '') {
      throw clientError('ERR_CLIENT_ANSWER', `the sidecar gave the subscription to ${store} no id`)
    }
    const subscription = new ConfigurationSubscription(id, async () => {
      forget()
      await unsubscribe(caller, store, id)
    })
    take = (whose, changes) => {
      if (whose === id) subscription.push(changes)
    }
    for (const [whose, changes] of early) take(whose, changes)
    return subscription
  } catch (error) {
    forget()
    throw error
  }
}

async function unsubscribe(caller: HttpCaller, store: string, id: string): Promise<void> {
  const path = `/v1.0/configuration/${segment(store)}/${segment(id)}/unsubscribe`
  try {
    await caller.call({ method: 'GET', path }, {})
  } catch (error) {
    // The answer to an id that is gone has no code.
    if (isOutriggerError(error) && error.status === 500) return
    throw error
  }
}

function withKeys(path: string, keys: readonly string[], { metadata }: CallOptions): string {
  const named = keys.map((key) => `key=${segment(key)}`).join('&')
  const query = withQuery('', metadata)
  if (named === '') return path + query
  return `${path}?${named}${query === '' ? '' : `&${query.slice(1)}`}`
}
