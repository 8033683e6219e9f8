import { grpcCodeOf } from '@outrigger/proto/codes'
import { HTTPExtension_Verb, type InvokeRequest, type InvokeResponse } from '@outrigger/proto/common'
import { grpcError } from '@outrigger/proto/status'
import { Fields } from '@outrigger/wire'
import { isGrpcError, type GrpcStatusCode, type ServerCall } from '@outrigger/wire/grpc'
import { callbacks } from '../../app/callbacks.ts'
import type { GrpcAppChannel } from '../../app/channel.ts'
import { ApiError } from '../api-error.ts'
import { required, type DaprHandlers } from '../grpc-call.ts'
import type { InvokeHandler } from './handler.ts'
import { httpToMetadata, metadataToHttp } from './metadata.ts'
import { methodName, pathOfMethod } from './method-name.ts'
import { reasonPhrase } from './reason-phrase.ts'

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
      const channel = handler.reach(id)
      if (channel.kind === 'http') return toHttp(handler, id, request, call, maxBytes)
      return toGrpc(handler, channel, id, request, call)
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
    return await channel.call(callbacks.onInvoke, request, {
      metadata: handler.identify(Fields.from(call.metadata)),
      signal,
      timeoutMs,
      onMetadata: (metadata) => call.setMetadata(metadata),
      onTrailers: (trailers) => call.setTrailers(trailers),
    })
  } catch (error) {
    throw isGrpcError(error) ? error : handler.failed(id, channel, error)
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
  call.setMetadata(['dapr-http-status', String(status), ...httpToMetadata(answer.fields)])
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
  return { contentType: answer.fields.get('content-type') ?? '', data: { typeUrl: '', value: body } }
}
