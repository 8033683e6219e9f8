import type { CryptoAlgorithms } from '@outrigger/spec'
import { ciphers } from './ciphers.ts'
import { signatures } from './signatures.ts'

const forMessages = [...ciphers.keys()]

/** What keys at hand can be used with. Any cipher may wrap a key, as in Dapr. */
export const localAlgorithms: CryptoAlgorithms = Object.freeze({
  encrypt: forMessages,
  wrap: forMessages,
  sign: [...signatures.keys()],
})
