import type { CallsOf } from '@outrigger/proto/call'
import { SubtleGetKeyRequest_KeyFormat as Format, type Dapr } from '@outrigger/proto/runtime'
import type { RuntimeApi } from '@outrigger/runtime'
import type { Operation, Texts } from './operations.ts'

type Subtle = Extract<Operation, { op: 'subtle' }>

/** What an answer says: bytes as base64, without what is empty; a key in JSON as what it means. */
export function plainAnswer(answer: object): object {
  const members = Object.entries(answer).flatMap(([name, value]: [string, unknown]) => {
    if (name.startsWith('$') || value === undefined) return []
    const text: unknown = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
    if (text === '') return []
    const json = name === 'publicKey' && typeof text === 'string' && text.startsWith('{')
    return [[name, json ? (JSON.parse(text) as unknown) : text]]
  })
  return Object.fromEntries(members) as object
}

/** Asks over gRPC. */
export async function subtleOverGrpc(dapr: CallsOf<typeof Dapr>, it: Subtle): Promise<object> {
  const componentName = it.provider
  const request = { componentName, ...messageOf(it.message) } as never
  switch (it.method) {
    case 'getKey': {
      const format = it.message['format'] === 'JSON' ? Format.JSON : Format.PEM
      return dapr.subtleGetKeyAlpha1({ componentName, name: it.message['name'] ?? '', format })
    }
    case 'encrypt':
      return dapr.subtleEncryptAlpha1(request)
    case 'decrypt':
      return dapr.subtleDecryptAlpha1(request)
    case 'wrapKey':
      return dapr.subtleWrapKeyAlpha1(request)
    case 'unwrapKey':
      return dapr.subtleUnwrapKeyAlpha1(request)
    case 'sign':
      return dapr.subtleSignAlpha1(request)
    case 'verify':
      return dapr.subtleVerifyAlpha1(request)
  }
}

/** Asks a runtime of this process. */
export async function subtleInProcess({ subtleCrypto }: RuntimeApi, it: Subtle): Promise<object> {
  const request = messageOf(it.message) as never
  switch (it.method) {
    case 'getKey': {
      const format = it.message['format'] === 'JSON' ? 'JSON' : 'PEM'
      return subtleCrypto.getKey(it.provider, it.message['name'] ?? '', format, {})
    }
    case 'encrypt':
      return subtleCrypto.encrypt(it.provider, request, {})
    case 'decrypt':
      return { plaintext: await subtleCrypto.decrypt(it.provider, request, {}) }
    case 'wrapKey':
      return subtleCrypto.wrapKey(it.provider, request, {})
    case 'unwrapKey':
      return { plaintextKey: await subtleCrypto.unwrapKey(it.provider, request, {}) }
    case 'sign':
      return { signature: await subtleCrypto.sign(it.provider, request, {}) }
    case 'verify':
      return { valid: await subtleCrypto.verify(it.provider, request, {}) }
  }
}

const texts: ReadonlySet<string> = new Set(['algorithm', 'keyName', 'name', 'format'])

function messageOf(message: Texts): Record<string, string | Uint8Array> {
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [
      name,
      texts.has(name) ? value : Buffer.from(value, 'base64'),
    ]),
  )
}
