import { Fields, isWireError, type Client } from '@outrigger/wire'
import type { ServerRequest, ServerResponse } from '@outrigger/wire'
import {
  createGrpcProxy,
  GrpcChannel,
  GrpcError,
  grpcStatus,
  type CallOptions,
  type GrpcMethod,
} from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { appOrigin } from './address.ts'
import { callerOf } from './caller.ts'
import type { AppCallOptions, GrpcAppChannel, Place, TakePlace, UnaryMethod } from './channel.ts'
import { Gate } from './gate.ts'
import { tokenField } from './trusted-fields.ts'

export interface GrpcChannelOptions {
  readonly host: string
  readonly port: number
  /** TLS, with any certificate: the application is on the same machine. */
  readonly secure: boolean
  /** Calls under way at once; absent or 0: no limit. */
  readonly maxConcurrency?: number | undefined
  /** Calls that may wait for their turn; more fail with an AppBusyError. Default 1000. */
  readonly maxWaiting?: number | undefined
  /** Sent as `dapr-api-token` so that the application knows its sidecar. */
  readonly appApiToken?: string | undefined
  /** Bytes of an answer. Default 4 MiB. */
  readonly maxMessageBytes?: number | undefined
}

/** Metadata of gRPC may be larger than header fields of HTTP. */
const maxHeaderBytes = 64 * 1024

/** Reaches an application that serves `AppCallback` over gRPC. Import this only where there is one. */
export function createGrpcAppChannel(options: GrpcChannelOptions): GrpcAppChannel {
  return new Channel(options)
}

class Channel implements GrpcAppChannel {
  readonly kind = 'grpc'
  readonly address: string
  readonly place: TakePlace | undefined
  readonly #client: Client
  readonly #channel: GrpcChannel
  readonly #gate: Gate | undefined
  readonly #token: string | undefined

  constructor(options: GrpcChannelOptions) {
    const { host, port, secure, maxConcurrency = 0, maxMessageBytes } = options
    this.address = appOrigin(secure, host, port)
    this.#client = createHttp2Client({ tls: { insecure: true }, maxHeaderBytes })
    this.#channel = new GrpcChannel({
      origin: this.address,
      client: this.#client,
      ...(maxMessageBytes !== undefined && { maxMessageBytes }),
    })
    const gate = maxConcurrency > 0 ? new Gate(maxConcurrency, options.maxWaiting ?? 1000) : undefined
    this.#gate = gate
    this.place = gate && ((source, signal) => turn(gate, source, signal, true))
    this.#token = options.appApiToken === '' ? undefined : options.appApiToken
  }

  async call<I, O>(method: UnaryMethod<I, O>, request: I, options: AppCallOptions = {}): Promise<O> {
    const gate = options.unlimited === true ? undefined : this.#gate
    const { unlimited: _, patient, place, ...rest } = options
    const own =
      place ?? (gate && (await turn(gate, callerOf(options.metadata), options.signal, patient === true)))
    try {
      const call: CallOptions = { ...rest, metadata: this.#metadata(options.metadata) }
      // Of the two codecs a unary call needs only these halves.
      return await this.#channel.call(method as GrpcMethod<I, O>, request, call)
    } finally {
      own?.leave()
    }
  }

  async forward(request: ServerRequest, response: ServerResponse, fields: Fields): Promise<void> {
    const target = { origin: this.address, fields: this.#metadata(fields) }
    await createGrpcProxy({ client: this.#client, target: () => target })(request, response)
  }

  close(): void {
    this.#client.close()
  }

  /** The token is the sidecar's to give. */
  #metadata(init: AppCallOptions['metadata']): Fields {
    const fields = init === undefined ? new Fields() : Fields.from(init)
    if (this.#token === undefined) fields.delete(tokenField)
    else fields.set(tokenField, this.#token)
    return fields
  }
}

async function turn(
  gate: Gate,
  source: string,
  signal: AbortSignal | undefined,
  patient: boolean,
): Promise<Place> {
  try {
    return await gate.enter(source, signal, patient)
  } catch (error) {
    if (!isWireError(error)) throw error
    throw new GrpcError(grpcStatus.CANCELLED, error.message, { cause: error })
  }
}
