import { metricsContentType, renderMetrics, type MetricFamily } from '@outrigger/host'
import { createServer, type Server } from '@outrigger/wire'

/** Serves metrics under every path, as Dapr does; they are gathered when somebody asks. */
export function metricsServer(gather: () => Iterable<MetricFamily>): Server {
  return createServer({ maxBodyBytes: 64 * 1024, maxConnections: 1000 }, (request, response) => {
    if (request.method !== 'GET') return response.send(405)
    return response.send(200, ['content-type', metricsContentType], renderMetrics(gather()))
  })
}
