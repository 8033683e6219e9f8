import { localCapabilities } from '@outrigger/common-crypto'
import { defineCryptoProvider } from '@outrigger/spec'
import { metadata } from './metadata.ts'
import { createProvider } from './provider.ts'

export default defineCryptoProvider({
  type: 'crypto.dapr.jwks',
  title: 'JSON Web Key Set',
  description: 'Keys of a JSON Web Key Set, in the resource itself, in a file or at a URL.',
  versions: { v1: { metadata, capabilities: localCapabilities, create: createProvider } },
})
