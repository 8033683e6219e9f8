import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { formatHostPort, throwIfAborted } from '@outrigger/kit'
import { ComponentError, isComponentError, type Clock, type ComponentErrorCode } from '@outrigger/spec'
import type { ClientSettings } from './client.ts'

/** What goes behind the question mark; a name with `true` alone, what is `undefined` not at all. */
export type Query = Readonly<Record<string, string | true | readonly string[] | undefined>>

export interface RequestOptions {
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** In place of the one of the client. */
  readonly token?: string | undefined
  readonly cacheControl?: string | undefined
  /** How long the agent may take; 10 seconds without it. */
  readonly timeoutMs?: number | undefined
}

export interface Answer {
  /** Parsed JSON; `undefined` where there is no body. */
  readonly body: unknown
  /** Tells one state of what was asked for from the next. */
  readonly index: number
}

const largestBody = 32 * 1024 * 1024
const defaultTimeoutMs = 10_000

const codes: Readonly<Record<number, ComponentErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
}

/** Speaks HTTP with one Consul agent. */
export class Agent {
  readonly #settings: ClientSettings
  readonly #clock: Clock
  readonly #http: HttpAgent | HttpsAgent
  readonly #where: string

  constructor(settings: ClientSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#where = `Consul at ${formatHostPort(settings.host, settings.port)}`
    const { tls } = settings
    this.#http =
      tls === undefined
        ? new HttpAgent({ keepAlive: true })
        : new HttpsAgent({
            keepAlive: true,
            ca: tls.ca === undefined ? undefined : [tls.ca].flat(),
            cert: tls.cert,
            key: tls.key,
            servername: tls.servername,
            rejectUnauthorized: tls.rejectUnauthorized,
            minVersion: 'TLSv1.2',
          })
  }

  get waitTimeMs(): number | undefined {
    return this.#settings.waitTimeMs
  }

  /** @throws `UNAVAILABLE`, `DEADLINE_EXCEEDED`, `CANCELLED`, or what the status of the answer means */
  async request(method: string, path: string, query: Query, options: RequestOptions = {}): Promise<Answer> {
    throwIfAborted(options.signal)
    const abort = new AbortController()
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    let late = false
    const timer = this.#clock.schedule(timeoutMs, () => {
      late = true
      abort.abort()
    })
    const cancel = (): void => abort.abort()
    options.signal?.addEventListener('abort', cancel, { once: true })
    try {
      const response = await this.#send(method, this.#pathOf(path, query), options, abort.signal)
      const text = await readBody(response)
      const status = response.statusCode ?? 0
      if (status !== 200) {
        const code = codes[status] ?? 'UNAVAILABLE'
        throw new ComponentError(code, `${this.#where} answered ${status}: ${text.trim().slice(0, 200)}`)
      }
      const index = Number(response.headers['x-consul-index'])
      return { body: parseJson(text), index: Number.isSafeInteger(index) ? index : 0 }
    } catch (error) {
      throwIfAborted(options.signal)
      if (late) {
        throw new ComponentError('DEADLINE_EXCEEDED', `${this.#where} did not answer within ${timeoutMs} ms`)
      }
      const { code } = error as NodeJS.ErrnoException
      if (isComponentError(error)) throw error
      throw new ComponentError(
        'UNAVAILABLE',
        `${this.#where} could not be asked (${code ?? 'unknown reason'})`,
        {
          cause: error,
        },
      )
    } finally {
      timer.cancel()
      options.signal?.removeEventListener('abort', cancel)
    }
  }

  close(): void {
    this.#http.destroy()
  }

  #pathOf(path: string, query: Query): string {
    const all: Query = { ...query, dc: query['dc'] ?? this.#settings.datacenter }
    const parts = Object.entries(all).flatMap(([name, value]) => {
      if (value === undefined) return []
      if (value === true) return [name]
      return [value].flat().map((each) => `${name}=${encodeURIComponent(each)}`)
    })
    return parts.length === 0 ? path : `${path}?${parts.join('&')}`
  }

  #send(
    method: string,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { host, port, tls, username, password } = this.#settings
    const token = options.token ?? this.#settings.token
    const text = options.body === undefined ? undefined : JSON.stringify(options.body)
    return new Promise((resolve, reject) => {
      const request = (tls === undefined ? httpRequest : httpsRequest)({
        agent: this.#http,
        host,
        port,
        method,
        path,
        signal,
        auth: username === undefined ? undefined : `${username}:${password ?? ''}`,
        headers: {
          ...(token === undefined ? {} : { 'x-consul-token': token }),
          ...(options.cacheControl === undefined ? {} : { 'cache-control': options.cacheControl }),
          ...(text === undefined
            ? { 'content-length': 0 }
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      })
      request.on('response', resolve)
      request.on('error', reject)
      request.end(text)
    })
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestBody) {
      throw new ComponentError(
        'RESOURCE_EXHAUSTED',
        `the answer of Consul is larger than ${largestBody} bytes`,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new ComponentError('UNAVAILABLE', 'the answer of Consul is no JSON', { cause })
  }
}
