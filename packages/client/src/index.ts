/** The client for Node.js applications, over HTTP. The same over gRPC is `/grpc`, without a sidecar `/in-process`. */
import { clientOver, type Client } from './client.ts'
import type { ConfigurationUpdates } from './http/configuration.ts'
import { httpTransport } from './http/transport.ts'
import { checkOptions, connectionRules } from './options.ts'
import { httpSettings, type ConnectionOptions } from './settings.ts'

export * from './types.ts'
export { isOutriggerError, OutriggerError } from './error.ts'

export interface CreateClientOptions extends ConnectionOptions {
  /** The application, as `createApp` makes it. Only for `configuration.subscribe`, whose changes arrive there. */
  readonly app?: ConfigurationUpdates | undefined
}

/** Makes a client that speaks HTTP with a sidecar. It connects when it is first used. @throws OutriggerError ERR_CLIENT_ARGUMENT */
export function createClient(options: CreateClientOptions = {}): Client {
  checkOptions(options, connectionRules)
  return clientOver(httpTransport(httpSettings(options), options.app))
}
