import type { HttpRoute } from '../../server/router.ts'
import type { SecretsHandler } from './handler.ts'

const jsonType = ['content-type', 'application/json']

/** The secret routes of the HTTP API. */
export function secretsRoutes(handler: SecretsHandler): HttpRoute[] {
  return [
    {
      name: 'GetBulkSecret',
      methods: ['GET'],
      path: 'v1.0/secrets/:store/bulk',
      async handle(call) {
        const secrets = await handler.getBulk(call.params[0]!, call.metadata, call)
        call.response.send(200, jsonType, JSON.stringify(secrets))
      },
    },
    {
      name: 'GetSecret',
      methods: ['GET'],
      path: 'v1.0/secrets/:store/:key',
      async handle(call) {
        const [store, key] = call.params as [string, string]
        const secret = await handler.get(store, key, call.metadata, call)
        call.response.send(200, jsonType, JSON.stringify(secret))
      },
    },
  ]
}
