import { defineBinding } from '@outrigger/spec'
import { createBinding } from './binding.ts'
import { metadata } from './metadata.ts'

export default defineBinding({
  type: 'bindings.cron',
  title: 'Cron',
  description: 'Calls the application at the times of a schedule.',
  versions: { v1: { metadata, capabilities: ['input'], create: createBinding } },
})
