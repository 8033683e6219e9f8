import { DatabaseSync } from 'node:sqlite'
import { callsOf } from '@outrigger/proto/call'
import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { Dapr } from '@outrigger/proto/runtime'
import type { Fields } from '@outrigger/wire'
import { GrpcChannel, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { peers } from '../../interop/peers.ts'
import { call, type Sidecar } from '../../src/index.ts'

export interface Asked {
  readonly verb?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly query?: string
  readonly contentType?: string
}

/** What came of a call: a status of HTTP, or a code of gRPC, where 0 is success. */
export interface Answered {
  readonly status: number
  /** The body, or the message of an error. */
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly trailers?: Fields | undefined
}

/** Invokes a method by the HTTP API of a sidecar. */
export async function overHttp(
  sidecar: Sidecar,
  target: string,
  method: string,
  asked: Asked = {},
): Promise<Answered> {
  const { verb = 'GET', headers = {}, body, query, contentType } = asked
  const path = `/v1.0/invoke/${target}/method/${method}${query === undefined ? '' : `?${query}`}`
  const type = contentType === undefined ? {} : { 'content-type': contentType }
  return call(sidecar.httpPort, verb, path, body, { ...type, ...headers })
}

/** The same by InvokeService. */
export async function overGrpc(
  sidecar: Sidecar,
  target: string,
  method: string,
  asked: Asked = {},
): Promise<Answered> {
  const { verb = 'GET', headers = {}, body, query = '', contentType = '' } = asked
  const client = createHttp2Client()
  const { invokeService } = callsOf(
    Dapr,
    new GrpcChannel({ origin: `http://127.0.0.1:${sidecar.grpcPort}`, client }),
  )
  let initial: Fields | undefined
  let trailers: Fields | undefined
  const answered = (status: number, text: string): Answered => {
    return { status, text, headers: Object.fromEntries(initial ?? []), trailers }
  }
  try {
    const answer = await invokeService(
      {
        id: target,
        message: {
          method,
          contentType,
          ...(body !== undefined && { data: { typeUrl: '', value: Buffer.from(body) } }),
          httpExtension: {
            verb: HTTPExtension_Verb[verb as keyof typeof HTTPExtension_Verb],
            querystring: query,
          },
        },
      },
      {
        metadata: Object.entries(headers).flat(),
        onMetadata: (fields) => (initial = fields),
        onTrailers: (fields) => (trailers = fields),
      },
    )
    return answered(0, Buffer.from(answer.data?.value ?? []).toString())
  } catch (error) {
    if (!isGrpcError(error)) throw error
    trailers ??= error.trailers
    return answered(error.code, error.message)
  } finally {
    client.close()
  }
}

/** Says in the file of names that an application is where another one is, for an hour. */
export function pretend(names: string, appId: string, port: number): void {
  const database = new DatabaseSync(names)
  try {
    database.exec('PRAGMA busy_timeout = 5000')
    database
      .prepare('REPLACE INTO hosts VALUES (?, ?, ?, ?, ?)')
      .run(`pretended-${appId}`, `localhost:${port}`, appId, 'default', Math.ceil(Date.now() / 1000) + 3600)
  } finally {
    database.close()
  }
}

/** Calls a unary method of the application itself through the sidecar, which knows nothing of it. */
export async function proxied(
  sidecar: Sidecar,
  target: string,
  headers: Asked['headers'] = {},
): Promise<Answered> {
  const caller = peers.ours.call({ port: sidecar.grpcPort, certificate: undefined })
  async function* requests(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('hello')
  }
  try {
    const made = caller.call('Unary', requests(), { metadata: { 'dapr-app-id': target, ...headers } })
    let text = ''
    for await (const message of made.messages) text += Buffer.from(message).toString()
    const { code, message } = await made.outcome
    return { status: code, text: code === 0 ? text : message, headers: {} }
  } finally {
    caller.close()
  }
}
