import type { HttpRoute } from '../../server/router.ts'
import { readBody } from '../json-body.ts'
import type { MetadataHandler } from './handler.ts'

const jsonType = ['content-type', 'application/json']
const decoder = new TextDecoder()

/** The metadata routes of the HTTP API. */
export function metadataRoutes(handler: MetadataHandler): HttpRoute[] {
  return [
    {
      name: 'GetMetadata',
      methods: ['GET'],
      path: 'v1.0/metadata',
      light: true,
      handle(call) {
        call.response.send(200, jsonType, JSON.stringify(handler.get()))
      },
    },
    {
      name: 'SetMetadata',
      methods: ['PUT'],
      path: 'v1.0/metadata/:key',
      light: true,
      async handle(call) {
        handler.set(call.params[0]!, decoder.decode(await readBody(call)))
        call.response.send(204)
      },
    },
  ]
}
