import type { Logger } from '@outrigger/spec'
import { grpcStatus, isGrpcError } from '@outrigger/wire/grpc'
import { callbacks } from '../app/callbacks.ts'
import { neverReached, type GrpcAppChannel } from '../app/channel.ts'
import type { EventDoor } from './events.ts'
import type { AppResponder } from './types.ts'

/** Events as `OnBindingEvent`; which are wanted is asked once, by `ListInputBindings`. */
export function grpcEvents(
  channel: GrpcAppChannel,
  responder: AppResponder | undefined,
  logger: Logger,
): EventDoor {
  let known: ReadonlySet<string> | undefined
  return {
    place: channel.place,
    question: () => 'ListInputBindings',
    async wants(live, signal) {
      known ??= await list(channel, signal, logger)
      return known.has(live.name)
    },
    async deliver(live, event, options) {
      const { name } = live
      const { signal, traceparent, tracestate, place } = options
      const metadata: string[] = []
      if (traceparent !== undefined) metadata.push('traceparent', traceparent)
      if (tracestate !== undefined) metadata.push('tracestate', tracestate)
      const request = { name, data: event.data, metadata: event.metadata }
      const response = await channel.call(callbacks.onBindingEvent, request, {
        metadata,
        signal,
        place,
      })
      return {
        reply: { settlement: 'ack', data: response.data },
        respond: responder && ((own) => responder.grpc(live, response, own)),
      }
    },
    judge: (error) => (isGrpcError(error) ? { grpc: error.code } : {}),
  }
}

/** An application that answers, but not with a list, wants none. */
async function list(
  channel: GrpcAppChannel,
  signal: AbortSignal,
  logger: Logger,
): Promise<ReadonlySet<string>> {
  try {
    return new Set((await channel.call(callbacks.listInputBindings, {}, { signal, patient: true })).bindings)
  } catch (error) {
    if (!isGrpcError(error) || neverReached(error) || signal.aborted) throw error
    if (error.code !== grpcStatus.UNIMPLEMENTED)
      logger.error('the application answered ListInputBindings with an error', { problem: error.message })
    return new Set()
  }
}
