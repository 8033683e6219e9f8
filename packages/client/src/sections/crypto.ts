import { noOptions, type CallOptions } from '../call.ts'
import { required } from '../values.ts'

/** Bytes that are there, or come piece by piece. */
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array>

export interface EncryptOptions extends Omit<CallOptions, 'metadata'> {
  readonly keyName: string
  /** `A256KW` (`AES`), `A128CBC-NOPAD`, `A192CBC-NOPAD`, `A256CBC-NOPAD` or `RSA-OAEP-256` (`RSA`). */
  readonly keyWrapAlgorithm: string
  /** Default `aes-gcm`; or `chacha20-poly1305`. */
  readonly dataEncryptionCipher?: string | undefined
  /** Leaves the name of the key out of the stream; who decrypts must name it then. */
  readonly omitDecryptionKeyName?: boolean | undefined
  /** Stands in the stream in place of `keyName`. */
  readonly decryptionKeyName?: string | undefined
}

export interface DecryptOptions extends Omit<CallOptions, 'metadata'> {
  /** In place of the name in the stream. */
  readonly keyName?: string | undefined
}

export interface CryptoPort {
  encrypt(
    component: string,
    data: AsyncIterable<Uint8Array>,
    options: EncryptOptions,
  ): AsyncIterable<Uint8Array>
  decrypt(
    component: string,
    data: AsyncIterable<Uint8Array>,
    options: DecryptOptions,
  ): AsyncIterable<Uint8Array>
}

/**
 * Encryption of streams in the format `dapr.io/enc/v1`; alpha. Nothing is sent before the result is read, and neither
 * side is held whole. A failure in the middle breaks the result off with an error: what came before is not to be trusted.
 */
export class CryptoClient {
  readonly #port: CryptoPort

  constructor(port: CryptoPort) {
    this.#port = port
  }

  async *encrypt(
    component: string,
    data: ByteSource,
    options: EncryptOptions,
  ): AsyncGenerator<Uint8Array, void> {
    required(component, 'the name of the component')
    required(options.keyName, 'keyName')
    required(options.keyWrapAlgorithm, 'keyWrapAlgorithm')
    yield* this.#port.encrypt(component, pieces(data), options)
  }

  async *decrypt(
    component: string,
    data: ByteSource,
    options: DecryptOptions = noOptions,
  ): AsyncGenerator<Uint8Array, void> {
    required(component, 'the name of the component')
    yield* this.#port.decrypt(component, pieces(data), options)
  }
}

function pieces(data: ByteSource): AsyncIterable<Uint8Array> {
  return data instanceof Uint8Array ? one(data) : data
}

async function* one(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data
}
