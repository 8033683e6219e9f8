import {
  createClient,
  isWireError,
  type Client,
  type ClientRequest,
  type ClientResponse,
  type WireError,
} from '@outrigger/wire'
import type { CallOptions } from '../call.ts'
import { clientError, closed, givenUp, type OutriggerError } from '../error.ts'
import type { Settings } from '../settings.ts'
import { parseJson, textOf } from '../values.ts'
import { answerError } from './answer-error.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Without the base path; with the query. */
  readonly path: string
  readonly fields?: readonly string[]
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
}

/** An answer with a status of success, held whole. */
export interface HttpAnswer {
  readonly status: number
  readonly fields: ClientResponse['fields']
  readonly bytes: Uint8Array
}

/** Answers that say what went wrong are short. */
const mostErrorBytes = 1024 * 1024
/** 0 is no limit to wire: neither for the head of an answer nor for pauses in its body. */
const patient = { headersMs: 0, bodyIdleMs: 0 }

/** Sends requests to the HTTP API of one sidecar. */
export class HttpCaller {
  readonly settings: Settings
  readonly #client: Client
  #closed = false

  constructor(settings: Settings) {
    this.settings = settings
    const { timeoutMs } = settings
    const timeouts = timeoutMs === undefined ? {} : { headersMs: timeoutMs, bodyIdleMs: timeoutMs }
    this.#client = createClient({ timeouts })
  }

  /** The whole answer. Other statuses than those of success are errors. */
  async call(request: HttpRequest, options: CallOptions): Promise<HttpAnswer> {
    const response = await this.open(request, options)
    const ok = response.status >= 200 && response.status < 300
    const bytes = await this.read(response, options, ok ? this.settings.maxBodyBytes : mostErrorBytes)
    if (!ok) throw answerError(response.status, bytes)
    return { status: response.status, fields: response.fields, bytes }
  }

  /** The answer as JSON; `undefined` when it is empty. */
  async json(request: HttpRequest, options: CallOptions): Promise<unknown> {
    const { bytes } = await this.call(request, options)
    return bytes.length === 0
      ? undefined
      : parseJson(textOf(bytes), `the answer to ${request.method} ${request.path}`)
  }

  /** The answer, whatever its status, as it comes in. Its body must be read or cancelled. `stream`: however long it takes. */
  async open(
    { method, path, fields = [], body }: Omit<HttpRequest, 'method'> & { readonly method: string },
    options: CallOptions,
    stream = false,
  ): Promise<ClientResponse> {
    if (this.#closed) throw closed()
    const { origin, basePath } = this.settings
    const { signal } = options
    if (signal?.aborted === true) throw givenUp(signal)
    const request: ClientRequest = {
      method,
      origin,
      path: basePath + path,
      fields: this.#fields(fields, options),
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
      ...(stream && { timeouts: patient }),
    }
    try {
      return await this.#client.request(request)
    } catch (error) {
      throw this.failed(error, options)
    }
  }

  async read(
    { body }: Pick<ClientResponse, 'body'>,
    options: CallOptions,
    limit: number,
  ): Promise<Uint8Array> {
    try {
      return await body.bytes(limit)
    } catch (error) {
      body.cancel()
      throw this.failed(error, options)
    }
  }

  /** A failure of the wire, as what callers see. */
  failed(error: unknown, { signal }: CallOptions): unknown {
    if (this.#closed) return closed()
    if (signal?.aborted === true) return givenUp(signal, error)
    if (!isWireError(error)) return error
    return this.#wireError(error)
  }

  close(): void {
    this.#closed = true
    this.#client.close()
  }

  #wireError(error: WireError): OutriggerError {
    const { code, message, sent } = error
    switch (code) {
      case 'TOO_LARGE':
        return clientError('ERR_CLIENT_TOO_LARGE', `${message}; raise the limit with maxBodyBytes`, error)
      case 'TIMEOUT':
        return clientError('ERR_CLIENT_TIMEOUT', message, error)
      case 'PROTOCOL':
        // What was never sent is nothing that a sidecar could have answered wrongly.
        return clientError(sent ? 'ERR_CLIENT_ANSWER' : 'ERR_CLIENT_ARGUMENT', message, error)
      default: {
        const { origin } = this.settings
        return clientError(
          'ERR_CLIENT_UNAVAILABLE',
          `the sidecar at ${origin} cannot be reached: ${message}`,
          error,
        )
      }
    }
  }

  #fields(fields: readonly string[], { traceparent, tracestate, baggage }: CallOptions): readonly string[] {
    const { apiToken } = this.settings
    const all = fields.slice()
    if (apiToken !== undefined) all.push('dapr-api-token', apiToken)
    if (traceparent !== undefined) all.push('traceparent', traceparent)
    if (tracestate !== undefined) all.push('tracestate', tracestate)
    if (baggage !== undefined) all.push('baggage', baggage)
    return all
  }
}
