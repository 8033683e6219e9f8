import { localCapabilities } from '@outrigger/common-crypto'
import { defineCryptoProvider } from '@outrigger/spec'
import { metadata } from './metadata.ts'
import { createProvider } from './provider.ts'

export default defineCryptoProvider({
  type: 'crypto.dapr.localstorage',
  title: 'Local storage',
  description: 'Keys in the files of a folder.',
  versions: { v1: { metadata, capabilities: localCapabilities, create: createProvider } },
})
