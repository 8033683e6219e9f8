import type { DecryptRequest, EncryptRequest } from '@outrigger/proto/runtime'
import { ApiError } from '../api-error.ts'
import { optional, optionsOf, required, type DaprHandlers } from '../grpc-call.ts'
import type { CryptoHandler } from './handler.ts'

/** Bytes of one message of an answer. */
const pieceBytes = 64 * 1024

/** The methods of encrypted streams of the gRPC API. */
export function cryptoMethods(
  handler: CryptoHandler,
): Required<Pick<DaprHandlers, 'encryptAlpha1' | 'decryptAlpha1'>> {
  return {
    async *encryptAlpha1(requests, call) {
      const { options, data } = await begin<EncryptRequest>(requests)
      const { componentName, keyName, keyWrapAlgorithm, omitDecryptionKeyName } = options
      const stream = await handler.encrypt(
        {
          componentName,
          keyName,
          keyWrapAlgorithm,
          omitDecryptionKeyName,
          dataEncryptionCipher: optional(options.dataEncryptionCipher),
          decryptionKeyName: optional(options.decryptionKeyName),
          data,
        },
        optionsOf(call),
      )
      yield* payloads(stream)
    },
    async *decryptAlpha1(requests, call) {
      const { options, data } = await begin<DecryptRequest>(requests)
      const { componentName } = options
      const request = { componentName, keyName: optional(options.keyName), data }
      yield* payloads(await handler.decrypt(request, optionsOf(call)))
    },
  }
}

interface StreamMessage {
  readonly options?: object | undefined
  readonly payload?: { readonly data: Uint8Array; readonly seq: bigint } | undefined
}

/** The options stand in the first message only; payloads count from 0. */
async function begin<M extends StreamMessage>(
  requests: AsyncIterable<M>,
): Promise<{ options: NonNullable<M['options']>; data: AsyncIterable<Uint8Array> }> {
  const iterator = requests[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done === true) throw new ApiError('MALFORMED_REQUEST', 'the stream is empty')
  const options = required(first.value.options, 'options in the first message') as NonNullable<M['options']>
  return { options, data: dataOf(first.value, { [Symbol.asyncIterator]: () => iterator }) }
}

async function* dataOf<M extends StreamMessage>(
  first: M,
  rest: AsyncIterable<M>,
): AsyncGenerator<Uint8Array> {
  let expected = 0n
  const check = ({ payload }: M): Uint8Array | undefined => {
    if (payload === undefined) return undefined
    if (payload.seq !== expected) {
      throw new ApiError('MALFORMED_REQUEST', `payload ${payload.seq} came where ${expected} was expected`)
    }
    expected++
    return payload.data
  }
  const head = check(first)
  if (head !== undefined) yield head
  for await (const message of rest) {
    if (message.options !== undefined) {
      throw new ApiError('MALFORMED_REQUEST', 'options are allowed in the first message only')
    }
    const data = check(message)
    if (data !== undefined) yield data
  }
}

async function* payloads(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ payload: { data: Uint8Array; seq: bigint } }> {
  let seq = 0n
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      yield { payload: { data: chunk.subarray(at, at + pieceBytes), seq: seq++ } }
    }
  }
}
