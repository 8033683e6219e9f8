import { Fields, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import type { InvokeHandler } from '../api/invoke/handler.ts'
import { statusOf } from './grpc-errors.ts'

/** Either names the application; the first is older. */
const targetFields = ['dapr-callee-app-id', 'dapr-app-id']

/**
 * Takes calls of services that are not the sidecar's own and passes them on, undecoded, to the application that
 * their metadata names. Without a name they are UNIMPLEMENTED.
 */
export function appProxy(
  handler: InvokeHandler,
): (request: ServerRequest, response: ServerResponse) => Promise<void> | undefined {
  return (request, response) => {
    const { fields } = request
    const target = targetFields.map((name) => fields.get(name)).find((value) => value !== undefined)
    if (target === undefined) return undefined
    const channel = reach(handler, target)
    if (channel.kind === 'grpc') return channel.forward(request, response, Fields.from(fields))
    throw new GrpcError(
      grpcStatus.FAILED_PRECONDITION,
      `${request.path} cannot be passed on to ${target}: it speaks HTTP; start the sidecar with --app-protocol=grpc`,
    )
  }
}

function reach(handler: InvokeHandler, target: string): ReturnType<InvokeHandler['reach']> {
  try {
    return handler.reach(target, { healthy: false })
  } catch (error) {
    throw statusOf(error)
  }
}
