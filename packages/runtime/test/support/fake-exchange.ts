import { validateHeaderName, validateHeaderValue } from 'node:http'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import {
  Fields,
  WireError,
  type Body,
  type BodyWriter,
  type FieldsInit,
  type Handler,
  type ServerRequest,
  type ServerResponse,
} from '@outrigger/wire'
import { httpApi, type HttpApiOptions } from '../../src/server/http-api.ts'
import type { HttpRoute } from '../../src/server/router.ts'

export interface Asked {
  readonly method?: string
  /** Path and query, escaped. */
  readonly target: string
  readonly fields?: FieldsInit
  readonly body?: string | Uint8Array
  /** Most bytes of the body that are read. */
  readonly maxBodyBytes?: number
  readonly signal?: AbortSignal
}

export interface Answered {
  /** 0: the connection was cut without an answer. */
  readonly status: number
  readonly fields: Fields
  readonly text: string
  /** Whether the body came to its end. */
  readonly complete: boolean
}

/** Asks a handler as wire does, without a socket, and waits until it is done. */
export async function ask(handler: Handler, asked: Asked): Promise<Answered> {
  const [path, query = ''] = asked.target.split('?', 2) as [string, string?]
  const request: ServerRequest = {
    method: asked.method ?? 'GET',
    path,
    query,
    scheme: 'http',
    authority: 'sidecar',
    fields: Fields.from(asked.fields ?? []),
    body: bodyOf(asked.body ?? '', asked.maxBodyBytes),
    trailers: undefined,
    remoteAddress: '',
    signal: asked.signal ?? new AbortController().signal,
  }
  const response = new FakeResponse()
  await handler(request, response)
  return response
}

/** A body in memory; it can be read once. */
export function bodyOf(content: string | Uint8Array, limit = Number.POSITIVE_INFINITY): Body {
  const bytes = Buffer.from(content)
  const read = (most: number): Uint8Array => {
    if (bytes.length > most)
      throw new WireError('TOO_LARGE', `the body is larger than ${most} bytes`, { limit: most })
    return bytes
  }
  return {
    length: bytes.length,
    limit,
    bytes: async (most = limit) => read(most),
    cancel() {},
    async *[Symbol.asyncIterator]() {
      if (bytes.length > 0) yield read(limit)
    },
  }
}

/** Refuses the fields that a connection refuses. */
class FakeResponse implements ServerResponse, Answered {
  status = 0
  fields = new Fields()
  text = ''
  complete = false

  get started(): boolean {
    return this.status !== 0
  }

  send(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const writer = this.start(status, fields)
    if (body !== undefined) void writer.write(body)
    writer.end()
  }

  start(status: number, fields?: FieldsInit): BodyWriter {
    if (this.started) throw new WireError('PROTOCOL', 'answered twice')
    const checked = Fields.from(fields ?? [])
    for (const [name, value] of checked) {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    }
    this.status = status
    this.fields = checked
    return {
      write: (chunk) => void (this.text += Buffer.from(chunk).toString()),
      end: () => void (this.complete = true),
      abort: () => {},
    }
  }

  abort(): void {}
}

/** Routes alone, behind what every request passes. */
export function apiOf(routes: readonly HttpRoute[], options: Partial<HttpApiOptions> = {}): Handler {
  return httpApi({
    routes,
    fallback: { name: 'none', methods: [], path: '*', handle: (call) => call.response.send(418) },
    apiToken: undefined,
    cors: undefined,
    logCalls: undefined,
    logger: recordingLogger(),
    clock: virtualClock(),
    ...options,
  })
}
