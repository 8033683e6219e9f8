import { createServer, type Server } from 'node:http'
import type { App } from '@outrigger/client/app'
import { outrigger as outriggerExpress } from '@outrigger/client/express'
import { outrigger as outriggerFastify } from '@outrigger/client/fastify'
import express from 'express'
import Fastify from 'fastify'

export interface Served {
  readonly port: number
  close(): Promise<void>
}

/** The same application in each framework, beside a route of the framework's own that wants JSON. */
export const frameworks: Readonly<Record<string, (app: App) => Promise<Served>>> = {
  async Fastify(app) {
    const fastify = Fastify()
    await fastify.register(outriggerFastify, { app })
    fastify.post('/own', async (request) => ({ got: request.body }))
    await fastify.listen({ port: 0, host: '127.0.0.1' })
    return {
      port: (fastify.server.address() as { port: number }).port,
      close: () => {
        fastify.server.closeAllConnections()
        return fastify.close()
      },
    }
  },
  async Express(app) {
    const server = express()
    server.use(outriggerExpress(app))
    server.use(express.json())
    server.post('/own', (request, response) => void response.json({ got: request.body as unknown }))
    return listen(createServer(server))
  },
}

async function listen(server: Server): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
