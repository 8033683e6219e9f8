import {
  type ComponentErrorCode,
  type CryptoProvider,
  isComponentError,
  type Logger,
  type OperationOptions,
} from '@outrigger/spec'
import {
  EncryptionProblem,
  streamCipherNamed,
  type WrapAlgorithm,
  wrapAlgorithmNamed,
} from '../../crypto/scheme.ts'
import { ApiError, failureText } from '../api-error.ts'

export type CryptoProviders = ReadonlyMap<string, { readonly instance: CryptoProvider }>

export interface EncryptStreamRequest {
  readonly componentName: string
  readonly keyName: string
  /** `A256KW` (`AES`), `A128CBC-NOPAD`, `A192CBC-NOPAD`, `A256CBC-NOPAD` or `RSA-OAEP-256` (`RSA`). */
  readonly keyWrapAlgorithm: string
  /** `aes-gcm` without it, or `chacha20-poly1305`. */
  readonly dataEncryptionCipher?: string | undefined
  /** Leaves the name of the key out of the stream; who decrypts must name it then. */
  readonly omitDecryptionKeyName?: boolean | undefined
  /** Stands in the stream in place of `keyName`. */
  readonly decryptionKeyName?: string | undefined
  readonly data: AsyncIterable<Uint8Array>
}

export interface DecryptStreamRequest {
  readonly componentName: string
  /** In place of the name in the stream. */
  readonly keyName?: string | undefined
  readonly data: AsyncIterable<Uint8Array>
}

/** Failures that have nothing to do with the key or the stream, so that telling of them tells nobody anything. */
const unrelated: ReadonlySet<ComponentErrorCode> = new Set<ComponentErrorCode>([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'UNAUTHENTICATED',
  'CANCELLED',
  'CLOSED',
  'UNSUPPORTED',
])

/** AES-CBC has an initialization vector and the manifest no place for one. File keys are random, and never wrapped twice. */
const zeroIv = new Uint8Array(16)
const nonceOf = (algorithm: WrapAlgorithm): Uint8Array | undefined =>
  algorithm.endsWith('CBC-NOPAD') ? zeroIv : undefined

/** Encryption of streams in the format `dapr.io/enc/v1`, for every face of the runtime. */
export class CryptoHandler {
  readonly #providers: CryptoProviders
  readonly #logger: Logger

  constructor(providers: CryptoProviders, logger: Logger) {
    this.#providers = providers
    this.#logger = logger
  }

  /** @throws ApiError when there is no such provider */
  checkProvider(name: string): void {
    cryptoProvider(this.#providers, name)
  }

  /**
   * Resolves when the file key is wrapped; `data` is read as the result is. The result rejects with an ApiError, or with what
   * `data` rejects with.
   */
  async encrypt(
    request: EncryptStreamRequest,
    options: OperationOptions,
  ): Promise<AsyncIterable<Uint8Array>> {
    const provider = cryptoProvider(this.#providers, request.componentName)
    const { keyName, decryptionKeyName } = request
    if (keyName === '') throw badRequest('the name of the key is missing')
    if (request.keyWrapAlgorithm === '') throw badRequest('the key wrap algorithm is missing')
    return translated(async () => {
      const algorithm = wrapAlgorithmNamed(request.keyWrapAlgorithm)
      if (provider.wrapKey === undefined) throw new EncryptionProblem('this provider cannot wrap keys')
      // Loaded when a stream first comes, as cryptography takes two megabytes.
      const { encryptStream } = await import('../../crypto/encrypt.ts')
      return encryptStream(request.data, {
        wrapAlgorithm: algorithm,
        cipher: streamCipherNamed(request.dataEncryptionCipher),
        keyName: request.omitDecryptionKeyName === true ? undefined : decryptionKeyName || keyName,
        wrap: async (fileKey) => {
          try {
            const wrap = { algorithm, keyName, plaintextKey: fileKey, nonce: nonceOf(algorithm) }
            return (await provider.wrapKey!(wrap, options)).wrappedKey
          } catch (error) {
            const text = failureText(error, this.#logger, 'wrapping a file key failed')
            throw new EncryptionProblem(`failed to wrap the file key: ${text}`, { cause: error })
          }
        },
      })
    })
  }

  /**
   * Resolves when the header is verified; the rest of `data` is read as the result is. The result rejects with an ApiError at
   * the first segment that is not right, or with what `data` rejects with.
   */
  async decrypt(
    request: DecryptStreamRequest,
    options: OperationOptions,
  ): Promise<AsyncIterable<Uint8Array>> {
    const provider = cryptoProvider(this.#providers, request.componentName)
    return translated(async () => {
      const { decryptStream } = await import('../../crypto/decrypt.ts')
      return decryptStream(request.data, {
        keyName: request.keyName,
        unwrap: async (wrappedKey, algorithm, keyName) => {
          if (provider.unwrapKey === undefined)
            throw new EncryptionProblem('this provider cannot unwrap keys')
          try {
            return await provider.unwrapKey(
              { algorithm, keyName, wrappedKey, nonce: nonceOf(algorithm) },
              options,
            )
          } catch (error) {
            if (!isComponentError(error) || unrelated.has(error.code)) {
              const text = failureText(error, this.#logger, 'unwrapping a file key failed')
              throw new EncryptionProblem(`failed to unwrap the file key: ${text}`, { cause: error })
            }
            this.#logger.info('a file key cannot be unwrapped', {
              component: request.componentName,
              problem: error.message,
            })
            return undefined
          }
        },
      })
    })
  }
}

/** The provider of a name. @throws ApiError */
export function cryptoProvider(providers: CryptoProviders, name: string): CryptoProvider {
  if (providers.size === 0)
    throw new ApiError('CRYPTO_PROVIDERS_NOT_CONFIGURED', 'crypto providers not configured')
  const live = providers.get(name)
  if (live === undefined) throw new ApiError('CRYPTO_PROVIDER_NOT_FOUND', `crypto provider ${name} not found`)
  return live.instance
}

export function badRequest(problem: string): ApiError {
  return new ApiError('BAD_REQUEST', `invalid request: ${problem}`)
}

/** An operation of a provider failed. */
export function cryptoFailure(problem: string, cause: unknown): ApiError {
  return new ApiError('CRYPTO', `failed to perform operation: ${problem}`, { cause })
}

/** The stream that `start` gives, with its problems as ApiErrors, both at once and on the way. */
async function translated(
  start: () => Promise<AsyncGenerator<Uint8Array, void>>,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    return passOn(await start())
  } catch (error) {
    throw error instanceof EncryptionProblem ? cryptoFailure(error.message, error) : error
  }
}

async function* passOn(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* stream
  } catch (error) {
    throw error instanceof EncryptionProblem ? cryptoFailure(error.message, error) : error
  }
}
