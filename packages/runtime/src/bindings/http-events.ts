import type { AppResponse, HttpAppChannel } from '../app/channel.ts'
import { asField, metadataFields } from '../app/fields.ts'
import { RefusedEvent, routeOf, type EventDoor } from './events.ts'
import type { AppResponder } from './types.ts'

/** Events as POST requests; whether they are wanted is asked by OPTIONS. */
export function httpEvents(
  channel: HttpAppChannel,
  responder: AppResponder | undefined,
  maxReplyBytes: number,
): EventDoor {
  return {
    place: channel.place,
    question: (live) => `OPTIONS ${routeOf(live)}`,
    async wants(live, signal) {
      const fields = ['content-type', 'application/json']
      const { status, body } = await channel.call({
        method: 'OPTIONS',
        path: routeOf(live),
        fields,
        signal,
        patient: true,
      })
      body.cancel()
      return isOk(status) || status === 405
    },
    async deliver(live, event, options) {
      const { signal, traceparent, tracestate, place } = options
      const fields = ['content-type', asField(event.contentType ?? 'application/json')]
      metadataFields('', event.metadata, fields)
      if (traceparent !== undefined) fields.push('traceparent', traceparent)
      if (tracestate !== undefined) fields.push('tracestate', tracestate)
      const path = routeOf(live)
      const response = await channel.call({ method: 'POST', path, fields, body: event.data, signal, place })
      const data = await read(response, maxReplyBytes)
      const { status, fields: answered } = response
      if (!isOk(status)) throw new RefusedEvent(status, live.name)
      return {
        status,
        reply: { settlement: 'ack', data, contentType: answered.get('content-type') },
        respond: responder && ((own) => responder.http(live, data, own)),
      }
    },
    judge: (error) => (error instanceof RefusedEvent ? { http: error.status } : {}),
  }
}

async function read(response: AppResponse, limit: number): Promise<Uint8Array> {
  try {
    return await response.body.bytes(limit)
  } catch (error) {
    response.body.cancel()
    throw error
  }
}

function isOk(status: number): boolean {
  return status >= 200 && status <= 299
}
