import { utf8 } from '@outrigger/kit'
import { ComponentError, type StateCapability, type StateSetRequest, type StateStore } from '@outrigger/spec'
import { stateSuite, type StateSuiteOptions } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'
import { referenceState, stateCapabilities, type ReferenceStore } from './reference-state.ts'

const options: StateSuiteOptions = {
  properties: () => ({}),
  invalidEtag: 'invalid',
  keeps: ['kind', 'contentType'],
}

function without(store: ReferenceStore, capability: StateCapability): void {
  store.capabilities.delete(capability)
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Breaks what every write goes through. */
function onWrite(store: ReferenceStore, change: (request: StateSetRequest) => StateSetRequest): void {
  const { write } = store
  store.write = (items, request) => write(items, change(request))
}

const mutants: readonly Mutant<ReferenceStore>[] = [
  {
    title: 'parses JSON and prints it again',
    break: (store) =>
      onWrite(store, (request) => {
        if (request.value.kind === 'binary') return request
        const bytes = utf8(JSON.stringify(JSON.parse(Buffer.from(request.value.bytes).toString())))
        return { ...request, value: { ...request.value, bytes } }
      }),
    caughtBy: [
      'bytes come back as they were: a number beyond 2^53',
      'bytes come back as they were: a number with zeros',
      'bytes come back as they were: JSON with spaces and a repeated name',
      'a transaction writes and deletes',
    ],
  },
  {
    title: 'stores bytes as text',
    break: (store) =>
      onWrite(store, (request) => {
        const bytes = utf8(Buffer.from(request.value.bytes).toString('utf8'))
        return { ...request, value: { ...request.value, bytes } }
      }),
    caughtBy: ['bytes come back as they were: every byte, with NULs', 'bytes come back as they were: 1 MiB'],
  },
  {
    title: 'stores the whole buffer behind a view',
    break: (store) =>
      onWrite(store, (request) => {
        const bytes = new Uint8Array(request.value.bytes.buffer)
        return { ...request, value: { ...request.value, bytes } }
      }),
    caughtBy: ['a view into a larger buffer is stored as what it shows'],
  },
  {
    title: 'forgets the kind and the content type',
    break: (store) =>
      onWrite(store, ({ value, ...rest }) => ({ ...rest, value: { bytes: value.bytes, kind: 'json' } })),
    caughtBy: ['bytes come back as they were: every byte, with NULs'],
  },
  {
    title: 'gives an empty value for what is absent',
    break: (store) => {
      const { get } = store
      store.get = async (request, operation) =>
        (await get(request, operation)) ?? { value: { bytes: new Uint8Array(), kind: 'json' }, etag: '0' }
    },
    caughtBy: ['what is absent is undefined'],
  },
  {
    title: 'folds the case of keys',
    break: (store) => {
      const { write, find } = store
      store.write = (items, request) => write(items, { ...request, key: request.key.toLowerCase() })
      store.find = (items, key) => find(items, key.toLowerCase())
    },
    caughtBy: ['keys with odd characters are kept apart'],
  },
  {
    title: 'cuts long keys off',
    break: (store) => {
      const { write, find } = store
      store.write = (items, request) => write(items, { ...request, key: request.key.slice(0, 255) })
      store.find = (items, key) => find(items, key.slice(0, 255))
    },
    caughtBy: ['long keys differ in their last character'],
  },
  {
    title: 'ignores ETags',
    break: (store) => {
      store.guard = () => {}
    },
    caughtBy: [
      'a write with an ETag of the past is a mismatch and changes nothing',
      'a write with an ETag where nothing is, is a mismatch and creates nothing',
      'an ETag that this store never made is refused',
      'an ETag that cannot be one is invalid',
      'a first write without an ETag happens only where nothing is',
      'of many first writes at once one wins',
      'a delete with the current ETag happens, with another it is a mismatch',
      'a delete with an ETag where nothing is, is a mismatch',
      'bulkSet tells which keys failed and writes the others',
      'bulkDelete tells which keys failed and deletes the others',
      'an ETag mismatch in the middle undoes the whole transaction',
    ],
  },
  {
    title: 'makes the ETag from the value',
    break: (store) => {
      const { write } = store
      store.write = (items, request) => {
        write(items, request)
        const item = items.get(request.key)!
        items.set(request.key, { ...item, etag: Buffer.from(item.value.bytes).toString('hex') })
      }
    },
    caughtBy: ['the ETag stays while the value stays and changes with each write, also of the same value'],
  },
  {
    title: 'checks the ETag and writes later',
    break: (store) => {
      store.set = async (request) => {
        store.guard(store.items, request)
        await tick()
        const { etag: _, concurrency: __, ...rest } = request
        store.write(store.items, rest)
      }
    },
    caughtBy: ['50 concurrent writers lose no update', 'of many first writes at once one wins'],
  },
  {
    title: 'throws errors of its own',
    break: (store) => {
      const { guard } = store
      store.guard = (items, request) => {
        try {
          guard(items, request)
        } catch (error) {
          throw new Error((error as Error).message)
        }
      }
    },
    caughtBy: ['a write with an ETag of the past is a mismatch and changes nothing'],
  },
  {
    title: 'fails a whole bulk write for one key',
    break: (store) => {
      store.each = async (requests, operation, work) => {
        store.check(operation)
        requests.forEach(work)
        return []
      }
    },
    caughtBy: [
      'bulkSet tells which keys failed and writes the others',
      'bulkDelete tells which keys failed and deletes the others',
    ],
  },
  {
    title: 'leaves absent keys and repetitions out of bulkGet',
    break: (store) => {
      const { bulkGet } = store
      store.bulkGet = async (requests, operation) => {
        const results = await bulkGet(requests, operation)
        return [...new Map(results.filter(({ item }) => item).map((result) => [result.key, result])).values()]
      }
    },
    caughtBy: ['bulkGet answers each request once: present, absent and asked for twice'],
  },
  {
    title: 'applies transactions one operation at a time',
    break: (store) => {
      store.transact = async ({ operations }, operation) => {
        store.check(operation)
        for (const each of operations) {
          await tick()
          if (each.operation === 'upsert') store.write(store.items, each.request)
          else store.remove(store.items, each.request)
        }
      }
    },
    caughtBy: [
      'an ETag mismatch in the middle undoes the whole transaction',
      'a first write in a transaction fails where something is',
    ],
  },
  {
    title: 'applies the deletes of a transaction last',
    break: (store) => {
      const { transact } = store
      store.transact = ({ operations, metadata }, operation) =>
        transact(
          { operations: operations.toSorted((a, b) => (a.operation > b.operation ? -1 : 1)), metadata },
          operation,
        )
    },
    caughtBy: ['later operations of a transaction on a key see earlier ones'],
  },
  {
    title: 'ignores TTLs though it declares them',
    break: (store) => onWrite(store, (request) => ({ ...request, ttlSeconds: undefined })),
    caughtBy: [
      'a value with a TTL tells when it expires, and then is gone',
      'a TTL within a transaction holds',
      'a TTL of years is kept',
      'keysLike leaves out what has expired',
    ],
  },
  {
    title: 'keeps the expiry at a write without a TTL',
    break: (store) => {
      const { write } = store
      store.write = (items, request) => {
        const before = items.get(request.key)?.expiresAtMs
        write(items, request)
        items.set(request.key, { expiresAtMs: before, ...dropUndefined(items.get(request.key)!) })
      }
    },
    caughtBy: ['a write without a TTL takes the expiry away, and so does never'],
  },
  {
    title: 'sees expired values when it checks ETags',
    break: (store) => {
      const { guard } = store
      const { find } = store
      store.guard = (items, request) => {
        store.find = (all, key) => all.get(key)
        try {
          guard(items, request)
        } finally {
          store.find = find
        }
      }
    },
    caughtBy: ['what has expired counts as absent for ETags and first writes'],
  },
  {
    title: 'expires values though it does not declare it',
    break: (store) => without(store, 'ttl'),
    capabilities: stateCapabilities.filter((capability) => capability !== 'ttl'),
    caughtBy: ['without the ttl capability a TTL is refused or has no effect'],
  },
  {
    title: 'has ETags though it does not declare them',
    break: (store) => without(store, 'etag'),
    capabilities: stateCapabilities.filter((capability) => capability !== 'etag'),
    caughtBy: [
      'without the etag capability no value carries an ETag',
      'what holds actor state has ETags and transactions',
    ],
  },
  {
    title: 'has a method though it does not declare the capability',
    break: (store) => without(store, 'keysLike'),
    capabilities: stateCapabilities.filter((capability) => capability !== 'keysLike'),
    caughtBy: ['optional methods exist exactly where their capability is declared'],
  },
  {
    title: 'declares a capability and lacks the method',
    break: (store) => {
      ;(store as Partial<ReferenceStore>).deleteWithPrefix = undefined as never
    },
    caughtBy: ['optional methods exist exactly where their capability is declared'],
  },
  {
    title: 'forgets to declare an ability',
    break: (store) => without(store, 'ttl'),
    caughtBy: ['the instance declares what is expected of it, and nothing that its definition does not list'],
  },
  {
    title: 'declares more than its definition lists',
    break: (store) => store.capabilities.add('partitionKey'),
    caughtBy: ['the instance declares what is expected of it, and nothing that its definition does not list'],
  },
  {
    title: 'takes _ and % literally, and a dot for any character',
    break: (store) => {
      store.like = (pattern) => new RegExp(`^${pattern.replaceAll('||', '\\|\\|')}$`)
    },
    caughtBy: [
      'keysLike: % stands for any run of characters, none too',
      'keysLike: _ stands for one character',
      'keysLike: without wildcards just the key, upper and lower case apart, and nothing else has a meaning',
    ],
  },
  {
    title: 'knows no escapes in patterns',
    break: (store) => {
      const { like } = store
      store.like = (pattern) => like(pattern.replaceAll('\\', ''))
    },
    caughtBy: ['keysLike: a backslash takes the next character literally'],
  },
  {
    title: 'pages by offset',
    break: (store) => {
      const { keysLike } = store
      store.keysLike = async ({ pattern, pageSize = 100, continuationToken = '0' }, operation) => {
        const { keys } = await keysLike({ pattern }, operation)
        const end = Number(continuationToken) + pageSize
        const page = keys.slice(end - pageSize, end)
        return end < keys.length ? { keys: page, continuationToken: `${end}` } : { keys: page }
      }
    },
    caughtBy: ['keysLike: paging goes on when keys of earlier pages are deleted'],
  },
  {
    title: 'ignores the size of pages',
    break: (store) => {
      const { keysLike } = store
      store.keysLike = ({ pattern }, operation) => keysLike({ pattern }, operation)
    },
    caughtBy: ['keysLike: pages hold what was asked for, and together every key once'],
  },
  {
    title: 'deletes by a pattern instead of a prefix',
    break: (store) => {
      store.deleteWithPrefix = async (prefix, operation) => {
        store.check(operation)
        const fits = store.like(`${prefix}%`)
        return [...store.items.keys()].filter((key) => fits.test(key) && store.items.delete(key)).length
      }
    },
    caughtBy: ['deleteWithPrefix takes % and _ and * as they are'],
  },
  {
    title: 'ignores signals',
    break: (store) => {
      const { check } = store
      store.check = () => check({})
    },
    caughtBy: ['a signal that was aborted cancels every operation and nothing is changed'],
  },
  {
    title: 'works on after close',
    break: (store) => {
      store.close = () => Promise.resolve()
    },
    caughtBy: ['after close every operation is refused as CLOSED'],
  },
  {
    title: 'cannot be closed twice',
    break: (store) => {
      const { close } = store
      store.close = () => {
        if (store.closed) throw new ComponentError('CLOSED', 'closed')
        return close()
      }
    },
    caughtBy: ['close can be called twice, also at once'],
  },
  {
    title: 'ignores the filter of a query',
    break: (store) => {
      const { query } = store
      store.query = (document) => query({ ...document, filter: undefined })
    },
    caughtBy: ['query: EQ, IN, AND and OR filter'],
  },
]

function dropUndefined<T extends object>(item: T): T {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as T
}

proveSuite(
  stateSuite,
  (mutate) => referenceState(mutate as ((store: StateStore) => void) | undefined),
  options,
  mutants as unknown as readonly Mutant<StateStore>[],
  [
    'without the etag capability no value carries an ETag',
    'without the ttl capability a TTL is refused or has no effect',
  ],
)
