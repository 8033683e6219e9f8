import { httpStatusOf } from '@outrigger/proto/codes'
import { HTTPExtension_Verb, type InvokeResponse } from '@outrigger/proto/common'
import { Fields } from '@outrigger/wire'
import { isGrpcError, type GrpcError } from '@outrigger/wire/grpc'
import { callbacks } from '../../app/callbacks.ts'
import type { AppRequest, AppResponse, GrpcAppChannel } from '../../app/channel.ts'
import { MemoryBody, wholeBody } from '../../app/memory-body.ts'
import { httpToMetadata, metadataToHttp } from './metadata.ts'
import { methodOfPath } from './method-name.ts'
import { statusJson } from './status-json.ts'

const verbs = HTTPExtension_Verb as unknown as Readonly<Record<string, HTTPExtension_Verb | undefined>>
const encoder = new TextEncoder()

/**
 * A request of HTTP as `OnInvoke`, and what comes of it as an answer of HTTP: 200, or for a status other than OK
 * the HTTP status that stands for it, with the status as JSON.
 */
export async function onInvoke(
  channel: GrpcAppChannel,
  request: AppRequest,
  maxBodyBytes: number,
): Promise<AppResponse> {
  const fields = Fields.from(request.fields ?? [])
  const [path = '', ...query] = request.path.split('?')
  const message = {
    method: methodOfPath(fields.get('dapr-callee-app-id') ?? '', path.replace(/^\/+/, '')),
    data: { typeUrl: '', value: await wholeBody(request.body, maxBodyBytes) },
    contentType: fields.get('content-type') ?? '',
    httpExtension: {
      verb: verbs[request.method] ?? HTTPExtension_Verb.POST,
      querystring: query.join('?'),
    },
  }
  let head: Fields | undefined
  const options = {
    metadata: httpToMetadata(fields),
    signal: request.signal,
    place: request.place,
    onMetadata: (metadata: Fields) => (head = metadata),
  }
  try {
    const answer = await channel.call(callbacks.onInvoke, message, options)
    return success(answer, head)
  } catch (error) {
    if (!isGrpcError(error)) throw error
    return failure(error, head)
  }
}

function success({ contentType, data }: InvokeResponse, head: Fields | undefined): AppResponse {
  const fields = new Fields(metadataToHttp(head ?? []))
  const type = data !== undefined && data.typeUrl !== '' ? 'application/x-protobuf' : contentType
  if (type !== '') fields.set('content-type', type)
  return { status: 200, fields, body: new MemoryBody(data?.value) }
}

function failure(error: GrpcError, head: Fields | undefined): AppResponse {
  const fields = new Fields(metadataToHttp(head ?? [])).set('content-type', 'application/json')
  const body = new MemoryBody(encoder.encode(statusJson(error)))
  return { status: httpStatusOf(error.code), fields, body }
}
