import { Fields, WireError } from '@outrigger/wire'
import type { Body, FieldsInit } from '@outrigger/wire'
import type { AppRequest, AppResponse, HttpAppChannel } from '../../src/app/channel.ts'

export interface Call {
  readonly method: string
  readonly path: string
  readonly fields: Fields
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly body?: string
  readonly fields?: FieldsInit
}

/** An application in memory: `handle` answers its calls, and while it is down no call reaches it. */
export class FakeApp implements HttpAppChannel {
  readonly kind = 'http'
  readonly address = 'http://app'
  readonly calls: Call[] = []
  down = false
  handle: (call: Call) => Answer | Promise<Answer> = () => ({})

  async call(request: AppRequest): Promise<AppResponse> {
    if (request.signal?.aborted) throw new WireError('ABORTED', 'given up')
    if (this.down) throw new WireError('CONNECT', 'connection refused')
    const fields = Fields.from(request.fields ?? [])
    const body = Buffer.from((request.body as Uint8Array | undefined) ?? []).toString()
    const call = { method: request.method, path: request.path, fields, body }
    this.calls.push(call)
    const answer = await orAborted(Promise.resolve(this.handle(call)), request.signal)
    return {
      status: answer.status ?? 200,
      fields: Fields.from(answer.fields ?? []),
      body: bodyOf(answer.body ?? ''),
    }
  }

  close(): void {}

  /** Paths that got a POST. */
  get posts(): string[] {
    return this.calls.filter(({ method }) => method === 'POST').map(({ path }) => path)
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new WireError('ABORTED', 'given up')), { once: true })
    work.then(resolve, reject)
  })
}

function bodyOf(text: string): Body {
  const bytes = Buffer.from(text)
  return {
    length: bytes.length,
    limit: Number.POSITIVE_INFINITY,
    bytes: (limit = Number.POSITIVE_INFINITY) =>
      bytes.length > limit
        ? Promise.reject(new WireError('TOO_LARGE', 'too large', { limit }))
        : Promise.resolve(bytes),
    cancel() {},
    async *[Symbol.asyncIterator]() {
      yield bytes
    },
  }
}
