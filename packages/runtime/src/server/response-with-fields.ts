import { Fields, type ServerResponse } from '@outrigger/wire'

/** A response that carries some fields more, whoever answers. */
export class ResponseWithFields implements ServerResponse {
  readonly #inner: ServerResponse
  readonly #extra: readonly string[]

  constructor(inner: ServerResponse, extra: readonly string[]) {
    this.#inner = inner
    this.#extra = extra
  }

  get started(): boolean {
    return this.#inner.started
  }

  send(...[status, fields, body]: Parameters<ServerResponse['send']>): void {
    this.#inner.send(status, this.#with(fields), body)
  }

  start(...[status, fields]: Parameters<ServerResponse['start']>): ReturnType<ServerResponse['start']> {
    return this.#inner.start(status, this.#with(fields))
  }

  abort(): void {
    this.#inner.abort()
  }

  #with(fields: Parameters<ServerResponse['send']>[1]): readonly string[] {
    if (fields === undefined) return this.#extra
    return this.#extra.concat(fields instanceof Fields ? fields.flat() : fields)
  }
}
