import type { Clock, Logger } from '@outrigger/spec'
import type { Handler } from '@outrigger/wire'
import { grpcStatus } from '@outrigger/wire/grpc'
import { WatchedResponse } from './watched-response.ts'

/** Puts a line for each call around a handler of gRPC, as `--enable-api-logging` asks for. */
export function loggedGrpc(
  handler: Handler,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
): Handler {
  return (request, response) => {
    const startedAt = clock.monotonic()
    const watched = new WatchedResponse(response)
    const log = (): void =>
      logger.info('gRPC API Called', {
        method: request.path,
        useragent: request.fields.get('user-agent') ?? '',
        duration: Math.round(clock.monotonic() - startedAt),
        // Without one the caller did not wait for it.
        code: watched.grpcStatus ?? grpcStatus.CANCELLED,
      })
    const pending = handler(request, watched)
    if (pending !== undefined) return pending.finally(log)
    log()
    return undefined
  }
}
