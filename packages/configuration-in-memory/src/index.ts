import { fields, json } from '@outrigger/kit'
import { ComponentError, defineConfigurationStore, type ConfigurationStoreDefinition } from '@outrigger/spec'
import { MemoryItems } from './items.ts'
import { MemoryConfigurationStore } from './store.ts'

export { MemoryItems } from './items.ts'

/** `configuration.in-memory` on items that the program keeps and may change; those of the metadata are added to them. */
export function configurationOf(items: MemoryItems): ConfigurationStoreDefinition {
  return define(() => items)
}

/** `configuration.in-memory`: the items of its metadata, in the memory of one runtime. */
export default define(() => new MemoryItems())

function define(itemsOf: () => MemoryItems): ConfigurationStoreDefinition {
  return defineConfigurationStore({
    type: 'configuration.in-memory',
    title: 'In-memory',
    description: 'Configuration in the memory of the runtime. For development and tests.',
    versions: {
      v1: {
        metadata: fields({
          items: json({
            description: 'The items, as a JSON object of texts, numbers and booleans.',
            example: '{"orders.limit": "10"}',
          }),
        }),
        capabilities: ['subscribe'],
        // Async without await, so that what is thrown becomes a rejection.
        async create({ metadata }) {
          const given = texts(metadata.items)
          const items = itemsOf()
          for (const [key, value] of given) if (items.get(key) === undefined) items.set(key, value)
          return new MemoryConfigurationStore(items)
        },
      },
    },
  })
}

function texts(items: unknown): [string, string][] {
  if (items === undefined) return []
  if (typeof items !== 'object' || items === null || Array.isArray(items))
    throw wrong('must be a JSON object')
  return Object.entries(items).map(([key, value]) => {
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw wrong(`must hold texts, numbers and booleans, and "${key}" is something else`)
    return [key, String(value)]
  })
}

function wrong(what: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `items ${what}, such as {"orders.limit": "10"}`)
}
