import type {
  GetConfigurationRequest,
  SubscribeConfigurationRequest,
  UnsubscribeConfigurationRequest,
} from '@outrigger/proto/runtime'
import type { ConfigurationChanges, ConfigurationItem } from '@outrigger/spec'
import type { ServerCall } from '@outrigger/wire/grpc'
import { optionsOf, type DaprHandlers } from '../grpc-call.ts'
import type { ConfigurationHandler } from './handler.ts'

type Method = 'getConfiguration' | 'subscribeConfiguration' | 'unsubscribeConfiguration'
interface Items {
  [key: string]: { value: string; version: string; metadata: { [name: string]: string } }
}

/** The configuration methods of the gRPC API, stable and alpha. */
export function configurationMethods(
  handler: ConfigurationHandler,
): Required<Pick<DaprHandlers, Method | `${Method}Alpha1`>> {
  const get = async ({ storeName, keys, metadata }: GetConfigurationRequest, call: ServerCall) => ({
    items: itemsOf(await handler.get(storeName, keys, metadata, optionsOf(call))),
  })
  const subscribe = (request: SubscribeConfigurationRequest, call: ServerCall) =>
    watch(handler, request, call)
  const unsubscribe = ({ storeName, id }: UnsubscribeConfigurationRequest) => {
    try {
      handler.unsubscribe(storeName, id)
      return { ok: true, message: '' }
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) }
    }
  }
  return {
    getConfiguration: get,
    getConfigurationAlpha1: get,
    subscribeConfiguration: subscribe,
    subscribeConfigurationAlpha1: subscribe,
    unsubscribeConfiguration: unsubscribe,
    unsubscribeConfigurationAlpha1: unsubscribe,
  }
}

/** First the id alone, then every change, until the caller goes, unsubscribes, or the store ends. */
async function* watch(
  handler: ConfigurationHandler,
  { storeName, keys, metadata }: SubscribeConfigurationRequest,
  call: ServerCall,
): AsyncGenerator<{ id: string; items: Items }> {
  const { signal } = call
  /** Changes that wait to be sent, with what tells the store that they were. */
  const waiting: { readonly changes: ConfigurationChanges; readonly sent: () => void }[] = []
  let wake: (() => void) | undefined
  const listener = (_id: string, changes: ConfigurationChanges): Promise<void> =>
    new Promise((sent) => {
      waiting.push({ changes, sent })
      wake?.()
    })
  const { id, ended } = await handler.subscribe(storeName, keys, metadata, listener, optionsOf(call))
  let over = false
  const end = (): void => {
    over = true
    wake?.()
  }
  void ended.then(end)
  signal.addEventListener('abort', end, { once: true })
  try {
    yield { id, items: {} }
    while (!over || waiting.length > 0) {
      const next = waiting.shift()
      if (next === undefined) {
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      if (!signal.aborted) yield { id, items: itemsOf(next.changes) }
      next.sent()
    }
  } finally {
    signal.removeEventListener('abort', end)
    for (const { sent } of waiting) sent()
    unsubscribeQuietly(handler, storeName, id)
  }
}

function unsubscribeQuietly(handler: ConfigurationHandler, storeName: string, id: string): void {
  try {
    handler.unsubscribe(storeName, id)
  } catch {
    // Somebody else did, or the store has gone: it is over either way.
  }
}

/** A key that is gone has an empty value and no version. */
function itemsOf(items: Readonly<Record<string, ConfigurationItem | undefined>>): Items {
  return Object.fromEntries(
    Object.entries(items).map(([key, item]) => [
      key,
      { value: item?.value ?? '', version: item?.version ?? '', metadata: { ...item?.metadata } },
    ]),
  )
}
