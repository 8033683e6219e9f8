/** The adapter for Express 4 and 5, and for whatever else takes such handlers: Connect, or a plain server of Node.js. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { App } from './app/app.ts'
import { headersFrom, text, type AppAnswer } from './app/request.ts'

export * from './app/index.ts'

/** A request handler of Express. */
export type ExpressHandler = (
  request: IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Serves what the sidecar asks for; everything else goes on to `next`, untouched. Use it before parsers of bodies: it
 * reads its bodies itself.
 */
export function outrigger(app: App): ExpressHandler {
  return (request, response, next) => {
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const path = mark === -1 ? url : url.slice(0, mark)
    const { method = 'GET' } = request
    if (!app.has(method, path)) {
      next()
      return
    }
    serve(app, request, response, { method, path, query: mark === -1 ? '' : url.slice(mark + 1) }).catch(next)
  }
}

async function serve(
  app: App,
  request: IncomingMessage & { readonly body?: unknown },
  response: ServerResponse,
  target: { readonly method: string; readonly path: string; readonly query: string },
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const body = await read(request, app.maxBodyBytes)
  if (body === undefined) {
    send(response, text(413, `the body is larger than ${app.maxBodyBytes} bytes`))
    return
  }
  const headers = headersFrom(request.headers)
  const answer = await app.handle({ ...target, headers, body, signal: gone.signal })
  if (!response.destroyed) send(response, answer ?? text(404, 'not found'))
}

/** `undefined` when it is too large; the rest is not read then. */
async function read(
  request: IncomingMessage & { readonly body?: unknown },
  limit: number,
): Promise<Uint8Array | undefined> {
  const { body } = request
  // A parser came before: what it read is gone from the stream.
  if (body instanceof Uint8Array) return body.length > limit ? undefined : body
  if (request.readableEnded)
    return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body ?? '') ?? ''))
  const chunks: Buffer[] = []
  let size = 0
  // Not destroyed when it is too large: its socket has an answer to carry.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function send(response: ServerResponse, { status, headers, body }: AppAnswer): void {
  // The rest of a body that is not wanted is not read: the connection ends with the answer.
  const rest = status === 413 ? { connection: 'close' } : {}
  response.writeHead(status, { ...headers, ...rest, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
