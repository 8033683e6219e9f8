import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { ComponentError, type BindingData, type Clock } from '@outrigger/spec'
import { forRedirect, type Headers, type Token } from './headers.ts'
import { sameHost } from './target.ts'

export interface Request {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: BindingData | undefined
  readonly token: Token | undefined
}

export interface Client {
  /** Sends a request, follows redirects, and resolves with the headers of the last answer. */
  send(request: Request, signal: AbortSignal): Promise<IncomingMessage>
  close(): void
}

const maxRedirects = 10
const connectTimeoutMs = 15_000
const idleTimeoutMs = 90_000
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** A pool of connections. `fetch` is of no use here: it knows neither client certificates nor TRACE. */
export function createClient(tls: SecureContextOptions, clock: Clock): Client {
  const pool = { keepAlive: true, timeout: idleTimeoutMs, maxFreeSockets: 16 }
  const http = new HttpAgent(pool)
  const https = new HttpsAgent({ ...pool, ...tls })

  async function send(request: Request, signal: AbortSignal): Promise<IncomingMessage> {
    let current = request
    for (let followed = 0; ; followed++) {
      const response = await exchange(current, signal)
      const next = redirect(current, response)
      if (next === undefined) return response
      response.destroy()
      if (followed === maxRedirects) {
        throw new ComponentError(
          'FAILED_PRECONDITION',
          `${request.url.origin}: stopped after ${maxRedirects} redirects`,
        )
      }
      current = next
    }
  }

  /** A connection of the pool can have been closed by the server meanwhile; what may be repeated then is. */
  async function exchange(request: Request, signal: AbortSignal): Promise<IncomingMessage> {
    for (;;) {
      const call = start(request, signal)
      try {
        return await answerOf(call, request.body)
      } catch (error) {
        const stale = call.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
        if (!stale || signal.aborted || !repeatable.has(request.method)) throw error
      }
    }
  }

  function start({ url, method, headers, body }: Request, signal: AbortSignal): ClientRequest {
    const options = { method, headers: Object.fromEntries(headers), signal }
    const call =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: https })
        : httpRequest(url, { ...options, agent: http })
    if (body instanceof Uint8Array) call.setHeader('Content-Length', body.byteLength)
    limitConnecting(call, url.protocol === 'https:' ? 'secureConnect' : 'connect')
    return call
  }

  function limitConnecting(call: ClientRequest, connected: 'connect' | 'secureConnect'): void {
    call.once('socket', (socket) => {
      if (call.reusedSocket) return
      const timer = clock.schedule(connectTimeoutMs, () => {
        call.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
      })
      const cancel = (): void => timer.cancel()
      socket.once(connected, cancel)
      socket.once('close', cancel)
    })
  }

  return {
    send,
    close() {
      http.destroy()
      https.destroy()
    },
  }
}

function answerOf(call: ClientRequest, body: BindingData | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve)
    call.on('error', reject)
    if (body === undefined) call.end()
    else if (body instanceof Uint8Array) call.end(body)
    else {
      Readable.from(body, { objectMode: false })
        .on('error', (error) => call.destroy(error))
        .pipe(call)
    }
  })
}

/** The request that a redirect asks for; `undefined` when the answer is none or cannot be followed. */
function redirect(request: Request, response: IncomingMessage): Request | undefined {
  const { statusCode, headers } = response
  if (
    headers.location === undefined ||
    headers.location === '' ||
    ![301, 302, 303, 307, 308].includes(statusCode!)
  )
    return undefined
  const keepsBody = statusCode === 307 || statusCode === 308
  // A stream has been used up.
  if (keepsBody && request.body !== undefined && !(request.body instanceof Uint8Array)) return undefined
  const url = URL.canParse(headers.location, request.url.href)
    ? new URL(headers.location, request.url)
    : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    response.destroy()
    throw new ComponentError(
      'FAILED_PRECONDITION',
      `${request.url.origin} redirects to what is not an http URL`,
    )
  }
  return {
    url,
    method: keepsBody || request.method === 'HEAD' ? request.method : 'GET',
    headers: forRedirect(request.headers, !sameHost(request.url, url), keepsBody, request.token),
    body: keepsBody ? request.body : undefined,
    token: request.token,
  }
}
