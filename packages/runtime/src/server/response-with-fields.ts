import { Fields, type FieldsInit, type ServerResponse } from '@outrigger/wire'

/** A response that carries some fields more, whoever answers. */
export class ResponseWithFields implements ServerResponse {
  readonly #inner: ServerResponse
  readonly #extra: readonly string[]
  readonly #instead: boolean

  /**
   * @param extra names and values in turn; an answer that has one of these names keeps its own
   * @param instead theirs are replaced, but for `vary`, which has both
   */
  constructor(inner: ServerResponse, extra: readonly string[], { instead = false } = {}) {
    this.#inner = inner
    this.#extra = extra
    this.#instead = instead
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

  #with(init: Parameters<ServerResponse['send']>[1]): FieldsInit {
    const extra = this.#extra
    if (init === undefined) return extra
    const fields = Fields.from(init)
    for (let index = 0; index < extra.length; index += 2) {
      const name = extra[index]!
      const value = extra[index + 1]!
      if (name === 'vary' || !fields.has(name)) fields.append(name, value)
      else if (this.#instead) fields.set(name, value)
    }
    return fields
  }
}
