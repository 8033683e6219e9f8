import type { MiddlewareBodyInit, MiddlewareRequest, MiddlewareResponse } from '@outrigger/spec'
import { Fields, type Body } from '@outrigger/wire'
import { bodyOf } from './body.ts'
import { PipelineResponse } from './response.ts'

/** A request on its way through a pipeline. It knows where it goes at the end, so that pipelines are made at load. */
export abstract class Exchange implements MiddlewareRequest {
  method: string
  path: string
  query: string
  readonly fields: Fields
  abstract readonly scheme: 'http' | 'https'
  abstract readonly authority: string
  abstract readonly remoteAddress: string
  abstract readonly trailers: Fields | undefined
  abstract readonly signal: AbortSignal
  #body: Body
  #passed = false

  constructor(method: string, path: string, query: string, fields: Fields, body: Body) {
    this.method = method
    this.path = path
    this.query = query
    this.fields = fields
    this.#body = body
  }

  get body(): Body {
    return this.#body
  }

  replaceBody(body: MiddlewareBodyInit): void {
    this.#body = bodyOf(body, this.#body)
    this.fields.delete('content-length')
  }

  respond(
    status: number,
    fields: Readonly<Record<string, string>> = {},
    body?: MiddlewareBodyInit,
  ): PipelineResponse {
    return new PipelineResponse(status, Fields.from(fields), bodyOf(body))
  }

  /** The end of every pipeline. */
  pass(): Promise<MiddlewareResponse> {
    if (this.#passed) throw new Error('a middleware called next twice for one request')
    this.#passed = true
    return this.arrive()
  }

  /** Does what the pipeline stands before. */
  protected abstract arrive(): Promise<MiddlewareResponse>
}
