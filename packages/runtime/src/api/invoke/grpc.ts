import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { grpcCodeOf } from '@outrigger/proto/codes'
import { GrpcError, isMetadataName, type GrpcStatusCode } from '@outrigger/wire/grpc'
import { ApiError } from '../api-error.ts'
import { required, type DaprHandlers } from '../grpc-call.ts'
import type { InvokeHandler } from './handler.ts'

const verbs = new Map(Object.entries(HTTPExtension_Verb).map(([name, value]) => [value as number, name]))
const decoder = new TextDecoder()

/** The invoke method of the gRPC API. `maxBytes`: of an answer, which is one message. */
export function invokeMethods(
  handler: InvokeHandler,
  maxBytes: number,
): Required<Pick<DaprHandlers, 'invokeService'>> {
  return {
    async invokeService({ id, message }, call) {
      const { method, data, contentType, httpExtension } = required(message, 'message')
      const verb = verbs.get(httpExtension?.verb ?? HTTPExtension_Verb.NONE) ?? 'NONE'
      if (verb === 'NONE') {
        throw new ApiError(
          'MALFORMED_REQUEST',
          `invoking ${method} of ${id} needs message.httpExtension.verb`,
        )
      }
      const query = httpExtension?.querystring ?? ''
      const fields: string[] = []
      for (const [name, value] of call.metadata) if (!name.endsWith('-bin')) fields.push(name, value)
      if (contentType !== '') fields.push('content-type', contentType)
      const answer = await handler.invoke(id, {
        method: verb,
        path: `/${method.replace(/^\//, '')}${query === '' ? '' : `?${query}`}`,
        fields,
        signal: call.signal,
        ...(data !== undefined && data.value.length > 0 && { body: data.value }),
      })
      const body = await answer.body.bytes(maxBytes)
      const sent = ['dapr-http-status', String(answer.status)]
      for (const [name, value] of answer.fields) {
        if (isMetadataName(name) && name !== 'content-length' && name !== 'connection') sent.push(name, value)
      }
      call.setMetadata(sent)
      if (answer.status < 200 || answer.status >= 300) {
        throw new GrpcError(
          grpcCodeOf(answer.status) as GrpcStatusCode,
          decoder.decode(body) || `HTTP ${answer.status}`,
        )
      }
      return { contentType: answer.fields.get('content-type') ?? '', data: { typeUrl: '', value: body } }
    },
  }
}
