import type { ConfigurationUpdates } from '../http/configuration.ts'
import { environment, type Environment } from '../settings.ts'
import { addBinding, type BindingHandler, type BindingOptions } from './bindings.ts'
import { ConfigurationChanges, type ConfigurationHandler } from './configuration.ts'
import { inProcessApp, type InProcessApp } from './in-process.ts'
import { addMethod, type MethodHandler, type MethodOptions } from './methods.ts'
import { json, text, type AppAnswer, type AppRequest, type AppRoute } from './request.ts'
import { Routes } from './routes.ts'
import {
  Subscriptions,
  type AppLogger,
  type BulkTopicHandler,
  type SubscribeBulkOptions,
  type SubscribeOptions,
  type TopicHandler,
} from './subscriptions.ts'
import { tokenCheck } from './token.ts'

export interface CreateAppOptions {
  /** What the sidecar must show. Default: APP_API_TOKEN; without one, everybody who reaches the port is believed. */
  readonly apiToken?: string | undefined
  /** Bytes of a request. Default 16 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Told of failures of handlers. Default: lines on standard error; the adapter of Fastify takes its logger. */
  readonly logger?: AppLogger | undefined
  /** The document of `GET /dapr/config`. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** Default: that of the process. */
  readonly env?: Environment | undefined
}

/**
 * What an application is to its sidecar: handlers of messages, bindings, invocations and configuration changes. It
 * serves no port by itself: an adapter does, or a runtime of the same process.
 */
export interface App extends ConfigurationUpdates {
  /** Has messages of a topic delivered to `handler`. @throws Error for a topic that has one already */
  subscribe<T = unknown>(
    pubsubName: string,
    topic: string,
    handler: TopicHandler<T>,
    options?: SubscribeOptions<T>,
  ): void
  /** As `subscribe`, with many messages at once. */
  subscribeBulk<T = unknown>(
    pubsubName: string,
    topic: string,
    handler: BulkTopicHandler<T>,
    options?: SubscribeBulkOptions,
  ): void
  /** Has events of an input binding delivered to `handler`. */
  binding(name: string, handler: BindingHandler, options?: BindingOptions): void
  /** Serves a method that other applications invoke. With a framework, its own routes do as well. */
  method(name: string, handler: MethodHandler, options?: MethodOptions): void
  /** Has all changes of a store told that this application subscribed to. Returns what ends it. */
  configuration(store: string, handler: ConfigurationHandler): () => void
  readonly maxBodyBytes: number
  /** For adapters: tells of every route, also of those that come later. */
  eachRoute(listener: (route: AppRoute) => void): void
  /** For adapters: whether there is something at a path. */
  has(method: string, path: string): boolean
  /** For adapters: answers a request; `undefined` when there is nothing at its path. */
  handle(request: AppRequest): Promise<AppAnswer | undefined>
  /** For adapters: whose logger is better than none. */
  logTo(logger: AppLogger): void
  /** As the `app` of `createRuntime`. */
  readonly inProcess: InProcessApp
}

const defaultMaxBodyBytes = 16 * 1024 * 1024

/** Makes an application without handlers. */
export function createApp(options: CreateAppOptions = {}): App {
  const { maxBodyBytes = defaultMaxBodyBytes, config = {} } = options
  const apiToken = (options.apiToken ?? environment(options.env)['APP_API_TOKEN']) || undefined
  const isTrusted = tokenCheck(apiToken)
  let target = options.logger ?? standardError
  const logger: AppLogger = { error: (message, fields) => target.error(message, fields) }
  const routes = new Routes()
  const subscriptions = new Subscriptions(routes, logger)
  const changes = new ConfigurationChanges(routes, logger)
  const get = (path: string, document: () => unknown): void =>
    routes.add({ method: 'GET', path, below: false, run: () => json(document()) })
  get('/dapr/subscribe', () => subscriptions.document)
  get('/dapr/config', () => ({ entities: [], ...config }))

  async function handle(request: AppRequest): Promise<AppAnswer | undefined> {
    const route = routes.find(request.method, request.path)
    if (route === undefined) return undefined
    if (!isTrusted(request.headers.get('dapr-api-token'))) return text(401, 'invalid app api token')
    if (request.body.length > maxBodyBytes) return text(413, `the body is larger than ${maxBodyBytes} bytes`)
    try {
      return await route.run(request)
    } catch (error) {
      logger.error('a request of the sidecar failed', { path: request.path, error })
      return text(500, 'the request failed; the log of the application says why')
    }
  }

  return {
    maxBodyBytes,
    subscribe: (pubsubName, topic, handler, rest = {}) => subscriptions.add(pubsubName, topic, handler, rest),
    subscribeBulk: (pubsubName, topic, handler, rest = {}) =>
      subscriptions.addBulk(pubsubName, topic, handler, rest),
    binding: (name, handler, rest = {}) => addBinding(routes, logger, name, handler, rest),
    method: (name, handler, rest = {}) => addMethod(routes, logger, name, handler, rest),
    configuration: (store, handler) => changes.add(store, handler),
    onConfiguration: (store, listener) => changes.add(store, (items, id) => listener(id, items)),
    eachRoute: (listener) => routes.each(listener),
    has: (method, path) => routes.find(method, path) !== undefined,
    handle,
    logTo(other) {
      if (options.logger === undefined) target = other
    },
    inProcess: inProcessApp(handle),
  }
}

const standardError: AppLogger = {
  error(message, fields = {}) {
    const parts = Object.entries(fields).map(([name, value]) => {
      const shown = value instanceof Error ? (value.stack ?? value.message) : String(value)
      return ` ${name}=${JSON.stringify(shown)}`
    })
    process.stderr.write(`level=error msg=${JSON.stringify(message)}${parts.join('')}\n`)
  },
}
