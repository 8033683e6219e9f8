import * as grpc from '@grpc/grpc-js'
import { create, methodsOf, type MessageInitShape, type MessageShape } from '@outrigger/proto'
import {
  Dapr,
  SubscribeTopicEventsRequestAlpha1Schema,
  type SubscribeTopicEventsResponseAlpha1Schema,
  type TopicEventRequest,
  type TopicEventResponse_TopicEventResponseStatus,
} from '@outrigger/proto/runtime'
import { waitFor } from '@outrigger/testkit'

type Request = MessageInitShape<typeof SubscribeTopicEventsRequestAlpha1Schema>
type Response = MessageShape<typeof SubscribeTopicEventsResponseAlpha1Schema>

const method = methodsOf(Dapr).subscribeTopicEventsAlpha1

/** A subscription by stream, as grpc-js makes it. */
export class Stream {
  readonly events: TopicEventRequest[] = []
  #onEvent: ((event: TopicEventRequest) => void) | undefined
  subscribed = false
  ended: { readonly code: number; readonly details: string } | undefined
  readonly #client: grpc.Client
  readonly #call: grpc.ClientDuplexStream<Request, Response>

  constructor(
    port: number,
    initial: { pubsubName: string; topic: string; deadLetterTopic?: string } | undefined,
  ) {
    this.#client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
    this.#call = this.#client.makeBidiStreamRequest<Request, Response>(
      method.path,
      (request) => Buffer.from(method.input.encode(create(SubscribeTopicEventsRequestAlpha1Schema, request))),
      (bytes) => method.output.decode(bytes),
    )
    this.#call.on('data', (message: Response) => {
      const { subscribeTopicEventsResponseType: type } = message
      if (type.case === 'initialResponse') this.subscribed = true
      if (type.case !== 'eventMessage') return
      this.events.push(type.value)
      this.#onEvent?.(type.value)
    })
    this.#call.on('error', ({ code, details }: grpc.ServiceError) => (this.ended = { code, details }))
    this.#call.on('status', ({ code, details }) => (this.ended ??= { code, details }))
    if (initial !== undefined) this.send({ case: 'initialRequest', value: initial })
  }

  static async open(port: number, initial: ConstructorParameters<typeof Stream>[1]): Promise<Stream> {
    const stream = new Stream(port, initial)
    await waitFor(() => stream.subscribed || stream.ended !== undefined, {
      what: 'the stream to be open or refused',
    })
    return stream
  }

  /** Called for each event as it comes, first for those that have come already. */
  set onEvent(take: (event: TopicEventRequest) => void) {
    this.#onEvent = take
    for (const event of this.events.slice()) take(event)
  }

  send(type: NonNullable<Request['subscribeTopicEventsRequestType']>): void {
    this.#call.write({ subscribeTopicEventsRequestType: type } as Request)
  }

  answer(id: string, status: TopicEventResponse_TopicEventResponseStatus = 0): void {
    this.send({ case: 'eventProcessed', value: { id, status: { status } } })
  }

  /** Sends no more; the server ends the stream. */
  finish(): void {
    this.#call.end()
  }

  /** Breaks off without a word. */
  close(): void {
    this.#call.cancel()
    this.#client.close()
  }
}
