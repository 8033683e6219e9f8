import type { AppAnswer, AppRequest } from './request.ts'

/** As `InProcessApp` of `@outrigger/runtime`. */
export type InProcessApp = (request: {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly fields: Iterable<readonly [name: string, value: string]>
  readonly body: Uint8Array
  readonly signal: AbortSignal | undefined
}) => Promise<{
  readonly status: number
  readonly fields: readonly string[]
  readonly body: string | Uint8Array
}>

export function inProcessApp(handle: (request: AppRequest) => Promise<AppAnswer | undefined>): InProcessApp {
  return async ({ method, path, fields, body, signal }) => {
    const mark = path.indexOf('?')
    const answer = await handle({
      method,
      path: mark === -1 ? path : path.slice(0, mark),
      query: mark === -1 ? '' : path.slice(mark + 1),
      headers: new Map(Array.from(fields, ([name, value]) => [name.toLowerCase(), value])),
      body,
      signal,
    })
    if (answer === undefined) return { status: 404, fields: [], body: '' }
    return { status: answer.status, fields: Object.entries(answer.headers).flat(), body: answer.body }
  }
}
