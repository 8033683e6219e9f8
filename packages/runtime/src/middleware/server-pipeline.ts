import type { HttpMiddleware, MiddlewareResponse, Next } from '@outrigger/spec'
import type { Fields, Handler, ServerRequest, ServerResponse, Upgrade } from '@outrigger/wire'
import { MemoryBody } from '../app/memory-body.ts'
import { cleanPath } from '../server/clean-path.ts'
import { CapturedResponse } from './captured-response.ts'
import { Exchange } from './exchange.ts'
import { chain } from './pipeline.ts'
import { ours } from './response.ts'

/** The middleware before the routes of a server. */
export interface ServerPipeline {
  /** Leads a request to `route`, and its answer back. Rejects when there is none, and nothing was sent then. */
  serve(request: ServerRequest, response: ServerResponse, route: Handler): Promise<void>
}

/** @returns `undefined` without handlers: nothing stands before the routes then */
export function createServerPipeline(handlers: readonly HttpMiddleware[]): ServerPipeline | undefined {
  if (handlers.length === 0) return undefined
  const first = chain(handlers)
  return { serve: (request, response, route) => serve(first, request, response, route) }
}

async function serve(
  first: Next,
  request: ServerRequest,
  response: ServerResponse,
  route: Handler,
): Promise<void> {
  const exchange = new ServerExchange(request, route)
  const { captured } = exchange
  try {
    const answer = await first(exchange)
    if (captured.outcome === 'answer') await send(answer, response)
    else if (captured.outcome === 'cut') response.abort()
  } catch (error) {
    if (captured.outcome === 'cut' || request.signal.aborted) response.abort()
    else if (!response.started) throw error
  } finally {
    captured.discard()
    await exchange.running
  }
}

async function send(answer: MiddlewareResponse, response: ServerResponse): Promise<void> {
  const reply = ours(answer)
  const { status, fields, body } = reply
  if (body instanceof MemoryBody) {
    response.send(status, fields, await body.bytes())
    return
  }
  const writer = response.start(status, fields)
  try {
    for await (const chunk of body) {
      const full = writer.write(chunk)
      if (full !== undefined) await full
    }
  } catch (error) {
    writer.abort()
    throw error
  }
  writer.end(reply.trailers)
}

/** A request to the server; what the middleware leaves of it is what the route gets. */
class ServerExchange extends Exchange implements ServerRequest {
  readonly captured = new CapturedResponse()
  /** Settles, never rejecting, when the route is done. */
  running: Promise<void> | undefined
  readonly #request: ServerRequest
  readonly #route: Handler

  constructor(request: ServerRequest, route: Handler) {
    super(request.method, plainPath(request.path), request.query, request.fields, request.body)
    this.#request = request
    this.#route = route
  }

  get scheme(): 'http' | 'https' {
    return this.#request.scheme
  }

  get authority(): string {
    return this.#request.authority
  }

  get remoteAddress(): string {
    return this.#request.remoteAddress
  }

  get trailers(): Fields | undefined {
    return this.#request.trailers
  }

  get signal(): AbortSignal {
    return this.#request.signal
  }

  get peerCertificate(): ServerRequest['peerCertificate'] {
    return this.#request.peerCertificate
  }

  get upgrade(): Upgrade | undefined {
    const { upgrade } = this.#request
    if (upgrade === undefined) return undefined
    return {
      protocols: upgrade.protocols,
      accept: async (protocol, fields) => {
        const handedOver = await upgrade.accept(protocol, fields)
        this.captured.handOver()
        return handedOver
      },
    }
  }

  protected arrive(): Promise<MiddlewareResponse> {
    const { captured } = this
    const running = this.#route(this, captured)
    if (running !== undefined) {
      this.running = running.then(
        () => captured.settle(),
        (error: unknown) => captured.settle(error),
      )
    }
    return captured.head
  }
}

/**
 * What a middleware decides about must be what is served: the router resolves empty and dot segments, so that
 * `/v1.0//state` must not pass a rule for `/v1.0/state`.
 */
function plainPath(path: string): string {
  return path.includes('//') || path.includes('/.') ? cleanPath(path) : path
}
