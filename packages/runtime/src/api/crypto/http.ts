import { isWireError } from '@outrigger/wire'
import type { HttpCall } from '../../server/http-call.ts'
import type { HttpRoute } from '../../server/router.ts'
import { bodyError } from '../json-body.ts'
import { badRequest, type CryptoHandler } from './handler.ts'

const octetStream = ['content-type', 'application/octet-stream']

/**
 * Up to here an answer is gathered before it begins: an error anywhere in it still has its status, and clients that read the
 * answer only when they have sent everything, as many do, come through. It is the default limit of a body. What is longer is
 * passed on piece by piece, at the pace of the client; an error breaks the answer off.
 */
const gatheredBytes = 4 * 1024 * 1024

/** The routes of encrypted streams. */
export function cryptoRoutes(handler: CryptoHandler): HttpRoute[] {
  return [
    {
      name: 'Encrypt',
      methods: ['PUT'],
      path: 'v1.0-alpha1/crypto/:name/encrypt',
      handle(call) {
        handler.checkProvider(call.params[0]!)
        const { fields } = call.request
        const keyName = fields.get('dapr-key-name')
        const keyWrapAlgorithm = fields.get('dapr-key-wrap-algorithm')
        return answer(call, () =>
          handler.encrypt(
            {
              componentName: call.params[0]!,
              keyName: required(keyName, 'dapr-key-name'),
              keyWrapAlgorithm: required(keyWrapAlgorithm, 'dapr-key-wrap-algorithm'),
              dataEncryptionCipher: fields.get('dapr-data-encryption-cipher'),
              omitDecryptionKeyName: isTrue(fields.get('dapr-omit-decryption-key-name')),
              decryptionKeyName: fields.get('dapr-decryption-key-name'),
              data: call.request.body,
            },
            call,
          ),
        )
      },
    },
    {
      name: 'Decrypt',
      methods: ['PUT'],
      path: 'v1.0-alpha1/crypto/:name/decrypt',
      handle(call) {
        const keyName = call.request.fields.get('dapr-key-name')
        return answer(call, () =>
          handler.decrypt({ componentName: call.params[0]!, keyName, data: call.request.body }, call),
        )
      },
    },
  ]
}

function required(value: string | undefined, header: string): string {
  if (value === undefined || value === '') throw badRequest(`missing header '${header}'`)
  return value
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|y|yes|t|true|on)$/i.test(value.trim())
}

async function answer(call: HttpCall, work: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
  try {
    await send(call, await work())
  } catch (error) {
    throw isWireError(error) && !call.response.started ? bodyError(error) : error
  }
}

async function send({ response }: HttpCall, stream: AsyncIterable<Uint8Array>): Promise<void> {
  const gathered: Uint8Array[] = []
  let length = 0
  let writer: ReturnType<typeof response.start> | undefined
  try {
    for await (const chunk of stream) {
      if (writer !== undefined) {
        await writer.write(chunk)
        continue
      }
      gathered.push(chunk)
      length += chunk.length
      if (length <= gatheredBytes) continue
      writer = response.start(200, octetStream)
      for (const each of gathered.splice(0)) await writer.write(each)
    }
  } catch (error) {
    writer?.abort()
    throw error
  }
  if (writer === undefined) response.send(200, octetStream, Buffer.concat(gathered, length))
  else writer.end()
}
