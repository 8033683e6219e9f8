/** What an application is to its sidecar, without any framework: see `/fastify` and `/express` for those. */
export { createApp, type App, type CreateAppOptions } from './app.ts'
export { BindingEvent, type BindingHandler, type BindingOptions } from './bindings.ts'
export type { BulkEntry } from './bulk.ts'
export type { ConfigurationHandler } from './configuration.ts'
export { TopicEvent } from './event.ts'
export type { InProcessApp } from './in-process.ts'
export { Invocation, type MethodHandler, type MethodOptions } from './methods.ts'
export { Reply, type ReplyInit } from './reply.ts'
export type { AppAnswer, AppRequest, AppRoute } from './request.ts'
export type {
  AppLogger,
  BulkOptions,
  BulkTopicHandler,
  BulkTopicResult,
  SubscribeBulkOptions,
  SubscribeOptions,
  TopicHandler,
  TopicStatus,
} from './subscriptions.ts'
export type { ConfigurationItem, ConfigurationItems } from '../updates.ts'
export type { ConfigurationUpdates } from '../http/configuration.ts'
