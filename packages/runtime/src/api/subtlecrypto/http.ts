import type { HttpCall } from '../../server/http-call.ts'
import type { HttpRoute } from '../../server/router.ts'
import { badRequest } from '../crypto/handler.ts'
import { isRecord, malformed, readBody, textIn } from '../json-body.ts'
import type { KeyFormat, SubtleCryptoHandler } from './handler.ts'

const jsonType = ['content-type', 'application/json']
const none = new Uint8Array(0)

/** A request in the JSON form of its message: names in either spelling, bytes in base64, `null` for what is absent. */
class Message {
  readonly #members: Readonly<Record<string, unknown>>

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members
  }

  text(name: string): string {
    return textIn(this.member(name), name) ?? ''
  }

  bytes(name: string): Uint8Array {
    return this.optionalBytes(name) ?? none
  }

  optionalBytes(name: string): Uint8Array | undefined {
    const text = textIn(this.member(name), name)
    if (text === undefined) return undefined
    const compact = text.replace(/={0,2}$/, '')
    if (/^[A-Za-z0-9+/_-]*$/.test(compact) && compact.length % 4 !== 1) return Buffer.from(compact, 'base64')
    throw malformed(`${name} must be base64`)
  }

  member(name: string): unknown {
    const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return this.#members[name] ?? this.#members[snake]
  }
}

/** An empty body is a message without anything. */
async function readMessage(call: HttpCall): Promise<Message> {
  const body = Buffer.from(await readBody(call)).toString()
  if (body === '') return new Message({})
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    // The text of the error may quote the body, which may hold keys.
    throw malformed('the body is not valid JSON')
  }
  if (!isRecord(value)) throw malformed('an object is expected')
  return new Message(value)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const withTag = (tag: Uint8Array | undefined): object => (tag === undefined ? {} : { tag: base64(tag) })

function formatIn(message: Message): KeyFormat {
  const value = message.member('format')
  if (value === undefined || value === null || value === 0 || value === 'PEM') return 'PEM'
  if (value === 1 || value === 'JSON') return 'JSON'
  if (typeof value === 'number') throw badRequest('invalid key format')
  throw malformed('format must be PEM or JSON')
}

/** The routes of single operations with keys. */
export function subtleCryptoRoutes(handler: SubtleCryptoHandler): HttpRoute[] {
  const route = (
    name: string,
    segment: string,
    work: (component: string, message: Message, call: HttpCall) => Promise<object>,
  ): HttpRoute => ({
    name,
    methods: ['POST'],
    path: `v1.0-alpha1/subtlecrypto/:name/${segment}`,
    async handle(call) {
      const result = await work(call.params[0]!, await readMessage(call), call)
      call.response.send(200, jsonType, JSON.stringify(result))
    },
  })
  const common = (message: Message) => ({
    algorithm: message.text('algorithm'),
    keyName: message.text('keyName'),
  })
  const parameters = (message: Message) => ({
    ...common(message),
    nonce: message.optionalBytes('nonce'),
    associatedData: message.optionalBytes('associatedData'),
  })
  return [
    route('SubtleGetKey', 'getkey', (component, message, call) =>
      handler.getKey(component, message.text('name'), formatIn(message), call),
    ),
    route('SubtleEncrypt', 'encrypt', async (component, message, call) => {
      const request = { ...parameters(message), plaintext: message.bytes('plaintext') }
      const { ciphertext, tag } = await handler.encrypt(component, request, call)
      return { ciphertext: base64(ciphertext), ...withTag(tag) }
    }),
    route('SubtleDecrypt', 'decrypt', async (component, message, call) => {
      const sealed = { ciphertext: message.bytes('ciphertext'), tag: message.optionalBytes('tag') }
      return {
        plaintext: base64(await handler.decrypt(component, { ...parameters(message), ...sealed }, call)),
      }
    }),
    route('SubtleWrapKey', 'wrapkey', async (component, message, call) => {
      const request = { ...parameters(message), plaintextKey: message.bytes('plaintextKey') }
      const { wrappedKey, tag } = await handler.wrapKey(component, request, call)
      return { wrappedKey: base64(wrappedKey), ...withTag(tag) }
    }),
    route('SubtleUnwrapKey', 'unwrapkey', async (component, message, call) => {
      const wrapped = { wrappedKey: message.bytes('wrappedKey'), tag: message.optionalBytes('tag') }
      const key = await handler.unwrapKey(component, { ...parameters(message), ...wrapped }, call)
      return { plaintextKey: base64(key) }
    }),
    route('SubtleSign', 'sign', async (component, message, call) => {
      const request = { ...common(message), digest: message.bytes('digest') }
      return { signature: base64(await handler.sign(component, request, call)) }
    }),
    route('SubtleVerify', 'verify', async (component, message, call) => {
      const signed = { digest: message.bytes('digest'), signature: message.bytes('signature') }
      return { valid: await handler.verify(component, { ...common(message), ...signed }, call) }
    }),
  ]
}
