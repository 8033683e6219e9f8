import {
  ComponentError,
  type ComponentContext,
  type HttpMiddleware,
  type MiddlewareFields,
  type MiddlewareRequest,
} from '@outrigger/spec'
import { addressOf } from './address.ts'
import { Buckets, type Taken } from './buckets.ts'

export interface Settings {
  readonly maxRequestsPerSecond: number
}

/** Addresses that are remembered at once: some 15 MiB. */
const mostAddresses = 100_000

export async function createRateLimit(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { metadata, clock } = context
  const limit = metadata.maxRequestsPerSecond
  if (limit <= 0) {
    throw new ComponentError('INVALID_METADATA', `maxRequestsPerSecond must be above zero, got ${limit}`)
  }
  const buckets = new Buckets(limit, mostAddresses)
  const shown = { exact: limit.toFixed(2), round: String(Math.round(limit)) }

  function tell(
    fields: MiddlewareFields,
    request: MiddlewareRequest,
    forwarded: string | undefined,
    taken: Taken,
  ): void {
    fields.append('x-rate-limit-limit', shown.exact)
    fields.append('x-rate-limit-duration', '1')
    if (forwarded !== undefined && forwarded.trim() !== '')
      fields.append('x-rate-limit-request-forwarded-for', forwarded)
    fields.append('x-rate-limit-request-remote-addr', request.remoteAddress)
    fields.append('ratelimit-limit', shown.round)
    fields.append('ratelimit-reset', '1')
    fields.append('ratelimit-remaining', String(taken.left))
  }

  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      const taken = buckets.take(addressOf(request), clock.monotonic())
      // Those behind may change it.
      const forwarded = request.fields.get('x-forwarded-for')
      const response = taken.allowed
        ? await next(request)
        : request.respond(
            429,
            {
              'content-type': 'text/plain; charset=utf-8',
              'retry-after': String(Math.max(1, Math.ceil(taken.waitMs / 1000))),
            },
            'You have reached maximum request limit.',
          )
      tell(response.fields, request, forwarded, taken)
      return response
    },
    close: () => Promise.resolve(),
  }
}
