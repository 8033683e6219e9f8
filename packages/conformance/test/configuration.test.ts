import { fields, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  defineConfigurationStore,
  type ConfigurationCapability,
  type ConfigurationChange,
  type ConfigurationGetRequest,
  type ConfigurationItem,
  type ConfigurationItems,
  type ConfigurationStore,
  type ConfigurationSubscription,
  type OperationOptions,
} from '@outrigger/spec'
import { configurationSuite } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'

/** The store behind the component. */
const items = new Map<string, ConfigurationItem>()
const watchers = new Set<(key: string, item: ConfigurationItem | undefined) => void>()
let version = 0

function change(key: string, item: ConfigurationItem | undefined): void {
  if (item === undefined) items.delete(key)
  else items.set(key, item)
  for (const watcher of watchers) watcher(key, item)
}

class ReferenceConfiguration implements ConfigurationStore {
  capabilities = new Set<ConfigurationCapability>(['subscribe'])
  closers = new Set<() => Promise<void>>()
  closed = false

  check = (options: OperationOptions): void => {
    throwIfAborted(options.signal)
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
  }

  wants = (keys: readonly string[], key: string): boolean => keys.length === 0 || keys.includes(key)

  get = async ({ keys }: ConfigurationGetRequest, options: OperationOptions): Promise<ConfigurationItems> => {
    this.check(options)
    return Object.fromEntries([...items].filter(([key]) => this.wants(keys, key)))
  }

  subscribe = async (
    { keys }: ConfigurationGetRequest,
    onChange: ConfigurationChange,
    options: OperationOptions,
  ): Promise<ConfigurationSubscription> => {
    this.check(options)
    const { promise: ended, resolve: end } = Promise.withResolvers<undefined>()
    let telling: Promise<void> = Promise.resolve()
    const watcher = (key: string, item: ConfigurationItem | undefined): void => {
      if (!this.wants(keys, key)) return
      telling = telling.then(() => onChange({ [key]: item }))
    }
    watchers.add(watcher)
    const close = async (): Promise<void> => {
      watchers.delete(watcher)
      end(undefined)
    }
    this.closers.add(close)
    return { close, ended }
  }

  close = async (): Promise<void> => {
    this.closed = true
    for (const close of this.closers) await close()
  }
}

const mutants: readonly Mutant<ReferenceConfiguration>[] = [
  {
    title: 'gives every key whatever is asked for',
    break: (store) => {
      store.wants = () => true
    },
    caughtBy: [
      'items are given by their keys, and those that do not exist are left out',
      'a subscription tells of changes to its keys and of no others',
    ],
  },
  {
    title: 'takes no keys for none',
    break: (store) => {
      store.wants = (keys, key) => keys.includes(key)
    },
    caughtBy: ['without keys every item is given', 'a subscription without keys tells of every change'],
  },
  {
    title: 'gives absent keys empty values',
    break: (store) => {
      store.get = async ({ keys }) =>
        Object.fromEntries(keys.map((key) => [key, items.get(key) ?? { value: '' }]))
    },
    caughtBy: [
      'items are given by their keys, and those that do not exist are left out',
      'names of built-in properties are keys like others',
      'a deleted item is left out',
    ],
  },
  {
    title: 'keeps what it once read',
    break: (store) => {
      const { get } = store
      const cache = new Map<string, ConfigurationItem>()
      store.get = async (request, options) => {
        const found = await get(request, options)
        for (const [key, item] of Object.entries(found)) if (!cache.has(key)) cache.set(key, item)
        return Object.fromEntries(Object.keys(found).map((key) => [key, cache.get(key)!]))
      }
    },
    caughtBy: ['a changed item has its new value, and another version where there are versions'],
  },
  {
    title: 'tells an empty value of a deleted item',
    break: (store) => {
      const { subscribe } = store
      store.subscribe = (request, onChange, options) =>
        subscribe(
          request,
          (news) =>
            onChange(
              Object.fromEntries(Object.entries(news).map(([key, item]) => [key, item ?? { value: '' }])),
            ),
          options,
        )
    },
    caughtBy: ['a deleted item is told as undefined'],
  },
  {
    title: 'tells items without their versions',
    break: (store) => {
      const { subscribe } = store
      store.subscribe = (request, onChange, options) =>
        subscribe(
          request,
          (news) =>
            onChange(
              Object.fromEntries(
                Object.entries(news).map(([key, item]) => [key, item && { value: item.value }]),
              ),
            ),
          options,
        )
    },
    caughtBy: ['what is told is what a read gives'],
  },
  {
    title: 'tells everything at once',
    break: (store) => {
      const { subscribe } = store
      store.subscribe = (request, onChange, options) =>
        subscribe(
          request,
          (news) => {
            void onChange(news)
            return Promise.resolve()
          },
          options,
        )
    },
    caughtBy: ['more is told only when what was told is through, and the last value is told'],
  },
  {
    title: 'drops what changes while it tells',
    break: (store) => {
      const { subscribe } = store
      store.subscribe = (request, onChange, options) => {
        let busy = false
        const some = async (news: Parameters<typeof onChange>[0]): Promise<void> => {
          if (busy) return
          busy = true
          void onChange(news).then(() => (busy = false))
        }
        return subscribe(request, some, options)
      }
    },
    caughtBy: ['more is told only when what was told is through, and the last value is told'],
  },
  {
    title: 'goes on telling after close',
    break: (store) => {
      const { subscribe } = store
      store.subscribe = async (...parameters) => {
        await subscribe(...parameters)
        return { close: async () => {}, ended: Promise.resolve(undefined) }
      }
    },
    caughtBy: ['after its close a subscription is silent, others go on, and ended tells of no error'],
  },
  {
    title: 'leaves subscriptions open when it closes',
    break: (store) => {
      store.close = async () => {
        store.closed = true
      }
    },
    caughtBy: ['closing the instance ends its subscriptions'],
  },
  {
    title: 'cannot subscribe though it declares it',
    break: (store) => {
      ;(store as { subscribe?: unknown }).subscribe = undefined
    },
    caughtBy: ['optional methods exist exactly where their capability is declared'],
  },
  {
    title: 'ignores signals and works on after close',
    break: (store) => {
      store.check = () => {}
    },
    caughtBy: [
      'a signal that was aborted cancels every operation',
      'after close every operation is refused as CLOSED',
    ],
  },
]

proveSuite(
  configurationSuite,
  (mutate) =>
    defineConfigurationStore({
      type: 'configuration.reference',
      title: 'Reference',
      versions: {
        v1: {
          metadata: fields({}),
          capabilities: ['subscribe'],
          create: () => {
            const store = new ReferenceConfiguration()
            mutate?.(store)
            return Promise.resolve(store)
          },
        },
      },
    }),
  {
    properties: () => ({}),
    write: (key, value) => change(key, { value, version: `${++version}` }),
    remove: (key) => change(key, undefined),
  },
  mutants as unknown as readonly Mutant<ConfigurationStore>[],
  ['ping answers where it exists'],
)
