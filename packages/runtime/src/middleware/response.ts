import type { MiddlewareBodyInit, MiddlewareFields, MiddlewareResponse } from '@outrigger/spec'
import { Fields, type Body } from '@outrigger/wire'
import { bodyOf } from './body.ts'

/** An answer on its way back through a pipeline. */
export class PipelineResponse implements MiddlewareResponse {
  status: number
  readonly fields: Fields
  #body: Body
  readonly #source: { readonly trailers?: Fields | undefined } | undefined

  /** @param source knows the fields after the body, once that has ended */
  constructor(
    status: number,
    fields: Fields,
    body: Body,
    source?: { readonly trailers?: Fields | undefined },
  ) {
    this.status = status
    this.fields = fields
    this.#body = body
    this.#source = source
  }

  get body(): Body {
    return this.#body
  }

  get trailers(): Fields | undefined {
    return this.#source?.trailers
  }

  replaceBody(body: MiddlewareBodyInit): void {
    this.#body = bodyOf(body, this.#body)
    this.fields.delete('content-length')
  }
}

/** What came out of a pipeline, as an answer of ours: a middleware may hand back an object of its own. */
export function ours(response: MiddlewareResponse): PipelineResponse {
  if (response instanceof PipelineResponse) return response
  return new PipelineResponse(
    response.status,
    Fields.from([...iterable(response.fields)]),
    bodyOf(response.body),
  )
}

function iterable(fields: MiddlewareFields): Iterable<readonly [string, string]> {
  return { [Symbol.iterator]: () => fields[Symbol.iterator]() }
}
