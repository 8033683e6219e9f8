import type {
  HttpMiddleware,
  MiddlewareBodyInit,
  MiddlewareRequest,
  MiddlewareResponse,
} from '@outrigger/spec'
import { TestBody } from './body.ts'
import { TestFields, type FieldsInput } from './fields.ts'

/** A request for a middleware; what is left out is empty, and `GET /`. */
export interface MiddlewareInput {
  readonly method?: string | undefined
  /** Path and query, escaped. */
  readonly target?: string | undefined
  readonly scheme?: 'http' | 'https' | undefined
  readonly authority?: string | undefined
  readonly remoteAddress?: string | undefined
  readonly fields?: FieldsInput | undefined
  readonly body?: MiddlewareBodyInit | undefined
  readonly signal?: AbortSignal | undefined
}

/** What stands behind the middleware answers; what is left out is empty, and 200. */
export interface MiddlewareAnswer {
  readonly status?: number | undefined
  readonly fields?: FieldsInput | undefined
  readonly body?: MiddlewareBodyInit | undefined
}

/** What came of a request. */
export interface MiddlewareOutcome {
  readonly status: number
  readonly fields: TestFields
  /** The body of the answer as text. */
  readonly text: string
  readonly bytes: Uint8Array
  /** What came through to the end of the pipeline; `undefined` when the middleware answered itself. */
  readonly passed: PassedRequest | undefined
}

/** A request as it came through. */
export interface PassedRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly fields: TestFields
  readonly text: string
  readonly bytes: Uint8Array
}

class Response implements MiddlewareResponse {
  status: number
  readonly fields: TestFields
  body: TestBody
  readonly trailers = undefined

  constructor(status: number, fields: FieldsInput | undefined, body: MiddlewareBodyInit | undefined) {
    this.status = status
    this.fields = new TestFields(fields)
    this.body = new TestBody(body)
  }

  replaceBody(body: MiddlewareBodyInit): void {
    this.body = new TestBody(body)
    this.fields.delete('content-length')
  }
}

/** A request as a runtime hands it over, without one. */
export class TestRequest implements MiddlewareRequest {
  method: string
  path: string
  query: string
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly remoteAddress: string
  readonly fields: TestFields
  body: TestBody
  readonly trailers = undefined
  readonly signal: AbortSignal

  constructor(input: MiddlewareInput = {}) {
    const [path = '', ...query] = (input.target ?? '/').split('?')
    this.method = input.method ?? 'GET'
    this.path = path
    this.query = query.join('?')
    this.scheme = input.scheme ?? 'http'
    this.authority = input.authority ?? ''
    this.remoteAddress = input.remoteAddress ?? ''
    this.fields = new TestFields(input.fields)
    this.body = new TestBody(input.body)
    this.signal = input.signal ?? new AbortController().signal
  }

  get target(): string {
    return this.query === '' ? this.path : `${this.path}?${this.query}`
  }

  replaceBody(body: MiddlewareBodyInit): void {
    this.body = new TestBody(body)
    this.fields.delete('content-length')
  }

  respond(
    status: number,
    fields?: Readonly<Record<string, string>>,
    body?: MiddlewareBodyInit,
  ): MiddlewareResponse {
    return new Response(status, fields, body)
  }
}

/** The end of a pipeline: answers, and remembers what came. */
export type Behind = (request: TestRequest) => MiddlewareAnswer | Promise<MiddlewareAnswer>

/** Sends a request through a middleware and reads the answer. What the middleware throws is thrown. */
export async function exchange(
  middleware: Pick<HttpMiddleware, 'handle'>,
  input: MiddlewareInput = {},
  behind: Behind = () => ({}),
): Promise<MiddlewareOutcome> {
  const sent = new TestRequest(input)
  let passed: PassedRequest | undefined
  const response = await middleware.handle(sent, async (request) => {
    if (request !== sent) throw new Error('next was called with another request')
    if (passed !== undefined) throw new Error('next was called twice')
    const bytes = await sent.body.bytes()
    const fields = new TestFields(sent.fields.entries())
    passed = { method: sent.method, target: sent.target, fields, bytes, text: Buffer.from(bytes).toString() }
    return answered(await behind(sent))
  })
  const bytes = await response.body.bytes()
  const fields = response.fields as TestFields
  return { status: response.status, fields, bytes, text: Buffer.from(bytes).toString(), passed }
}

/** An answer as a runtime hands it back. */
export function answered({ status = 200, fields, body }: MiddlewareAnswer): MiddlewareResponse {
  return new Response(status, fields, body)
}
