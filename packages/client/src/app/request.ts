/** A request of the sidecar, whatever serves it. */
export interface AppRequest {
  readonly method: string
  /** As it was sent: escaped, without the query. */
  readonly path: string
  /** As it was sent, without `?`. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** Aborts when the sidecar has given up. */
  readonly signal?: AbortSignal | undefined
}

export interface AppAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** What serves one path. */
export interface AppRoute {
  readonly method: string
  readonly path: string
  /** Everything below `path` belongs to it as well; `path` ends with a slash then. */
  readonly below: boolean
  run(request: AppRequest): Promise<AppAnswer> | AppAnswer
}

const jsonHeaders = { 'content-type': 'application/json' }
const textHeaders = { 'content-type': 'text/plain; charset=utf-8' }

export function json(value: unknown, status = 200): AppAnswer {
  return { status, headers: jsonHeaders, body: JSON.stringify(value) }
}

export function text(status: number, body: string): AppAnswer {
  return { status, headers: textHeaders, body }
}

export const noContent: AppAnswer = { status: 204, headers: {}, body: '' }

/** Headers of Node.js as they come; of several with one name the values in a row. */
export function headersFrom(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) map.set(name.toLowerCase(), typeof value === 'string' ? value : value.join(', '))
  return map
}
