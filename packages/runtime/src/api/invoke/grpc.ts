import { grpcCodeOf } from '@outrigger/proto/codes'
import { HTTPExtension_Verb, type InvokeRequest, type InvokeResponse } from '@outrigger/proto/common'
import { grpcError } from '@outrigger/proto/status'
import { Fields, type FieldsInit } from '@outrigger/wire'
import { isGrpcError, type GrpcStatusCode, type ServerCall } from '@outrigger/wire/grpc'
import { callbacks } from '../../app/callbacks.ts'
import type { GrpcAppChannel } from '../../app/channel.ts'
import { asField } from '../../app/fields.ts'
import { ApiError } from '../api-error.ts'
import { required, type DaprHandlers } from '../grpc-call.ts'
import type { InvokeHandler } from './handler.ts'
import { answerMetadata, httpToMetadata, metadataToHttp } from './metadata.ts'
import { methodName, pathOfMethod } from './method-name.ts'
import { statusError } from './peer-answer.ts'
import { reasonPhrase } from './reason-phrase.ts'
import { firstHttpStatus } from './status-failure.ts'

const verbs = new Map(Object.entries(HTTPExtension_Verb).map(([name, value]) => [value as number, name]))
const decoder = new TextDecoder()
/** Of what an application answered, in the details of the error. */
const longestMessage = 63

/** The invoke method of the gRPC API. `maxBytes`: of an answer, which is one message. */
export function invokeMethods(
  handler: InvokeHandler,
  maxBytes: number,
): Required<Pick<DaprHandlers, 'invokeService'>> {
  return {
    async invokeService({ id, message }, call) {
      const request = required(message, 'message')
      request.method = methodName(id, request.method)
      const reached = handler.reach(id)
      if (reached.kind === 'peer') return toPeer(handler, reached, id, request, call, maxBytes)
      if (reached.kind === 'own' && reached.channel.kind === 'grpc')
        return toGrpc(handler, reached.channel, id, request, call)
      return toHttp(handler, id, request, call, maxBytes)
    },
  }
}

/** The message is passed on as it is, with the metadata; so is what comes back, whatever its status. */
async function toGrpc(
  handler: InvokeHandler,
  channel: GrpcAppChannel,
  id: string,
  request: InvokeRequest,
  call: ServerCall,
): Promise<InvokeResponse> {
  const { signal, timeoutMs } = call
  try {
    const metadata = handler.identify(Fields.from(call.metadata))
    return await handler.ownMessage(id, request.method, signal, (trySignal) =>
      channel.call(callbacks.onInvoke, request, {
        metadata,
        ...(trySignal !== undefined && { signal: trySignal }),
        timeoutMs,
        onMetadata: (fields) => call.setMetadata(answerMetadata(call.metadata, fields)),
        onTrailers: (trailers) => call.setTrailers(trailers),
      }),
    )
  } catch (error) {
    throw isGrpcError(error) ? error : handler.failed(id, error, { kind: 'own', channel })
  }
}

async function toHttp(
  handler: InvokeHandler,
  id: string,
  request: InvokeRequest,
  call: ServerCall,
  maxBytes: number,
) {
  const { method, data, contentType, httpExtension } = request
  const verb = verbs.get(httpExtension?.verb ?? HTTPExtension_Verb.NONE) ?? 'NONE'
  if (verb === 'NONE') {
    throw new ApiError('MALFORMED_REQUEST', `invoking ${method} of ${id} needs message.httpExtension.verb`)
  }
  const query = httpExtension?.querystring ?? ''
  const fields = metadataToHttp(call.metadata)
  const type = data !== undefined && data.typeUrl !== '' ? 'application/x-protobuf' : contentType
  if (type !== '') fields.push('content-type', type)
  const answer = await handler.invoke(id, {
    method: verb,
    path: pathOfMethod(method) + (query === '' ? '' : `?${query}`),
    fields: new Fields(fields),
    signal: call.signal,
    ...(data !== undefined && data.value.length > 0 && { body: data.value }),
  })
  const { status } = answer
  const body = await answer.body.bytes(maxBytes)
  answer.fields.delete('content-length')
  call.setMetadata(httpStatus(call, status, answer.fields))
  throwUnlessSuccess(status, body)
  return { contentType: answer.fields.get('content-type') ?? '', data: { typeUrl: '', value: body } }
}

/** Says something of this call, not of the one that follows from it. */
const ofThisCall: ReadonlySet<string> = new Set(['content-length', 'content-type', 'te'])

/** The message goes to the other sidecar as it is, with the metadata. */
async function toPeer(
  handler: InvokeHandler,
  peer: { readonly appId: string; readonly namespace: string },
  id: string,
  { method, data, contentType, httpExtension }: InvokeRequest,
  call: ServerCall,
  maxBytes: number,
): ReturnType<typeof toHttp> {
  const verb = verbs.get(httpExtension?.verb ?? HTTPExtension_Verb.NONE) ?? 'NONE'
  const metadata = [...call.metadata].flatMap((pair) => (ofThisCall.has(pair[0]) ? [] : pair))
  const head = {
    method: asField(method),
    verb: verb === 'NONE' ? '' : verb,
    query: asField(httpExtension?.querystring ?? ''),
    contentType: asField(contentType),
    typeUrl: asField(data?.typeUrl ?? ''),
    // By this other sidecars tell that the call came over gRPC.
    metadata: [...metadata, 'content-type', 'application/grpc'],
  }
  const answer = await handler.invokeMessage(id, peer, head, data?.value ?? new Uint8Array(0), call.signal)
  const body = await answer.body.bytes(maxBytes)
  const { status, headers, trailers, contentType: type, typeUrl } = answer.head
  const fields = new Fields([...headers])
  fields.delete('content-length')
  if (status >= firstHttpStatus) {
    call.setMetadata(httpStatus(call, status, fields))
    throwUnlessSuccess(status, body)
  } else {
    call.setMetadata(answerMetadata(call.metadata, httpToMetadata(fields)))
    call.setTrailers([...trailers])
    if (status !== 0) throw statusError(answer.head)
  }
  return { contentType: type, data: { typeUrl, value: body } }
}

/** The metadata of an answer that came over HTTP. */
function httpStatus(call: ServerCall, status: number, fields: Fields): FieldsInit {
  return answerMetadata(call.metadata, ['dapr-http-status', String(status), ...httpToMetadata(fields)])
}

/** A failure of an application that speaks HTTP is an error of the call, too. */
function throwUnlessSuccess(status: number, body: Uint8Array): void {
  if (status < 200 || status >= 300) {
    const phrase = reasonPhrase(status)
    throw grpcError({
      code: grpcCodeOf(status) as Exclude<GrpcStatusCode, 0>,
      message: phrase,
      details: {
        reason: phrase,
        metadata: {
          'http.code': String(status),
          'http.error_message': decoder.decode(body.subarray(0, longestMessage)),
        },
      },
    })
  }
}
