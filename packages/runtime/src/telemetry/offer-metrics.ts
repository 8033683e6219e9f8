import type { MetricFamily } from '@outrigger/host'
import type { Logger } from '@outrigger/spec'
import type { Server } from '@outrigger/wire'
import type { RuntimeOptions } from '../config/options.ts'
import { listenOn } from '../server/listen.ts'
import { metricsServer } from './metrics-server.ts'

/**
 * Opens the port of the metrics. One that nobody asked for may be taken, by the sidecar next door as a rule: then
 * there are none, which is told.
 * @throws StartupError when a port that was asked for cannot be had
 */
export async function offerMetrics(
  { port, portGiven, listenAddress }: RuntimeOptions['metrics'],
  gather: () => Iterable<MetricFamily>,
  logger: Logger,
): Promise<Server | undefined> {
  const server = metricsServer(gather)
  const what = { api: 'the metrics server', flag: 'metrics-port', addressFlag: 'metrics-listen-address' }
  try {
    await listenOn(server, what, [listenAddress], port, logger)
    return server
  } catch (error) {
    if (portGiven) throw error
    logger.info(`no metrics are offered, as port ${port} is taken: choose another with --metrics-port`)
    return undefined
  }
}
