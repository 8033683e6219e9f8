import type { BulkPublishRequest } from '@outrigger/proto/runtime'
import type { ServerCall } from '@outrigger/wire/grpc'
import { optional, optionsOf, type DaprHandlers } from '../grpc-call.ts'
import type { PublishHandler } from './handler.ts'

/** The publish methods of the gRPC API. */
export function publishMethods(
  handler: PublishHandler,
): Required<Pick<DaprHandlers, 'publishEvent' | 'bulkPublishEvent' | 'bulkPublishEventAlpha1'>> {
  const bulk = async (
    request: BulkPublishRequest,
    call: ServerCall,
  ): Promise<{ failedEntries: { entryId: string; error: string }[] }> => {
    const entries = request.entries.map(({ entryId, event, contentType, metadata }) => ({
      entryId,
      data: event,
      contentType: optional(contentType),
      metadata,
    }))
    const { pubsubName, topic, metadata } = request
    const failures = await handler.publishBulk({ pubsubName, topic, entries, metadata }, optionsOf(call))
    return { failedEntries: failures.map(({ entryId, error }) => ({ entryId, error: error.message })) }
  }
  return {
    async publishEvent({ pubsubName, topic, data, dataContentType, metadata }, call) {
      const contentType = optional(dataContentType)
      await handler.publish({ pubsubName, topic, data, contentType, metadata }, optionsOf(call))
      return {}
    },
    bulkPublishEvent: bulk,
    bulkPublishEventAlpha1: bulk,
  }
}
