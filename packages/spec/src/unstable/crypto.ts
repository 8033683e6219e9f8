import type { ComponentDefinition, DefinitionInput } from '../definition.ts'
import type { LiveComponent, OperationOptions } from '../operation.ts'

/**
 * `exportPublicKey`: `getKey` exists.
 * `encrypt`, `wrap`, `sign`: the pairs of methods exist.
 */
export type CryptoCapability = 'exportPublicKey' | 'encrypt' | 'wrap' | 'sign'

export interface CryptoOperation {
  /** Algorithm name of JWA, or `A256KW`, `RSA-OAEP-256`, `A128CBC-NOPAD` and their like. */
  readonly algorithm: string
  /** Name of the key, with `/version` where the vault has versions. */
  readonly keyName: string
}

export interface EncryptRequest extends CryptoOperation {
  readonly plaintext: Uint8Array
  readonly nonce?: Uint8Array | undefined
  readonly associatedData?: Uint8Array | undefined
}

export interface DecryptRequest extends CryptoOperation {
  readonly ciphertext: Uint8Array
  readonly nonce?: Uint8Array | undefined
  readonly tag?: Uint8Array | undefined
  readonly associatedData?: Uint8Array | undefined
}

export interface Ciphertext {
  readonly ciphertext: Uint8Array
  /** Authentication tag, where the algorithm has one. */
  readonly tag?: Uint8Array | undefined
}

export interface WrapRequest extends CryptoOperation {
  /** The key to be wrapped, raw. */
  readonly plaintextKey: Uint8Array
  readonly nonce?: Uint8Array | undefined
  readonly associatedData?: Uint8Array | undefined
}

export interface UnwrapRequest extends CryptoOperation {
  readonly wrappedKey: Uint8Array
  readonly nonce?: Uint8Array | undefined
  readonly tag?: Uint8Array | undefined
  readonly associatedData?: Uint8Array | undefined
}

export interface SignRequest extends CryptoOperation {
  readonly digest: Uint8Array
}

export interface VerifyRequest extends SignRequest {
  readonly signature: Uint8Array
}

/**
 * Works with keys that never leave the provider. The stream format around it (`dapr.io/enc/v1`) is the runtime's;
 * a provider only wraps and unwraps its file keys.
 */
export interface CryptoProvider extends LiveComponent {
  readonly capabilities: ReadonlySet<CryptoCapability>
  readonly encryptionAlgorithms: readonly string[]
  readonly signatureAlgorithms: readonly string[]
  /** The public key, as a JWK. */
  getKey?(keyName: string, options: OperationOptions): Promise<Readonly<Record<string, unknown>>>
  encrypt?(request: EncryptRequest, options: OperationOptions): Promise<Ciphertext>
  decrypt?(request: DecryptRequest, options: OperationOptions): Promise<Uint8Array>
  wrapKey?(request: WrapRequest, options: OperationOptions): Promise<Ciphertext>
  unwrapKey?(request: UnwrapRequest, options: OperationOptions): Promise<Uint8Array>
  sign?(request: SignRequest, options: OperationOptions): Promise<Uint8Array>
  verify?(request: VerifyRequest, options: OperationOptions): Promise<boolean>
}

export const cryptoContract = 'crypto/0'
export type CryptoProviderDefinition = ComponentDefinition<
  typeof cryptoContract,
  CryptoCapability,
  CryptoProvider
>

export function defineCryptoProvider<V extends object>(
  definition: DefinitionInput<V, CryptoCapability, CryptoProvider>,
): CryptoProviderDefinition {
  return { contract: cryptoContract, ...definition } as CryptoProviderDefinition
}
