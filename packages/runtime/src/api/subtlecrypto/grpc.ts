import { SubtleGetKeyRequest_KeyFormat } from '@outrigger/proto/runtime'
import { optionsOf, type DaprHandlers } from '../grpc-call.ts'
import type { SubtleCryptoHandler } from './handler.ts'

type Operation = 'GetKey' | 'Encrypt' | 'Decrypt' | 'WrapKey' | 'UnwrapKey' | 'Sign' | 'Verify'

const none = new Uint8Array(0)
const present = (bytes: Uint8Array): Uint8Array | undefined => (bytes.length === 0 ? undefined : bytes)

/** The methods with the keys of a provider of the gRPC API. */
export function subtleCryptoMethods(
  handler: SubtleCryptoHandler,
): Required<Pick<DaprHandlers, `subtle${Operation}Alpha1`>> {
  return {
    subtleGetKeyAlpha1({ componentName, name, format }, call) {
      const wanted = format === SubtleGetKeyRequest_KeyFormat.JSON ? 'JSON' : 'PEM'
      return handler.getKey(componentName, name, wanted, optionsOf(call))
    },
    async subtleEncryptAlpha1({ componentName, plaintext, algorithm, keyName, nonce, associatedData }, call) {
      const { ciphertext, tag = none } = await handler.encrypt(
        componentName,
        { plaintext, algorithm, keyName, nonce: present(nonce), associatedData: present(associatedData) },
        optionsOf(call),
      )
      return { ciphertext, tag }
    },
    async subtleDecryptAlpha1(request, call) {
      const { componentName, ciphertext, algorithm, keyName, nonce, tag, associatedData } = request
      const plaintext = await handler.decrypt(
        componentName,
        {
          ciphertext,
          algorithm,
          keyName,
          nonce: present(nonce),
          tag: present(tag),
          associatedData: present(associatedData),
        },
        optionsOf(call),
      )
      return { plaintext }
    },
    async subtleWrapKeyAlpha1(
      { componentName, plaintextKey, algorithm, keyName, nonce, associatedData },
      call,
    ) {
      const { wrappedKey, tag = none } = await handler.wrapKey(
        componentName,
        { plaintextKey, algorithm, keyName, nonce: present(nonce), associatedData: present(associatedData) },
        optionsOf(call),
      )
      return { wrappedKey, tag }
    },
    async subtleUnwrapKeyAlpha1(request, call) {
      const { componentName, wrappedKey, algorithm, keyName, nonce, tag, associatedData } = request
      const plaintextKey = await handler.unwrapKey(
        componentName,
        {
          wrappedKey,
          algorithm,
          keyName,
          nonce: present(nonce),
          tag: present(tag),
          associatedData: present(associatedData),
        },
        optionsOf(call),
      )
      return { plaintextKey }
    },
    async subtleSignAlpha1({ componentName, digest, algorithm, keyName }, call) {
      return { signature: await handler.sign(componentName, { digest, algorithm, keyName }, optionsOf(call)) }
    },
    async subtleVerifyAlpha1({ componentName, digest, algorithm, keyName, signature }, call) {
      const request = { digest, algorithm, keyName, signature }
      return { valid: await handler.verify(componentName, request, optionsOf(call)) }
    },
  }
}
