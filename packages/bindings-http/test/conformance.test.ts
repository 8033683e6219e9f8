import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bindingConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'
import { echo } from './servers.ts'

let server: Server

bindingConformance(definition, {
  properties: async () => {
    server = createServer((request, response) => {
      if (request.url === '/absent') response.writeHead(404).end()
      else echo(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
  operations: [
    ...['create', 'get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'].map((operation) => ({
      operation,
      data: 'some data',
      metadata: { path: '/echo' },
      expectMetadata: { statusCode: '200', status: '200 OK' },
    })),
    {
      operation: 'get',
      title: 'a status that is not 2xx',
      metadata: { path: 'absent' },
      expectError: 'NOT_FOUND' as const,
    },
  ],
  teardown: () => new Promise((resolve) => void server.close(() => resolve())),
})
