import type { Logger } from '@outrigger/spec'
import { Fields, type Handler, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { createGrpcHandler, GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { checkCaller, servePeer, wrongApp, type ServePeerOptions } from '../api/invoke/serve-peer.ts'
import { noMemory } from '../overload/refused.ts'
import { refusal } from '../overload/refusal.ts'
import { mostHeadBytes } from './messages.ts'
import { peerHandler, statusOnly } from './server.ts'

export interface InternalApiOptions extends ServePeerOptions {
  readonly namespace: string
  /** Whether new work is refused; absent without a memory limit. */
  readonly overload?: { readonly over: boolean } | undefined
  readonly logger: Logger
}

/** The API that other sidecars call. Import this when the first of them does. */
export function internalApi(options: InternalApiOptions): Handler {
  const { logger, maxBodyBytes, overload } = options
  const onError = (error: unknown, path: string): void =>
    logger.error('a call of another sidecar failed for a reason that nobody foresaw', { path, error })
  const handler = peerHandler({
    callLocal: servePeer(options),
    maxMessageBytes: maxBodyBytes + mostHeadBytes,
    onError,
    fallback: createGrpcHandler({ routes: [], fallback: ownApp(options), onError }),
  })
  if (overload === undefined) return handler
  return (request, response) =>
    overload.over ? response.send(200, statusOnly(refusal(noMemory))) : handler(request, response)
}

/** Calls of services that are the application's own, passed on undecoded. */
function ownApp(
  options: InternalApiOptions,
): (request: ServerRequest, response: ServerResponse) => Promise<void> | undefined {
  const { appId, namespace } = options
  return (request, response) => {
    const { fields, path } = request
    const target = fields.get('dapr-callee-app-id') ?? fields.get('dapr-app-id')
    if (target === undefined) return undefined
    if (target !== appId && target !== `${appId}.${namespace}`) throw wrongApp(appId, target)
    const caller = checkCaller(options, request, path, '')
    const { channel } = options
    if (channel === undefined) throw new GrpcError(grpcStatus.INTERNAL, 'app channel is not initialized')
    if (channel.kind !== 'grpc') {
      const text = `${path} cannot be passed on to ${appId}: it speaks HTTP; gRPC needs an application behind --app-protocol=grpc`
      throw new GrpcError(grpcStatus.FAILED_PRECONDITION, text)
    }
    const passed = Fields.from(fields)
    passed.delete('dapr-app-id')
    if (caller !== undefined)
      passed.set('dapr-caller-app-id', caller.appId).set('dapr-caller-namespace', caller.namespace)
    return channel.forward(request, response, passed)
  }
}
