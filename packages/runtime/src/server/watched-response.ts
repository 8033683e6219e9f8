import { Fields, type BodyWriter, type FieldsInit, type ServerResponse } from '@outrigger/wire'

/** A response that remembers what was answered, for the log of calls. */
export class WatchedResponse implements ServerResponse {
  /** 0 as long as there is none, and when the connection was cut instead. */
  status = 0
  /** Bytes of the body. */
  size = 0
  /** What gRPC says in the end. */
  grpcStatus: number | undefined
  readonly #inner: ServerResponse

  constructor(inner: ServerResponse) {
    this.#inner = inner
  }

  get started(): boolean {
    return this.#inner.started
  }

  send(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#inner.send(status, fields, body)
    this.status = status
    this.#count(body)
    this.#end(fields)
  }

  start(status: number, fields?: FieldsInit): BodyWriter {
    const writer = this.#inner.start(status, fields)
    this.status = status
    this.#end(fields)
    return {
      write: (chunk) => {
        this.#count(chunk)
        return writer.write(chunk)
      },
      end: (trailers) => {
        this.#end(trailers)
        writer.end(trailers)
      },
      abort: () => writer.abort(),
    }
  }

  abort(): void {
    this.#inner.abort()
  }

  #count(chunk: Uint8Array | string | undefined): void {
    if (chunk !== undefined) this.size += Buffer.byteLength(chunk)
  }

  #end(fields: FieldsInit | undefined): void {
    const status = fields === undefined ? undefined : Fields.from(fields).get('grpc-status')
    if (status !== undefined) this.grpcStatus = Number(status)
  }
}
