import { defineSecretStore } from '@outrigger/spec'
import { metadata } from './metadata.ts'
import { createStore } from './store.ts'

export default defineSecretStore({
  type: 'secretstores.local.file',
  title: 'Local file',
  description: 'Secrets in a JSON file, for development.',
  versions: {
    v1: { metadata, capabilities: ['multipleKeyValues'], create: createStore },
  },
})
