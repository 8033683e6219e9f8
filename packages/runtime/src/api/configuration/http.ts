import type { HttpRoute } from '../../server/router.ts'
import { ApiError } from '../api-error.ts'
import type { ConfigurationHandler } from './handler.ts'
import { wireItems } from './items.ts'

const jsonType = ['content-type', 'application/json']
const versions = ['v1.0', 'v1.0-alpha1']

/** The configuration routes of the HTTP API. */
export function configurationRoutes(handler: ConfigurationHandler): HttpRoute[] {
  return versions.flatMap((version): HttpRoute[] => [
    {
      name: 'GetConfiguration',
      methods: ['GET'],
      path: `${version}/configuration/:store`,
      async handle(call) {
        const items = await handler.get(call.params[0]!, call.queryAll('key'), call.metadata, call)
        if (Object.keys(items).length === 0) call.response.send(204)
        else call.response.send(200, jsonType, JSON.stringify(wireItems(items)))
      },
    },
    {
      name: 'SubscribeConfiguration',
      methods: ['GET'],
      path: `${version}/configuration/:store/subscribe`,
      async handle(call) {
        const keys = call.queryAll('key')
        const { id } = await handler.subscribeApp(call.params[0]!, keys, call.metadata, call)
        call.response.send(200, jsonType, JSON.stringify({ id }))
      },
    },
    {
      name: 'UnsubscribeConfiguration',
      methods: ['GET'],
      path: `${version}/configuration/:store/:id/unsubscribe`,
      handle(call) {
        const [store, id] = call.params as [string, string]
        try {
          handler.unsubscribe(store, id)
        } catch (error) {
          if (!(error instanceof ApiError) || error.id !== 'CONFIGURATION_UNSUBSCRIBE') throw error
          const body = { ok: false, message: error.message }
          call.response.send(error.row.http, jsonType, JSON.stringify(body))
          return
        }
        call.response.send(200, jsonType, JSON.stringify({ ok: true }))
      },
    },
  ])
}
