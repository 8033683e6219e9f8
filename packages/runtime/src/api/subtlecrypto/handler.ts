import type {
  Ciphertext,
  CryptoProvider,
  DecryptRequest,
  EncryptRequest,
  Logger,
  OperationOptions,
  SignRequest,
  UnwrapKeyRequest,
  VerifyRequest,
  WrapKeyRequest,
  WrappedKey,
} from '@outrigger/spec'
import { ApiError, failureText } from '../api-error.ts'
import { cryptoFailure, cryptoProvider, type CryptoProviders } from '../crypto/handler.ts'

export type KeyFormat = 'PEM' | 'JSON'

/** Loaded when it is first needed, as cryptography takes two megabytes. */
const keyText = () => import('../../crypto/key-text.ts')

/** A public key as text. */
export interface PublicKeyText {
  /** The name, with the version where there are versions. */
  readonly name: string
  readonly publicKey: string
}

/** Single operations with the keys of a provider, for every face of the runtime. Messages are small and held whole. */
export class SubtleCryptoHandler {
  readonly #providers: CryptoProviders
  readonly #logger: Logger

  constructor(providers: CryptoProviders, logger: Logger) {
    this.#providers = providers
    this.#logger = logger
  }

  async getKey(
    componentName: string,
    keyName: string,
    format: KeyFormat,
    options: OperationOptions,
  ): Promise<PublicKeyText> {
    const provider = cryptoProvider(this.#providers, componentName)
    try {
      const getKey = method(provider, 'getKey')
      const { name, jwk } = await getKey({ keyName }, options)
      return { name, publicKey: format === 'PEM' ? (await keyText()).publicKeyPem(jwk) : JSON.stringify(jwk) }
    } catch (error) {
      const text =
        error instanceof Missing ? error.message : failureText(error, this.#logger, 'reading a key failed')
      throw new ApiError('CRYPTO_KEY', `failed to retrieve key ${keyName}: ${text}`, { cause: error })
    }
  }

  encrypt(componentName: string, request: EncryptRequest, options: OperationOptions): Promise<Ciphertext> {
    return this.#run(componentName, 'encrypt', (provider) => method(provider, 'encrypt')(request, options))
  }

  decrypt(componentName: string, request: DecryptRequest, options: OperationOptions): Promise<Uint8Array> {
    return this.#run(
      componentName,
      'decrypt',
      (provider) => method(provider, 'decrypt')(request, options),
      true,
    )
  }

  /** `plaintextKey` may be a JSON Web Key, PEM, or a symmetric key in base64 or as its bytes. */
  wrapKey(componentName: string, request: WrapKeyRequest, options: OperationOptions): Promise<WrappedKey> {
    return this.#run(componentName, 'wrap key', async (provider) => {
      const { serializeKey } = await keyText()
      const plaintextKey = serializeKey(request.plaintextKey)
      if (plaintextKey === undefined) throw new Missing('the plaintext key is no key')
      return method(provider, 'wrapKey')({ ...request, plaintextKey }, options)
    })
  }

  unwrapKey(
    componentName: string,
    request: UnwrapKeyRequest,
    options: OperationOptions,
  ): Promise<Uint8Array> {
    return this.#run(
      componentName,
      'unwrap key',
      (provider) => method(provider, 'unwrapKey')(request, options),
      true,
    )
  }

  sign(componentName: string, request: SignRequest, options: OperationOptions): Promise<Uint8Array> {
    return this.#run(componentName, 'sign', (provider) => method(provider, 'sign')(request, options))
  }

  verify(componentName: string, request: VerifyRequest, options: OperationOptions): Promise<boolean> {
    return this.#run(componentName, 'verify signature', (provider) =>
      method(provider, 'verify')(request, options),
    )
  }

  /** @param quiet gives the caller no reason: those of a decryption are what attackers ask for */
  async #run<T>(
    componentName: string,
    what: string,
    work: (provider: CryptoProvider) => Promise<T>,
    quiet = false,
  ): Promise<T> {
    const provider = cryptoProvider(this.#providers, componentName)
    try {
      return await work(provider)
    } catch (error) {
      if (error instanceof Missing) throw cryptoFailure(`failed to ${what}: ${error.message}`, error)
      const text = failureText(error, this.#logger, `a crypto operation failed: ${what}`)
      if (quiet) this.#logger.info(`failed to ${what}`, { component: componentName, problem: text })
      throw cryptoFailure(quiet ? `failed to ${what}` : `failed to ${what}: ${text}`, error)
    }
  }
}

/** What is asked for is not there, whatever the key. */
class Missing extends Error {}

type Method = 'getKey' | 'encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey' | 'sign' | 'verify'

function method<M extends Method>(provider: CryptoProvider, name: M): NonNullable<CryptoProvider[M]> {
  const found = provider[name]
  if (found === undefined) throw new Missing('this provider cannot do it')
  return found.bind(provider) as NonNullable<CryptoProvider[M]>
}
