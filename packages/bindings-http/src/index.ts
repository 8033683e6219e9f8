import { defineBinding } from '@outrigger/spec'
import { createBinding } from './binding.ts'
import { metadata } from './metadata.ts'

export default defineBinding({
  type: 'bindings.http',
  title: 'HTTP',
  description: 'Calls an HTTP endpoint.',
  versions: { v1: { metadata, capabilities: ['output', 'streaming'], create: createBinding } },
})
