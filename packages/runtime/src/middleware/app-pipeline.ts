import type { HttpMiddleware, MiddlewareResponse, Next } from '@outrigger/spec'
import { Fields, type Body } from '@outrigger/wire'
import type { AppRequest, AppResponse, HttpAppChannel } from '../app/channel.ts'
import { MemoryBody } from '../app/memory-body.ts'
import { bodyOf, StreamBody } from './body.ts'
import { Exchange } from './exchange.ts'
import { chain } from './pipeline.ts'
import { ours, PipelineResponse } from './response.ts'

/** Puts middleware before an application that speaks HTTP. Health probes go past it. */
export function withAppPipeline(
  channel: HttpAppChannel,
  handlers: readonly HttpMiddleware[],
): HttpAppChannel {
  if (handlers.length === 0) return channel
  const first = chain(handlers)
  const { kind, address, place } = channel
  return {
    kind,
    address,
    place,
    call: (request) => (request.unlimited === true ? channel.call(request) : call(first, request, channel)),
    close: () => channel.close(),
  }
}

async function call(first: Next, request: AppRequest, channel: HttpAppChannel): Promise<AppResponse> {
  const exchange = new AppExchange(request, channel)
  let answer: PipelineResponse
  try {
    answer = ours(await first(exchange))
  } catch (error) {
    exchange.answered?.cancel()
    throw error
  } finally {
    // Who never came to the channel holds no place there.
    if (!exchange.arrived) request.place?.leave()
  }
  const { status, fields, body } = answer
  const { answered } = exchange
  if (answered === undefined || body === answered) return { status, fields, body }
  if (!(body instanceof MemoryBody))
    return { status, fields, body: new StreamBody(followed(body, answered), answered) }
  answered.cancel()
  return { status, fields, body }
}

const neverAborted = new AbortController().signal

class AppExchange extends Exchange {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly remoteAddress = ''
  readonly trailers = undefined
  readonly signal: AbortSignal
  /** Whether the channel was called: the place of the call is its business then. */
  arrived = false
  /** The body of the application's answer. */
  answered: Body | undefined
  readonly #request: AppRequest
  readonly #channel: HttpAppChannel
  readonly #given: Body

  constructor(request: AppRequest, channel: HttpAppChannel) {
    const [path = '', ...query] = request.path.split('?')
    const given = asBody(request.body)
    super(request.method, path, query.join('?'), Fields.from(request.fields ?? []), given)
    this.#request = request
    this.#channel = channel
    this.#given = given
    this.signal = request.signal ?? neverAborted
    const [scheme, authority] = channel.address.split('://')
    this.scheme = scheme === 'https' ? 'https' : 'http'
    this.authority = this.fields.get('host') ?? authority ?? ''
  }

  protected async arrive(): Promise<MiddlewareResponse> {
    const { method, path, query, fields, body } = this
    this.arrived = true
    const { body: given, ...rest } = this.#request
    const request = { ...rest, method, path: query === '' ? path : `${path}?${query}`, fields }
    const sent = body === this.#given ? given : body instanceof MemoryBody ? await body.bytes() : body
    const answer = await this.#channel.call(sent === undefined ? request : { ...request, body: sent })
    this.answered = answer.body
    return new PipelineResponse(answer.status, answer.fields, answer.body)
  }
}

function asBody(body: AppRequest['body']): Body {
  return body !== undefined && 'cancel' in body ? (body as Body) : bodyOf(body)
}

/** A body that a middleware made: when it ends, whatever the application has to say still is not wanted. */
async function* followed(body: Body, answered: Body): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    answered.cancel()
  }
}
