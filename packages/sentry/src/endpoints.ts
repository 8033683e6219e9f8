import { createServer, type Handler, type Server } from '@outrigger/wire'
import type { Health } from '@outrigger/host'
import type { Metrics } from './metrics.ts'

const plain = ['content-type', 'text/plain; version=0.0.4; charset=utf-8']

/** `GET /healthz`: 200 when everything is ready, else 503 with what is not. */
export function healthServer(health: Health): Server {
  return createServer(small, (request, response) => {
    if (request.path !== '/healthz') return response.send(404)
    if (health.isReady()) return response.send(200)
    const lines = health.reasons().map(({ name, reason }) => `${name}: ${reason}\n`)
    return response.send(503, plain, lines.join(''))
  })
}

/** The metrics, under every path as Dapr has it. */
export function metricsServer(metrics: Metrics): Server {
  const handler: Handler = (request, response) => {
    if (request.method !== 'GET') return response.send(405)
    return response.send(200, plain, metrics.render())
  }
  return createServer(small, handler)
}

const small = { maxBodyBytes: 64 * 1024, maxConnections: 1000 } as const
