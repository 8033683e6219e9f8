import type { MiddlewareResponse } from '@outrigger/spec'
import { Fields, WireError, type BodyWriter, type FieldsInit, type ServerResponse } from '@outrigger/wire'
import { bodyOf } from './body.ts'
import { BodyPipe } from './body-pipe.ts'
import { PipelineResponse } from './response.ts'

/** What a handler of the server answers, taken as something that can pass through a pipeline. */
export class CapturedResponse implements ServerResponse {
  started = false
  /** The connection was cut, or belongs to another protocol now: there is nothing to send. */
  outcome: 'answer' | 'cut' | 'handed over' = 'answer'
  readonly #head = Promise.withResolvers<MiddlewareResponse>()
  #pipe: BodyPipe | undefined
  #unwanted = false

  constructor() {
    // A middleware may answer without waiting for it.
    this.#head.promise.catch(() => {})
  }

  /** Resolves when status and fields are decided. */
  get head(): Promise<MiddlewareResponse> {
    return this.#head.promise
  }

  send(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#begin()
    this.#head.resolve(new PipelineResponse(status, copy(fields), bodyOf(body)))
  }

  start(status: number, init?: FieldsInit): BodyWriter {
    this.#begin()
    const fields = copy(init)
    const length = fields.get('content-length')
    const pipe = new BodyPipe(length === undefined ? undefined : Number(length))
    this.#pipe = pipe
    if (this.#unwanted) pipe.cancel()
    this.#head.resolve(new PipelineResponse(status, fields, pipe, pipe))
    return pipe
  }

  abort(): void {
    this.started = true
    this.outcome = 'cut'
    this.#pipe?.abort()
    this.#head.reject(new WireError('ABORTED', 'the answer was cut off'))
  }

  handOver(): void {
    this.#begin()
    this.outcome = 'handed over'
    this.#head.resolve(new PipelineResponse(101, new Fields(), bodyOf(undefined)))
  }

  /** The handler is done: what it did not answer or end will not come any more. */
  settle(error?: unknown): void {
    this.#pipe?.abort()
    this.#head.reject(error ?? new Error('the route ended without an answer'))
  }

  /** Nobody reads the answer any more. */
  discard(): void {
    this.#unwanted = true
    this.#pipe?.cancel()
  }

  #begin(): void {
    if (this.started) throw new WireError('PROTOCOL', 'the request was answered already')
    this.started = true
  }
}

function copy(init: FieldsInit | undefined): Fields {
  return Fields.from(init ?? [])
}
