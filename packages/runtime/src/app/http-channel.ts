import { createClient, Fields } from '@outrigger/wire'
import type { Body, Client, ClientRequest, FieldsInit, TlsOptions } from '@outrigger/wire'
import { appOrigin } from './address.ts'
import { callerOf } from './caller.ts'
import type { AppRequest, AppResponse, HttpAppChannel, Place, TakePlace } from './channel.ts'
import { Gate } from './gate.ts'
import { withoutHopByHop } from './hop-by-hop.ts'
import { tokenField } from './trusted-fields.ts'

export interface HttpChannelOptions {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** Calls under way at once; absent or 0: no limit. */
  readonly maxConcurrency?: number | undefined
  /** Calls that may wait for their turn; more fail with an AppBusyError. Default 1000. */
  readonly maxWaiting?: number | undefined
  /** Sent as `dapr-api-token` so that the application knows its sidecar. */
  readonly appApiToken?: string | undefined
  /** Most bytes of header fields in an answer. Default: that of wire. */
  readonly maxHeaderBytes?: number | undefined
  /** Closed with the channel. Default: one that speaks HTTP/1.1. */
  readonly client?: Client | undefined
  /** Default for https: any certificate is accepted, as the application is on the same machine. */
  readonly tls?: TlsOptions | undefined
}

/** Reaches the application over whatever HTTP its client speaks. */
export function createHttpChannel(options: HttpChannelOptions): HttpAppChannel {
  return new HttpChannel(options)
}

class HttpChannel implements HttpAppChannel {
  readonly kind = 'http'
  readonly address: string
  private readonly client: Client
  private readonly gate: Gate | undefined
  readonly place: TakePlace | undefined
  private readonly token: string | undefined

  constructor(options: HttpChannelOptions) {
    this.address = appOrigin(options.secure, options.host, options.port)
    this.client =
      options.client ??
      createClient({
        tls: options.tls ?? { insecure: true },
        ...(options.maxHeaderBytes === undefined ? {} : { maxHeaderBytes: options.maxHeaderBytes }),
      })
    const limit = options.maxConcurrency ?? 0
    const gate = limit > 0 ? new Gate(limit, options.maxWaiting ?? 1000) : undefined
    this.gate = gate
    this.place = gate && ((source, signal) => gate.enter(source, signal, true))
    this.token = options.appApiToken === '' ? undefined : options.appApiToken
  }

  async call(request: AppRequest): Promise<AppResponse> {
    const gate = request.unlimited === true ? undefined : this.gate
    if (gate === undefined) return this.send(request)
    const place =
      request.place ?? (await gate.enter(callerOf(request.fields), request.signal, request.patient))
    let response: AppResponse
    try {
      response = await this.send(request)
    } catch (error) {
      place.leave()
      throw error
    }
    const { status, fields } = response
    return { status, fields, body: new GatedBody(response.body, request.signal, place) }
  }

  close(): void {
    this.client.close()
  }

  private async send(request: AppRequest): Promise<AppResponse> {
    const response = await this.client.request({
      method: request.method,
      origin: this.address,
      path: request.path,
      fields: this.outgoing(request.fields),
      ...(request.body === undefined ? {} : bodyOf(request.body)),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    })
    return { status: response.status, fields: withoutHopByHop(response.fields), body: response.body }
  }

  private outgoing(init: FieldsInit | undefined): FieldsInit {
    const fields = withoutHopByHop(init === undefined ? new Fields() : Fields.from(init))
    // The token is the sidecar's to give.
    if (this.token === undefined) fields.delete(tokenField)
    else fields.set(tokenField, this.token)
    return fields
  }
}

/** Applications get the length of a body whenever it is known: not all of them can do without. */
export function bodyOf(body: NonNullable<AppRequest['body']>): Pick<ClientRequest, 'body' | 'bodyLength'> {
  const { length } = body as { readonly length?: unknown }
  if (body instanceof Uint8Array || typeof length !== 'number') return { body }
  return { body, bodyLength: length }
}

/** Keeps the place of a call until its answer was read, cancelled or given up. */
class GatedBody implements Body {
  private readonly body: Body
  private readonly signal: AbortSignal | undefined
  private readonly place: Place
  private readonly release = (): void => {
    this.signal?.removeEventListener('abort', this.release)
    this.place.leave()
  }

  constructor(body: Body, signal: AbortSignal | undefined, place: Place) {
    this.body = body
    this.signal = signal
    this.place = place
    if (signal?.aborted) this.release()
    else signal?.addEventListener('abort', this.release, { once: true })
  }

  get length(): number | undefined {
    return this.body.length
  }

  get limit(): number {
    return this.body.limit
  }

  set limit(bytes: number) {
    this.body.limit = bytes
  }

  async bytes(limit?: number): Promise<Uint8Array> {
    try {
      return await this.body.bytes(limit)
    } finally {
      this.release()
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      yield* this.body
    } finally {
      this.release()
    }
  }

  cancel(): void {
    this.body.cancel()
    this.release()
  }
}
