import { isWireError, type Body, type ClientResponse } from '@outrigger/wire'
import type { CallOptions } from '../call.ts'
import { clientError, isOutriggerError } from '../error.ts'
import type { CryptoPort } from '../sections/crypto.ts'
import type { InvokePort } from '../sections/invoke.ts'
import { remembering } from '../remembering.ts'
import { answerError, sidecarError } from './answer-error.ts'
import type { HttpCaller } from './caller.ts'
import { segment } from './path.ts'

const octetStream = ['content-type', 'application/octet-stream']
/** Up to here an answer is held at once: who does not read it keeps no connection busy. */
const smallBytes = 64 * 1024
const mostErrorBytes = 1024 * 1024

export function httpCrypto(caller: HttpCaller): CryptoPort {
  return {
    async *encrypt(component, data, options) {
      const { keyName, keyWrapAlgorithm, dataEncryptionCipher, omitDecryptionKeyName, decryptionKeyName } =
        options
      const fields = [...octetStream, 'dapr-key-name', keyName, 'dapr-key-wrap-algorithm', keyWrapAlgorithm]
      if (dataEncryptionCipher !== undefined) fields.push('dapr-data-encryption-cipher', dataEncryptionCipher)
      if (omitDecryptionKeyName === true) fields.push('dapr-omit-decryption-key-name', 'true')
      if (decryptionKeyName !== undefined) fields.push('dapr-decryption-key-name', decryptionKeyName)
      yield* stream(caller, `/v1.0-alpha1/crypto/${segment(component)}/encrypt`, fields, data, options)
    },
    async *decrypt(component, data, options) {
      const { keyName } = options
      const fields = keyName === undefined ? octetStream : [...octetStream, 'dapr-key-name', keyName]
      yield* stream(caller, `/v1.0-alpha1/crypto/${segment(component)}/decrypt`, fields, data, options)
    },
  }
}

async function* stream(
  caller: HttpCaller,
  path: string,
  fields: readonly string[],
  data: AsyncIterable<Uint8Array>,
  options: CallOptions,
): AsyncGenerator<Uint8Array, void> {
  // What the source fails with is told as it is, and not as a request that broke off.
  const source = remembering(data)
  let response: ClientResponse
  try {
    response = await caller.open({ method: 'PUT', path, fields, body: source.data }, options, true)
  } catch (error) {
    throw source.failure() ?? explained(error)
  }
  if (response.status !== 200)
    throw answerError(response.status, await caller.read(response, options, mostErrorBytes))
  try {
    yield* passOn(response.body, (error) => caller.failed(error, options))
  } catch (error) {
    throw source.failure() ?? error
  }
}

/** Who is cut off while sending never sees why. */
function explained(error: unknown): unknown {
  if (!isOutriggerError(error, 'ERR_CLIENT_UNAVAILABLE') || !isWireError(error.cause, 'RESET')) return error
  const hint =
    'it may have refused the stream: over HTTP bodies are limited by --max-body-size of the sidecar, over gRPC streams are not'
  return clientError('ERR_CLIENT_UNAVAILABLE', `${error.message}; ${hint}`, error.cause)
}

export function httpInvoke(caller: HttpCaller): InvokePort {
  return {
    async invoke({ appId, method, path, fields, body, maxBodyBytes }, options) {
      const target = `/v1.0/invoke/${segment(appId)}/method${path}`
      const response = await caller.open(
        { method, path: target, fields, ...(body !== undefined && { body }) },
        options,
        true,
      )
      response.body.limit = maxBodyBytes ?? caller.settings.maxBodyBytes
      return responseOf(response, (error) => caller.failed(error, options))
    },
  }
}

/** What wire and a runtime in this process answer. */
export interface RawAnswer {
  readonly status: number
  readonly fields: Iterable<readonly [name: string, value: string]> & {
    get(name: string): string | undefined
  }
  readonly body: Body
}

const empty: ReadonlySet<number> = new Set([204, 205, 304])

/** An answer as a Response. @throws OutriggerError when it is that of the sidecar and not of the application */
export async function responseOf(answer: RawAnswer, failed: (error: unknown) => unknown): Promise<Response> {
  const { status, fields, body } = answer
  if (status < 200 || status > 599) {
    body.cancel()
    throw clientError('ERR_CLIENT_ANSWER', `the application answered with status ${status}`)
  }
  const init = { status, headers: headersOf(fields) }
  if (empty.has(status)) {
    body.cancel()
    return new Response(null, init)
  }
  const isSmall = body.length !== undefined && body.length <= Math.min(smallBytes, body.limit)
  if (!isSmall) return new Response(ReadableStream.from(passOn(body, failed)) as never, init)
  let bytes: Uint8Array
  try {
    bytes = await body.bytes()
  } catch (error) {
    throw failed(error)
  }
  if (status >= 400) {
    const error = sidecarError(status, bytes)
    if (error !== undefined) throw error
  }
  return new Response(bytes as never, init)
}

async function* passOn(body: Body, failed: (error: unknown) => unknown): AsyncGenerator<Uint8Array, void> {
  let ended = false
  try {
    yield* body
    ended = true
  } catch (error) {
    throw failed(error)
  } finally {
    if (!ended) body.cancel()
  }
}

function headersOf(fields: RawAnswer['fields']): Headers {
  const headers = new Headers()
  for (const [name, value] of fields) {
    try {
      headers.append(name, value)
    } catch {
      // A field that fetch knows no way to hold: nobody could ask for it.
    }
  }
  return headers
}
