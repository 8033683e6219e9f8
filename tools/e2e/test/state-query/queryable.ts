import { fields } from '@outrigger/kit'
import {
  defineStateStore,
  type StateItem,
  type StateQuery,
  type StateStore,
  type StateStoreDefinition,
  type StateTransaction,
} from '@outrigger/spec'

/** `state.queryable`: a store that answers equality, in pages, and takes three operations at once. `asked` gets every query. */
export function queryableState(asked: StateQuery[] = []): StateStoreDefinition {
  return defineStateStore({
    type: 'state.queryable',
    title: 'Queryable',
    versions: {
      v1: {
        metadata: fields({}),
        capabilities: ['transactional', 'query'],
        create: async () => createStore(asked),
      },
    },
  })
}

function createStore(asked: StateQuery[]): StateStore {
  const items = new Map<string, StateItem>()
  return {
    capabilities: new Set(['transactional', 'query']),
    maxTransactionOperations: 3,
    get: async ({ key }) => items.get(key),
    set: async ({ key, value }) => void items.set(key, { value, etag: '1' }),
    delete: async ({ key }) => void items.delete(key),
    transact: async ({ operations }: StateTransaction) => {
      for (const { operation, request } of operations) {
        if (operation === 'upsert') items.set(request.key, { value: request.value, etag: '1' })
      }
    },
    query: async (query) => {
      asked.push(query)
      const [[key, wanted] = []] = Object.entries((query.filter as { EQ?: object })?.EQ ?? {})
      const found = [...items].filter(([, { value }]) => {
        const row = JSON.parse(new TextDecoder().decode(value.bytes)) as Record<string, unknown>
        return key === undefined || row[key] === wanted
      })
      const from = Number(query.page?.token ?? 0)
      const to = from + (query.page?.limit ?? found.length)
      const results = found.slice(from, to).map(([name, item]) => ({ key: name, item }))
      return { results, token: to < found.length ? String(to) : undefined }
    },
    close: async () => {},
  }
}
