import { Fields, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { GrpcError, grpcStatus, isGrpcError } from '@outrigger/wire/grpc'
import type { InvokeHandler } from '../api/invoke/handler.ts'
import { passOn, statusFields, type Started } from '../invoke/proxy.ts'
import { ReplayBody, replayBytes } from '../invoke/replay.ts'
import { refusedField } from '../overload/refused.ts'
import { statusOf } from './grpc-errors.ts'

/** Either names the application; the first is older. */
const targetFields = ['dapr-callee-app-id', 'dapr-app-id']
/** Says that the method streams, which nobody but the caller knows: it may be without an answer for long. */
const streamField = 'dapr-stream'
/** Sidecars speak to each other by these: they would take what the caller says for what this one says. */
const internal = '/dapr.proto.internals.v1.'

/**
 * Takes calls of services that are not the sidecar's own and passes them on, undecoded, to the application that
 * their metadata names, here or beside another sidecar. Without a name they are UNIMPLEMENTED.
 */
export function appProxy(
  handler: InvokeHandler,
): (request: ServerRequest, response: ServerResponse) => Promise<void> | undefined {
  return (request, response) => {
    const { fields } = request
    const name = targetFields.map((field) => fields.get(field)).find((value) => value !== undefined)
    if (name === undefined || request.path.startsWith(internal)) return undefined
    const reached = reach(handler, name)
    if (reached.kind === 'peer') return toPeer(handler, name, reached, request, response)
    if (reached.kind === 'own' && reached.channel.kind === 'grpc')
      return reached.channel.forward(request, response, handler.identify(Fields.from(fields)))
    const speaks = reached.kind === 'own' ? 'it speaks HTTP' : 'it is an HTTP endpoint'
    throw new GrpcError(
      grpcStatus.FAILED_PRECONDITION,
      `${request.path} cannot be passed on to ${name}: ${speaks}; gRPC needs an application behind --app-protocol=grpc`,
    )
  }
}

async function toPeer(
  handler: InvokeHandler,
  name: string,
  { appId, namespace }: { readonly appId: string; readonly namespace: string },
  request: ServerRequest,
  response: ServerResponse,
): Promise<void> {
  const stream = /^(?:1|t|true|y|yes|on)$/i.test(request.fields.get(streamField) ?? '')
  request.body.limit = Number.POSITIVE_INFINITY
  request.body.idleTimeoutMs = 0
  const body = new ReplayBody(request.body, stream ? 0 : replayBytes)
  const fields = handler.identify(Fields.from(request.fields), appId)
  fields.delete('dapr-app-id')
  const call = { request, response, fields, body }
  // A status is taken for a failure only where a policy may want the call repeated for it.
  const statuses = !stream && handler.hasPolicy(name, request.path)
  try {
    const apps = await handler.apps()
    const attempt = async (signal: AbortSignal | undefined): Promise<Started> => {
      const started = await apps.atInstance(
        appId,
        namespace,
        async (peer, instance) => {
          const options = { statuses, signal }
          const passing = await passOn(peer.client, `${peer.scheme}://${instance.address}`, call, options)
          void passing.finished.finally(() => instance.running--)
          return passing
        },
        () => body.replayable,
      )
      if (!stream) await started.finished
      return started
    }
    await handler.guarded(name, request.path.slice(1), body, request.signal, attempt, { timed: !stream })
  } catch (error) {
    if (response.started || request.signal.aborted) return
    response.send(200, ['content-type', 'application/grpc', ...endOf(handler, name, error)])
  } finally {
    body.forget()
  }
}

const ofOneHop: ReadonlySet<string> = new Set(['content-type', refusedField])

/** What the other side said, or what went wrong on the way. */
function endOf(handler: InvokeHandler, name: string, error: unknown): string[] {
  if (isGrpcError(error) && error.trailers?.has('grpc-status') === true)
    return [...error.trailers].filter(([field]) => !ofOneHop.has(field)).flat()
  if (isGrpcError(error)) return statusFields(error)
  return statusFields(statusOf(handler.failed(name, error)) as GrpcError)
}

function reach(handler: InvokeHandler, target: string): ReturnType<InvokeHandler['reach']> {
  try {
    return handler.reach(target, { healthy: false })
  } catch (error) {
    throw statusOf(error)
  }
}
