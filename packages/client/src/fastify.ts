/** The adapter for Fastify 5: a plugin. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { createApp, type App, type CreateAppOptions } from './app/app.ts'
import { headersFrom, type AppRoute } from './app/request.ts'

export * from './app/index.ts'

export interface OutriggerPluginOptions extends CreateAppOptions {
  /** One that was made before, in place of a new one of the other options. */
  readonly app?: App | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Handlers of messages, bindings, invocations and configuration changes. */
    outrigger: App
  }
}

const plugin: FastifyPluginAsync<OutriggerPluginOptions> = async (fastify, options) => {
  const app = options.app ?? createApp(options)
  fastify.decorate('outrigger', app)
  app.logTo({
    error: (message, { error, ...fields } = {}) => fastify.log.error({ ...fields, err: error }, message),
  })
  // In a scope of its own: its parser takes all bodies as bytes, and must not do so for other routes.
  await fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: app.maxBodyBytes },
      (_request, body, done) => done(null, body),
    )
    app.eachRoute((route) => addRoute(scope, app, route))
  })
}

/**
 * Serves what the sidecar asks for, and decorates the instance with `outrigger`. Handlers are added until the server is
 * ready; other routes keep their parsers and hooks.
 */
export const outrigger: FastifyPluginAsync<OutriggerPluginOptions> = Object.assign(plugin, {
  // What is registered outside is seen outside (documented by fastify-plugin).
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@outrigger/client',
})

export default outrigger

function addRoute(scope: FastifyInstance, app: App, { method, path, below }: AppRoute): void {
  scope.route({
    method,
    url: below ? `${path}*` : path,
    bodyLimit: app.maxBodyBytes,
    ...(method === 'GET' && { exposeHeadRoute: false }),
    handler: (request, reply) => serve(app, request, reply),
  })
}

async function serve(app: App, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { method, headers, body } = request
  const [path, query] = split(request.url)
  const answer = await app.handle({
    method,
    path,
    query,
    headers: headersFrom(headers),
    body: body instanceof Uint8Array ? body : new Uint8Array(0),
    signal: request.signal,
  })
  if (answer === undefined) return reply.callNotFound()
  return reply.code(answer.status).headers(answer.headers).send(answer.body)
}

function split(url: string): [path: string, query: string] {
  const mark = url.indexOf('?')
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
}
