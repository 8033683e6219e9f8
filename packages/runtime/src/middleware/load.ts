import type { Logger } from '@outrigger/spec'
import type { AppChannel } from '../app/channel.ts'
import type { LoadedComponent } from '../components/live.ts'
import type { Configuration } from '../config/configuration.ts'
import type { ServerPipeline } from './server-pipeline.ts'

/** Both pipelines, built. */
export interface Middleware {
  /** Before the routes of the HTTP API. */
  readonly server: ServerPipeline | undefined
  /** Puts the pipeline of the application before it. */
  before(channel: AppChannel | undefined): AppChannel | undefined
}

const none: Middleware = { server: undefined, before: (channel) => channel }

/**
 * Builds the pipelines that the Configuration asks for; without one nothing more is loaded.
 * @throws StartupError for handlers whose component is not there
 */
export async function loadMiddleware(
  { httpPipeline, appHttpPipeline }: Pick<Configuration, 'httpPipeline' | 'appHttpPipeline'>,
  components: readonly LoadedComponent[],
  logger: Logger,
): Promise<Middleware> {
  const named = new Set([...httpPipeline, ...appHttpPipeline].map(({ name }) => name))
  for (const { kind, resource } of components) {
    if (kind !== 'middleware' || named.has(resource.name)) continue
    logger.info(
      `the middleware ${resource.name} is in no pipeline: name it in spec.httpPipeline or spec.appHttpPipeline of a Configuration`,
    )
  }
  if (named.size === 0) return none
  const [{ findHandlers }, { createServerPipeline }, { withAppPipeline }] = await Promise.all([
    import('./handlers.ts'),
    import('./server-pipeline.ts'),
    import('./app-pipeline.ts'),
  ])
  const handlers = findHandlers({ server: httpPipeline, app: appHttpPipeline }, components)
  return {
    server: createServerPipeline(handlers.server),
    before(channel) {
      if (channel?.kind === 'http') return withAppPipeline(channel, handlers.app)
      if (handlers.app.length > 0 && channel !== undefined)
        logger.warn('spec.appHttpPipeline has no effect: the application speaks gRPC')
      return channel
    },
  }
}
