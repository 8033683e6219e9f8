/** The client for Node.js applications, over gRPC. */
import { clientOver, type Client } from '../client.ts'
import { httpTransport } from '../http/transport.ts'
import { checkOptions, connectionRules } from '../options.ts'
import { grpcSettings, httpSettings, type GrpcConnectionOptions } from '../settings.ts'
import type { Transport } from '../transport.ts'
import { grpcBindings, grpcCrypto, grpcLock, grpcMetadata, grpcPubSub, grpcSecrets } from './blocks.ts'
import { GrpcCaller } from './caller.ts'
import { grpcConfiguration } from './configuration.ts'
import { grpcState } from './state.ts'

export * from '../types.ts'
export { isOutriggerError, OutriggerError } from '../error.ts'
export type { GrpcConnectionOptions } from '../settings.ts'

/**
 * Makes a client that speaks gRPC with a sidecar. It connects when it is first used. Invocation and health go over HTTP:
 * gRPC has no health, and its invocation cuts the bodies of errors off and holds all others whole.
 * @throws OutriggerError ERR_CLIENT_ARGUMENT
 */
export function createClient(options: GrpcConnectionOptions = {}): Client {
  checkOptions(options, connectionRules)
  return clientOver(grpcTransport(options))
}

function grpcTransport(options: GrpcConnectionOptions): Transport {
  const http = httpTransport(httpSettings(options), undefined)
  const caller = new GrpcCaller(grpcSettings(options))
  return {
    name: 'grpc',
    state: grpcState(caller),
    pubsub: grpcPubSub(caller),
    bindings: grpcBindings(caller),
    secrets: grpcSecrets(caller),
    configuration: grpcConfiguration(caller),
    lock: grpcLock(caller),
    crypto: grpcCrypto(caller),
    invoke: http.invoke,
    metadata: grpcMetadata(caller),
    health: http.health,
    async shutdown(force, rest) {
      await caller.call(
        (dapr, grpc) => dapr.shutdown({}, grpc),
        rest,
        force ? ['dapr-force-shutdown', 'true'] : [],
      )
    },
    close() {
      caller.close()
      http.close()
    },
  }
}
