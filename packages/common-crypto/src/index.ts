/** Cryptography with keys that are at hand, for components that keep theirs in files, documents or secrets. */
export { localAlgorithms } from './algorithms.ts'
export { keyFromJwk, type LocalKey } from './key.ts'
export { parseKey, type KeyFormat } from './parse.ts'
export { createLocalProvider, localCapabilities, type KeySource } from './provider.ts'
