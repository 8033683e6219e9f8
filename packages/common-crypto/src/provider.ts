import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type CryptoCapability,
  type CryptoProvider,
  type CryptoRequest,
  type OperationOptions,
} from '@outrigger/spec'
import { localAlgorithms } from './algorithms.ts'
import { type Cipher, ciphers } from './ciphers.ts'
import { invalid } from './errors.ts'
import { checkAllowed, type KeyOperation, type LocalKey } from './key.ts'
import { type Signature, signatures } from './signatures.ts'

/** Where keys come from. */
export interface KeySource {
  /** @throws ComponentError NOT_FOUND where there is none of this name */
  key(name: string, options: OperationOptions): Promise<LocalKey>
  ping?(options: OperationOptions): Promise<void>
  close?(): Promise<void>
}

/** What every provider of keys at hand can do. */
export const localCapabilities: readonly CryptoCapability[] = ['publicKeys', 'encrypt', 'wrap', 'sign']

/** A provider that does everything in this process, with the keys of `source`. */
export function createLocalProvider(source: KeySource): CryptoProvider {
  let closed = false

  function checkOpen(signal: AbortSignal | undefined): void {
    if (closed) throw new ComponentError('CLOSED', 'the crypto provider was closed')
    throwIfAborted(signal)
  }

  async function keyNamed(name: string, options: OperationOptions): Promise<LocalKey> {
    checkOpen(options.signal)
    if (name === '') throw invalid('the name of the key is empty')
    try {
      return await source.key(name, options)
    } finally {
      // Whatever came of it, this is what the caller must know then.
      checkOpen(options.signal)
    }
  }

  /** The key and the algorithm of a request, when they may go together. */
  async function prepare<A>(
    algorithms: ReadonlyMap<string, A>,
    operation: KeyOperation,
    { keyName, algorithm }: CryptoRequest,
    options: OperationOptions,
  ): Promise<readonly [algorithm: A, key: LocalKey]> {
    const key = await keyNamed(keyName, options)
    const found = algorithms.get(algorithm)
    if (found === undefined) {
      const known = [...algorithms.keys()].join(', ')
      throw new ComponentError(
        'UNSUPPORTED',
        `the algorithm ${JSON.stringify(algorithm.slice(0, 40))} is not one of ${known}`,
      )
    }
    checkAllowed(key, operation, algorithm)
    return [found, key]
  }

  const cipher = (operation: KeyOperation, request: CryptoRequest, options: OperationOptions) =>
    prepare<Cipher>(ciphers, operation, request, options)
  const signature = (operation: KeyOperation, request: CryptoRequest, options: OperationOptions) =>
    prepare<Signature>(signatures, operation, request, options)

  return {
    capabilities: new Set(localCapabilities),
    algorithms: localAlgorithms,
    async getKey({ keyName }, options) {
      const key = await keyNamed(keyName, options)
      if (key.publicKey === undefined)
        throw new ComponentError(
          'NOT_FOUND',
          `the key ${JSON.stringify(keyName)} has no public half: it is symmetric`,
        )
      return { name: keyName, jwk: { ...key.publicJwk } }
    },
    async encrypt(request, options) {
      const [algorithm, key] = await cipher('encrypt', request, options)
      return algorithm.encrypt(key, request.plaintext, request)
    },
    async decrypt(request, options) {
      const [algorithm, key] = await cipher('decrypt', request, options)
      return algorithm.decrypt(key, request.ciphertext, request)
    },
    async wrapKey(request, options) {
      const [algorithm, key] = await cipher('wrapKey', request, options)
      const { ciphertext, tag } = algorithm.encrypt(key, request.plaintextKey, request)
      return { wrappedKey: ciphertext, tag }
    },
    async unwrapKey(request, options) {
      const [algorithm, key] = await cipher('unwrapKey', request, options)
      return algorithm.decrypt(key, request.wrappedKey, request)
    },
    async sign(request, options) {
      const [algorithm, key] = await signature('sign', request, options)
      return algorithm.sign(key, request.digest)
    },
    async verify(request, options) {
      const [algorithm, key] = await signature('verify', request, options)
      return algorithm.verify(key, request.digest, request.signature)
    },
    ...(source.ping && {
      async ping(options: OperationOptions) {
        checkOpen(options.signal)
        await source.ping!(options)
      },
    }),
    async close() {
      closed = true
      await source.close?.()
    },
  }
}
