import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, OperationOptions } from './operation.ts'

/**
 * - `publicKeys`: `getKey` exists
 * - `encrypt`: `encrypt` and `decrypt` exist
 * - `wrap`: `wrapKey` and `unwrapKey` exist
 * - `sign`: `sign` and `verify` exist
 */
export type CryptoCapability = 'publicKeys' | 'encrypt' | 'wrap' | 'sign'

/** What the keys of a provider can be used with, by name; empty where the capability is missing. */
export interface CryptoAlgorithms {
  readonly encrypt: readonly string[]
  readonly wrap: readonly string[]
  readonly sign: readonly string[]
}

/** Names a key: its name, or `name/version` where the provider keeps versions and the latest is not meant. */
export interface KeyRequest {
  readonly keyName: string
}

export interface PublicKey {
  /** The name, with the version where there are versions. */
  readonly name: string
  /** A JSON Web Key (RFC 7517) without any private member. */
  readonly jwk: Readonly<Record<string, unknown>>
}

export interface CryptoRequest extends KeyRequest {
  /**
   * A name of JWA (RFC 7518), such as `A256KW` or `RSA-OAEP-256`, or one of its kin: `A256CBC`, `A256CBC-NOPAD`, `C20P`,
   * `XC20P`, `C20PKW`, `XC20PKW`. Exactly as listed; aliases are the runtime's.
   */
  readonly algorithm: string
}

/** What belongs to a message beside itself. */
export interface CipherParameters {
  /** Nonce or initialization vector, of just the length that the algorithm wants; ignored by those that have none. */
  readonly nonce?: Uint8Array | undefined
  /** Authenticated with the message by AEAD ciphers, the label of RSA-OAEP; ignored by all others. */
  readonly associatedData?: Uint8Array | undefined
}

export interface EncryptRequest extends CryptoRequest, CipherParameters {
  readonly plaintext: Uint8Array
}

export interface DecryptRequest extends CryptoRequest, CipherParameters {
  readonly ciphertext: Uint8Array
  /** Ignored by algorithms that have none. */
  readonly tag?: Uint8Array | undefined
}

export interface Ciphertext {
  readonly ciphertext: Uint8Array
  /** Authentication tag, where the algorithm has one; it is no part of `ciphertext` then. */
  readonly tag?: Uint8Array | undefined
}

export interface WrapKeyRequest extends CryptoRequest, CipherParameters {
  /** The key to be wrapped: raw where it is symmetric, else DER (PKCS #8 or SubjectPublicKeyInfo). */
  readonly plaintextKey: Uint8Array
}

export interface UnwrapKeyRequest extends CryptoRequest, CipherParameters {
  readonly wrappedKey: Uint8Array
  readonly tag?: Uint8Array | undefined
}

export interface WrappedKey {
  readonly wrappedKey: Uint8Array
  readonly tag?: Uint8Array | undefined
}

export interface SignRequest extends CryptoRequest {
  /** The message's digest by the hash of the algorithm. `EdDSA` does its own hashing: there it is the message itself. */
  readonly digest: Uint8Array
}

export interface VerifyRequest extends SignRequest {
  /** Of an elliptic curve (`ES256` and its kin) in DER. */
  readonly signature: Uint8Array
}

/**
 * Works with keys that do not leave the provider. Messages here are small and held whole; the stream format
 * `dapr.io/enc/v1` around it is the runtime's, and a provider only wraps and unwraps its file keys.
 * Methods exist exactly when the matching capability is listed.
 *
 * Errors: `NOT_FOUND` for a key that is not there, and for `getKey` of a symmetric one; `UNSUPPORTED` for an algorithm that
 * is not listed; `PERMISSION_DENIED` where the key is not meant for it (`use`, `key_ops`, `alg`); `INVALID_ARGUMENT` where
 * key, nonce or lengths do not fit. What cannot be decrypted is `INVALID_ARGUMENT` too, and its message must not tell why:
 * padding, tag and key are not to be told apart. A signature that is not right is `false` and no error, whatever its shape.
 */
export interface CryptoProvider extends LiveComponent {
  readonly capabilities: ReadonlySet<CryptoCapability>
  readonly algorithms: CryptoAlgorithms
  getKey?(request: KeyRequest, options: OperationOptions): Promise<PublicKey>
  encrypt?(request: EncryptRequest, options: OperationOptions): Promise<Ciphertext>
  decrypt?(request: DecryptRequest, options: OperationOptions): Promise<Uint8Array>
  wrapKey?(request: WrapKeyRequest, options: OperationOptions): Promise<WrappedKey>
  unwrapKey?(request: UnwrapKeyRequest, options: OperationOptions): Promise<Uint8Array>
  sign?(request: SignRequest, options: OperationOptions): Promise<Uint8Array>
  verify?(request: VerifyRequest, options: OperationOptions): Promise<boolean>
}

export const cryptoContract = 'crypto/1'
export type CryptoProviderDefinition = ComponentDefinition<
  typeof cryptoContract,
  CryptoCapability,
  CryptoProvider
>

/** Defines a crypto provider. A package default-exports the result. */
export function defineCryptoProvider<V extends object>(
  definition: DefinitionInput<V, CryptoCapability, CryptoProvider>,
): CryptoProviderDefinition {
  return { contract: cryptoContract, ...definition } as CryptoProviderDefinition
}
