import {
  ComponentError,
  type ComponentContext,
  type HttpMiddleware,
  type MiddlewareRequest,
  type MiddlewareResponse,
  type Next,
} from '@outrigger/spec'
import { feature, GuestExchange } from './exchange.ts'
import { compileGuest, Guest } from './guest.ts'
import { loadModule } from './load.ts'
import { webAssembly } from './web-assembly.ts'

export interface Settings {
  readonly url: string
  readonly guestConfig: string | undefined
  readonly strictSandbox: boolean
}

/** Instances that wait for requests; more are made when they are needed, and given up then. */
const mostIdle = 32
/** Of an answer that a module buffers, in bytes. */
const maxAnswerBytes = 64 * 1024 * 1024
const none = new Uint8Array(0)

export async function createWasm(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { metadata, clock, logger, baseDirectory, initSignal } = context
  const module = await compileGuest(await loadModule(metadata.url, baseDirectory, initSignal))
  const options = { config: metadata.guestConfig ?? '', strict: metadata.strictSandbox, clock, logger }
  const start = () => Guest.start(module, options)
  let first: Guest
  try {
    first = await start()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ComponentError('INVALID_METADATA', `the module at url does not start: ${reason}`, { cause })
  }
  // It runs without interruption, so that what it may read must be there before.
  const reads = webAssembly.Module.imports(module).some(({ name }) => name === 'read_body')
  const idle = [first]

  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      const body = reads && request.body.length !== 0 ? await taken(request) : none
      const guest = idle.pop() ?? (await start())
      const response = await handle(guest, request, body, next)
      // One that failed is in a state that nobody knows.
      if (idle.length < mostIdle) idle.push(guest)
      return response
    },
    close() {
      idle.length = 0
      return Promise.resolve()
    },
  }
}

/** The body of a request, which goes on all the same. */
async function taken(request: MiddlewareRequest): Promise<Uint8Array> {
  const bytes = await request.body.bytes()
  const length = request.fields.get('content-length')
  request.replaceBody(bytes)
  if (length !== undefined) request.fields.set('content-length', length)
  return bytes
}

async function handle(
  guest: Guest,
  request: MiddlewareRequest,
  body: Uint8Array,
  next: Next,
): Promise<MiddlewareResponse> {
  const exchange = new GuestExchange(request, body, guest.features)
  const { goesOn, context } = guest.handleRequest(exchange)
  if (!goesOn) return exchange.finish()
  exchange.finishRequest()
  let response: MiddlewareResponse
  try {
    response = await next(request)
  } catch (error) {
    exchange.answered(request.respond(500), none)
    guest.handleResponse(exchange, context, true)
    throw error
  }
  const buffers = (exchange.features & feature.bufferResponse) !== 0
  const bytes = buffers ? await response.body.bytes(maxAnswerBytes) : undefined
  if (bytes !== undefined) response.replaceBody(bytes)
  exchange.answered(response, bytes)
  guest.handleResponse(exchange, context, false)
  return exchange.finish()
}
