import { isGrpcError } from '@outrigger/wire/grpc'
import { healthCallbacks } from './callbacks.ts'
import type { GrpcAppChannel } from './channel.ts'

/** Asks the application by `HealthCheck`: what is wrong, or `undefined`. One that does not serve it is not healthy. */
export async function probe(channel: GrpcAppChannel, signal: AbortSignal): Promise<string | undefined> {
  try {
    await channel.call(healthCallbacks.healthCheck, {}, { signal, unlimited: true })
    return undefined
  } catch (error) {
    if (!isGrpcError(error)) throw error
    return error.message
  }
}
