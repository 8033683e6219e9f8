import { optionsOf, type DaprHandlers } from '../grpc-call.ts'
import type { SecretsHandler } from './handler.ts'

/** The secret methods of the gRPC API. */
export function secretsMethods(
  handler: SecretsHandler,
): Required<Pick<DaprHandlers, 'getSecret' | 'getBulkSecret'>> {
  return {
    async getSecret({ storeName, key, metadata }, call) {
      return { data: { ...(await handler.get(storeName, key, metadata, optionsOf(call))) } }
    },
    async getBulkSecret({ storeName, metadata }, call) {
      const all = await handler.getBulk(storeName, metadata, optionsOf(call))
      return {
        data: Object.fromEntries(
          Object.entries(all).map(([name, secret]) => [name, { secrets: { ...secret } }]),
        ),
      }
    },
  }
}
