import { configurationConformance } from '@outrigger/conformance'
import { configurationOf, MemoryItems } from '../src/index.ts'

const items = new MemoryItems()

configurationConformance(configurationOf(items), {
  properties: () => ({}),
  write: (key, value) => items.set(key, value),
  remove: (key) => items.delete(key),
})
