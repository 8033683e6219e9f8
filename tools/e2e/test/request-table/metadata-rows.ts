import type { Row } from './operations.ts'
import { componentTypes } from './sidecars.ts'

const components = Object.entries(componentTypes)
  .map(([name, type]) => ({ name, type, version: 'v1' }))
  .sort((a, b) => a.name.localeCompare(b.name))

export const metadataRows: readonly Row[] = [
  { name: 'metadata: an own value', when: { op: 'setMetadata', key: 'mood', value: 'good' }, value: null },
  {
    name: 'metadata: components and an own value',
    given: [{ op: 'setMetadata', key: 'mood', value: 'better' }],
    when: { op: 'getMetadata' },
    value: { components, mood: 'better' },
  },
]
