import { callsOf, type CallsOf } from '@outrigger/proto/call'
import { Dapr } from '@outrigger/proto/runtime'
import { GrpcChannel, type CallOptions as GrpcOptions } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import type { CallOptions } from '../call.ts'
import { closed } from '../error.ts'
import type { Settings } from '../settings.ts'
import { callError } from './errors.ts'

export type DaprCalls = CallsOf<typeof Dapr>

/** Calls the gRPC API of one sidecar. */
export class GrpcCaller {
  readonly #settings: Settings
  readonly #client = createHttp2Client()
  readonly #dapr: DaprCalls
  #closed = false

  constructor(settings: Settings) {
    this.#settings = settings
    const { origin, maxBodyBytes } = settings
    const maxMessageBytes = Math.min(maxBodyBytes, 2 ** 31 - 1)
    this.#dapr = callsOf(Dapr, new GrpcChannel({ origin, client: this.#client, maxMessageBytes }))
  }

  /** One call with one answer. */
  async call<O>(
    work: (dapr: DaprCalls, options: GrpcOptions) => Promise<O>,
    options: CallOptions,
    fields: string[] = [],
  ): Promise<O> {
    if (this.#closed) throw closed()
    try {
      return await work(this.#dapr, this.#options(options, fields, this.#settings.timeoutMs))
    } catch (error) {
      throw this.#failed(error, options)
    }
  }

  /** A call with many answers, for as long as it takes. */
  async *stream<O>(
    work: (dapr: DaprCalls, options: GrpcOptions) => AsyncIterable<O>,
    options: CallOptions,
  ): AsyncGenerator<O, void> {
    if (this.#closed) throw closed()
    try {
      yield* work(this.#dapr, this.#options(options, [], undefined))
    } catch (error) {
      throw this.#failed(error, options)
    }
  }

  close(): void {
    this.#closed = true
    this.#client.close()
  }

  #failed(error: unknown, { signal }: CallOptions): unknown {
    return this.#closed ? closed() : callError(error, signal, this.#settings.origin)
  }

  #options(
    { signal, traceparent, tracestate, baggage }: CallOptions,
    metadata: string[],
    timeoutMs: number | undefined,
  ): GrpcOptions {
    const { apiToken } = this.#settings
    if (apiToken !== undefined) metadata.push('dapr-api-token', apiToken)
    if (traceparent !== undefined) metadata.push('traceparent', traceparent)
    if (tracestate !== undefined) metadata.push('tracestate', tracestate)
    if (baggage !== undefined) metadata.push('baggage', baggage)
    return { metadata, signal, timeoutMs }
  }
}
