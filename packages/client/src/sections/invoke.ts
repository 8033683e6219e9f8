import { noOptions, type CallOptions } from '../call.ts'
import { clientError } from '../error.ts'
import { jsonOf, required } from '../values.ts'
import type { ByteSource } from './crypto.ts'

export interface InvokeOptions extends Omit<CallOptions, 'metadata'> {
  /** Default GET, with a body POST. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Appended to the path. */
  readonly query?: Readonly<Record<string, string>> | undefined
  /** Sent as it is; a text as UTF-8. */
  readonly body?: string | ByteSource | undefined
  /** Sent as JSON, in place of `body`. */
  readonly json?: unknown
  /** Of the answer; more breaks it off. Default: that of the client; `Infinity` for streams without end. */
  readonly maxBodyBytes?: number | undefined
}

/** A request to an application, as transports take it. */
export interface InvokeRequest {
  readonly appId: string
  readonly method: string
  /** Path and query, escaped, beginning with a slash. */
  readonly path: string
  /** Names and values in turn. */
  readonly fields: string[]
  readonly body: string | ByteSource | undefined
  readonly maxBodyBytes: number | undefined
}

export interface InvokePort {
  invoke(request: InvokeRequest, options: CallOptions): Promise<Response>
}

/**
 * Calls an application by its id. As with `fetch`, any answer of the application is a Response, whatever its status; the
 * error of a sidecar that could not reach it is thrown. A body that is not small must be read or cancelled.
 */
export type Invoke = (appId: string, path: string, options?: InvokeOptions) => Promise<Response>

export function invokeWith(port: InvokePort): Invoke {
  return async (appId, path, options = noOptions) => port.invoke(requestOf(appId, path, options), options)
}

function requestOf(appId: string, path: string, options: InvokeOptions): InvokeRequest {
  required(appId, 'the id of the application')
  const { headers = {}, json, query, maxBodyBytes } = options
  const hasJson = json !== undefined
  if (hasJson && options.body !== undefined)
    throw clientError('ERR_CLIENT_ARGUMENT', 'a request has either `body` or `json`')
  const fields = Object.entries(headers).flat()
  const body = hasJson ? jsonOf(json, '`json`') : options.body
  const typed = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  if (hasJson && !typed) fields.push('content-type', 'application/json')
  const method = (options.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase()
  return { appId, method, path: pathOf(path, query), fields, body, maxBodyBytes }
}

function pathOf(path: string, query: InvokeOptions['query']): string {
  const absolute = path.startsWith('/') ? path : `/${path}`
  const [bare = ''] = absolute.split(/[?#]/, 1)
  // A part of a path that somebody else chose must not lead to another route of the sidecar.
  if (bare.split('/').some((part) => /^(?:\.|%2e){1,2}$/i.test(part)) || bare.includes('\\'))
    throw clientError(
      'ERR_CLIENT_ARGUMENT',
      `the path ${JSON.stringify(path.slice(0, 100))} leads out of itself`,
    )
  // oxlint-disable-next-line no-control-regex -- these end a request line, or are no part of a URL
  if (/[\u0000-\u0020#\u007f-\uffff]/.test(absolute)) {
    const problem = `the path ${JSON.stringify(path.slice(0, 100))} is not escaped: use encodeURIComponent for its parts`
    throw clientError('ERR_CLIENT_ARGUMENT', problem)
  }
  const pairs = query === undefined ? '' : new URLSearchParams(query).toString()
  if (pairs === '') return absolute
  return `${absolute}${absolute.includes('?') ? '&' : '?'}${pairs}`
}
