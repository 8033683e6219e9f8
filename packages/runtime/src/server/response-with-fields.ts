import type { ServerResponse } from '@outrigger/wire'

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
    const list = [...this.#extra]
    if (fields === undefined) return list
    if (Array.isArray(fields)) return list.concat(fields)
    for (const [name, value] of fields as Iterable<readonly [string, string]>) list.push(name, value)
    return list
  }
}
