import { defineBinding } from '@outrigger/spec'
import { createBinding } from './binding.ts'
import { metadata } from './metadata.ts'

export default defineBinding({
  type: 'bindings.localstorage',
  title: 'Local storage',
  description: 'Files in a folder of this machine.',
  versions: { v1: { metadata, capabilities: ['output', 'streaming'], create: createBinding } },
})
