import type { Clock, Logger } from '@outrigger/spec'
import { isWireError, type Handler, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { ApiError, errorDetails } from '../api/api-error.ts'
import { bodyError } from '../api/json-body.ts'
import { metadataFields } from '../app/fields.ts'
import type { ServerPipeline } from '../middleware/server-pipeline.ts'
import { noMemory, retryAfterSeconds } from '../overload/refused.ts'
import { baggageProblem } from '../telemetry/baggage.ts'
import { isTraceparent } from '../telemetry/trace-context.ts'
import { cleanPath, pathProblem } from './clean-path.ts'
import type { Cors } from './cors.ts'
import { HttpCall } from './http-call.ts'
import { ResponseWithFields } from './response-with-fields.ts'
import { tokenCheck } from './token.ts'
import { WatchedResponse } from './watched-response.ts'
import { Router, type HttpRoute } from './router.ts'

export interface HttpApiOptions {
  readonly routes: readonly HttpRoute[]
  /** Serves what no route takes. */
  readonly fallback: HttpRoute
  /** What callers must show in `dapr-api-token`. */
  readonly apiToken: string | undefined
  readonly cors: Cors | undefined
  /** Stands before every route; absent without middleware. */
  readonly pipeline?: ServerPipeline | undefined
  /** Whether new work is refused; absent without a memory limit. */
  readonly overload?: { readonly over: boolean } | undefined
  /** Logs every call. */
  readonly logCalls: { readonly obfuscateUrls: boolean; readonly omitHealthChecks: boolean } | undefined
  readonly logger: Logger
  readonly clock: Clock
}

const jsonType = ['content-type', 'application/json']
const plainText = ['content-type', 'text/plain; charset=utf-8']
const retryAfter = String(retryAfterSeconds)
const ofBody: ReadonlySet<string> = new Set(['TOO_LARGE', 'OVERLOADED'])
/** Longest trace header that is sent back. */
const longestTraceHeader = 8192

/** The HTTP API as one handler: layers, in the order of the wire surface, around the route of a request. */
export function httpApi(options: HttpApiOptions): Handler {
  const { fallback, cors, logger, clock, pipeline, overload } = options
  const router = new Router()
  for (const route of options.routes) router.add(route)
  const checkToken = tokenCheck(options.apiToken)
  const serve = options.logCalls === undefined ? answer : answerLogged

  function fail(call: HttpCall, error: unknown): void {
    const { response, request } = call
    if (response.started) {
      logger.debug('the answer broke off', { path: shownPath(request.path), error })
      return
    }
    if (!(error instanceof ApiError)) {
      logger.error('a request failed for a reason that nobody foresaw', {
        path: shownPath(request.path),
        error,
      })
      const body = { errorCode: 'ERROR', message: 'an unexpected error; the log of the sidecar has it' }
      response.send(500, jsonType, JSON.stringify(body))
      return
    }
    const { row } = error
    const details = errorDetails(error)
    const body = { errorCode: row.code, message: error.message, ...(details !== undefined && { details }) }
    const fields = row.http === 503 ? [...jsonType, 'retry-after', retryAfter] : [...jsonType]
    if (error.metadata !== undefined) metadataFields('metadata.', error.metadata, fields)
    response.send(row.http, fields, JSON.stringify(body))
  }

  function answerLogged(route: HttpRoute, { request, response, params }: HttpCall): void | Promise<void> {
    const settings = options.logCalls!
    const startedAt = clock.monotonic()
    const watched = new WatchedResponse(response)
    const log = (): void => {
      if (settings.omitHealthChecks && route.name.startsWith('Healthz')) return
      logger.info('HTTP API Called', {
        method: settings.obfuscateUrls ? route.name : `${request.method} ${shownPath(request.path)}`,
        useragent: request.fields.get('user-agent') ?? '',
        duration: Math.round(clock.monotonic() - startedAt),
        code: watched.status,
        size: watched.size,
      })
    }
    const pending = answer(route, new HttpCall(request, watched, params))
    if (pending !== undefined) return pending.finally(log)
    log()
    return undefined
  }

  /** Behind the middleware, which may have changed method and path. */
  const behind =
    (hasToken: boolean): Handler =>
    (request, response) => {
      const params: string[] = []
      const route = router.find(request.method, cleanPath(request.path), params) ?? fallback
      if (hasToken || route.open === true) return serve(route, new HttpCall(request, response, params))
      response.send(401, plainText, 'invalid api token')
      return undefined
    }
  const routed = behind(true)
  const routedOpen = behind(false)

  return (request: ServerRequest, plain: ServerResponse) => {
    const response = withTrace(request, cors === undefined ? plain : cors.decorate(request, plain))
    if (cors?.answersPreflight(request, response) === true) return undefined
    const params: string[] = []
    const route = router.find(request.method, cleanPath(request.path), params) ?? fallback
    const call = new HttpCall(request, response, params)
    let hasToken = true
    if (options.apiToken !== undefined) {
      hasToken = checkToken(request.fields.get('dapr-api-token'))
      if (route.open !== true && !hasToken) {
        response.send(401, plainText, 'invalid api token')
        return undefined
      }
      request.fields.delete('dapr-api-token')
    }
    if (overload?.over === true && route.light !== true)
      return fail(call, new ApiError('OVERLOADED', noMemory))
    if (pipeline !== undefined) {
      return pipeline.serve(request, response, hasToken ? routed : routedOpen).catch((error: unknown) => {
        fail(call, isWireError(error) && ofBody.has(error.code) ? bodyError(error) : error)
      })
    }
    return serve(route, call)
  }

  function answer(route: HttpRoute, call: HttpCall): void | Promise<void> {
    try {
      checkPath(route, call.request)
      checkBaggage(call.request)
      return route.handle(call)?.catch((error: unknown) => fail(call, error))
    } catch (error) {
      fail(call, error)
    }
    return undefined
  }
}

/** A path for the log: a URL in it that is invoked may have user and password. */
function shownPath(path: string): string {
  return path.replace(/(https?(?::|%3a)(?:\/|%2f){2})(?:(?!%2f|%40)[^/@])*(?:@|%40)/gi, '$1')
}

function checkPath(route: HttpRoute, { path }: ServerRequest): void {
  const problem = pathProblem(path, route.passesOn === true)
  if (problem !== undefined) throw new ApiError('MALFORMED_REQUEST', problem)
}

function checkBaggage({ fields }: ServerRequest): void {
  if (!fields.has('baggage')) return
  const problem = baggageProblem(fields.getAll('baggage'))
  if (problem !== undefined) throw new ApiError('MALFORMED_REQUEST', `invalid baggage header: ${problem}`)
}

/** The trace context and baggage that came are sent back with the answer, unless it has its own. */
function withTrace(request: ServerRequest, response: ServerResponse): ServerResponse {
  const { fields } = request
  const traceparent = fields.get('traceparent')
  const baggage = fields.get('baggage')
  const extra: string[] = []
  if (isTraceparent(traceparent)) {
    extra.push('traceparent', traceparent)
    addShort(extra, 'tracestate', fields.get('tracestate'))
  }
  if (baggage !== undefined) addShort(extra, 'baggage', fields.getAll('baggage').join(','))
  return extra.length === 0 ? response : new ResponseWithFields(response, extra)
}

function addShort(extra: string[], name: string, value: string | undefined): void {
  if (value !== undefined && value.length <= longestTraceHeader) extra.push(name, value)
}
