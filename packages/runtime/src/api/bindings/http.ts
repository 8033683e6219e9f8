import { asField, isFieldValue, metadataFields } from '../../app/fields.ts'
import { membersOf, namesOf } from '../../app/members.ts'
import type { HttpRoute } from '../../server/router.ts'
import { isRecord, malformed, metadataIn, readJson, textIn } from '../json-body.ts'
import { rawMember } from '../raw-json.ts'
import type { BindingsHandler } from './handler.ts'

const encoder = new TextEncoder()
const names = namesOf('operation', 'data', 'metadata')

/** The binding route of the HTTP API. */
export function bindingsRoutes(handler: BindingsHandler): HttpRoute[] {
  return [
    {
      name: 'InvokeBinding',
      methods: ['POST', 'PUT'],
      path: 'v1.0/bindings/:name',
      async handle(call) {
        const { text, value } = await readJson(call)
        if (!isRecord(value)) throw malformed('an object with "operation", "data" and "metadata" is expected')
        const { operation, metadata: given } = membersOf(value, names)
        const span = rawMember(text, 'data')
        const response = await handler.invoke(
          {
            name: call.params[0]!,
            operation: textIn(operation, 'operation') ?? '',
            data: encoder.encode(span === undefined ? '' : text.slice(span.start, span.end)),
            metadata: metadataIn(given, 'metadata'),
          },
          call,
        )
        const { data, contentType, metadata } = response
        const fields: string[] = []
        if (metadata !== undefined) metadataFields('metadata.', metadata, fields)
        if (data === undefined) {
          call.response.send(204, fields)
          return
        }
        const known = contentType !== undefined && isFieldValue(contentType)
        fields.push('content-type', known ? asField(contentType) : 'application/json')
        if (data instanceof Uint8Array) {
          call.response.send(200, fields, data)
          return
        }
        const writer = call.response.start(200, fields)
        try {
          for await (const chunk of data) await writer.write(chunk)
          writer.end()
        } catch (error) {
          writer.abort()
          throw error
        }
      },
    },
  ]
}
