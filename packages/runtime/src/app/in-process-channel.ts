import { Fields, WireError, type Body, type FieldsInit } from '@outrigger/wire'
import type { AppChannel, AppRequest, AppResponse } from './channel.ts'

/** What an application inside this process answers. */
export interface InProcessResponse {
  /** Default 200. */
  readonly status?: number
  readonly fields?: FieldsInit
  readonly body?: Uint8Array | string
}

/** An application inside this process: a function from requests to responses, as over HTTP. */
export type InProcessApp = (request: {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly fields: Fields
  readonly body: Uint8Array
  readonly signal: AbortSignal | undefined
}) => InProcessResponse | Promise<InProcessResponse>

/** Reaches an application that is a function. What it throws is answered as status 500, as over HTTP. */
export function createInProcessChannel(app: InProcessApp): AppChannel {
  return {
    address: 'in-process',
    async call(request: AppRequest): Promise<AppResponse> {
      const body = await whole(request.body)
      let answer: InProcessResponse
      try {
        const { method, path, signal } = request
        answer = await app({ method, path, fields: Fields.from(request.fields ?? []), body, signal })
      } catch (error) {
        answer = { status: 500, body: error instanceof Error ? error.message : String(error) }
      }
      return {
        status: answer.status ?? 200,
        fields: Fields.from(answer.fields ?? []),
        body: new MemoryBody(
          typeof answer.body === 'string' ? new TextEncoder().encode(answer.body) : answer.body,
        ),
      }
    },
    close() {},
  }
}

async function whole(body: AppRequest['body']): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0)
  if (body instanceof Uint8Array) return body
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

class MemoryBody implements Body {
  limit = Number.POSITIVE_INFINITY
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array | undefined) {
    this.#bytes = bytes ?? new Uint8Array(0)
  }

  get length(): number {
    return this.#bytes.length
  }

  bytes(limit = this.limit): Promise<Uint8Array> {
    if (this.#bytes.length <= limit) return Promise.resolve(this.#bytes)
    return Promise.reject(new WireError('TOO_LARGE', `the body is larger than ${limit} bytes`, { limit }))
  }

  cancel(): void {}

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#bytes.length > 0) yield await this.bytes()
  }
}
