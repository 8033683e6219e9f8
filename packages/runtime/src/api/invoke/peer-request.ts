import { Fields } from '@outrigger/wire'
import type { AppRequest } from '../../app/channel.ts'
import { fromField } from '../../app/fields.ts'
import type { PeerRequest } from '../../peer/messages.ts'
import { metadataToHttp } from './metadata.ts'
import { methodName, pathOfMethod } from './method-name.ts'

/**
 * What another sidecar asks of an application that speaks HTTP, as a request to it.
 * @throws ApiError for a method that no path can have
 */
export function httpRequest(
  appId: string,
  head: PeerRequest,
  body: AppRequest['body'],
  signal: AbortSignal,
): AppRequest {
  const fields = new Fields(metadataToHttp(head.metadata))
  const type = head.typeUrl === '' ? head.contentType : 'application/x-protobuf'
  if (type !== '') fields.set('content-type', type)
  const method = fromField(head.method)
  const name = methodName(appId, method)
  // To many applications a slash at the end makes another path.
  const path = pathOfMethod(name !== '' && method.endsWith('/') ? `${name}/` : name)
  return {
    method: verbOf(head),
    path: head.query === '' ? path : `${path}?${escapedQuery(head.query)}`,
    fields,
    signal,
    ...(body !== undefined && { body }),
  }
}

/** A call that came over gRPC without a verb is one with a message. */
export function verbOf({ verb }: PeerRequest): string {
  return verb === '' ? 'POST' : verb
}

/** A query goes on as it came; what cannot stand in a request line is escaped. */
function escapedQuery(query: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what a request line cannot hold
  return /[\u0000-\u0020\u007f-\uffff]/.test(query)
    ? fromField(query).replace(/[\u0000-\u0020\u007f-\uffff]+/g, encodeURIComponent) // oxlint-disable-line no-control-regex
    : query
}
