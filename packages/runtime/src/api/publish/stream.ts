import type { MessageInitShape } from '@outrigger/proto'
import type { SubscribeTopicEventsResponseAlpha1Schema } from '@outrigger/proto/runtime'
import type { Logger } from '@outrigger/spec'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { eventMessage, ofCode } from '../../pubsub/grpc-subscriber.ts'
import { StreamSubscriber } from '../../pubsub/stream-subscriber.ts'
import type { DaprHandlers } from '../grpc-call.ts'
import { optional } from '../grpc-call.ts'
import type { PublishHandler } from './handler.ts'
import { Outgoing } from './outgoing.ts'

type Answer = MessageInitShape<typeof SubscribeTopicEventsResponseAlpha1Schema>
type Requests = Parameters<Required<DaprHandlers>['subscribeTopicEventsAlpha1']>[0]

/** Subscriptions by stream: the first message subscribes, the others say what became of an event. */
export function streamMethods(
  handler: PublishHandler,
  logger: Logger,
): Required<Pick<DaprHandlers, 'subscribeTopicEventsAlpha1'>> {
  return {
    async *subscribeTopicEventsAlpha1(requests, call) {
      const input = requests[Symbol.asyncIterator]()
      const wanted = await subscriptionIn(input)
      const outgoing = new Outgoing<Answer>()
      const subscriber = new StreamSubscriber((delivery) =>
        outgoing.push({
          subscribeTopicEventsResponseType: { case: 'eventMessage', value: eventMessage(delivery) },
        }),
      )
      const subscription = await handler.subscribe(wanted, subscriber)
      const stopping = (): void =>
        outgoing.fail(new GrpcError(grpcStatus.UNAVAILABLE, 'the sidecar ends the subscription'))
      subscription.closed.addEventListener('abort', stopping, { once: true })
      // Who waits for the next event must hear of the end, too.
      call.signal.addEventListener('abort', () => outgoing.end(), { once: true })
      void settleAll(input, subscriber, logger).then(
        // As in Dapr, and as SDKs need it that close their side by mistake: they subscribe again after this code.
        () => outgoing.fail(new GrpcError(grpcStatus.UNKNOWN, 'EOF')),
        (error: unknown) => outgoing.fail(error),
      )
      try {
        yield { subscribeTopicEventsResponseType: { case: 'initialResponse', value: {} } }
        yield* outgoing
      } finally {
        subscription.closed.removeEventListener('abort', stopping)
        // What was not answered goes back to the broker.
        await subscription.close(AbortSignal.abort())
      }
    },
  }
}

type Input = AsyncIterator<Requests extends AsyncIterable<infer M> ? M : never>

async function subscriptionIn(input: Input) {
  const first = await input.next()
  const type = first.done === true ? undefined : first.value.subscribeTopicEventsRequestType
  if (type?.case !== 'initialRequest')
    throw new GrpcError(grpcStatus.INVALID_ARGUMENT, 'initial request is required')
  const { pubsubName, topic, metadata, deadLetterTopic } = type.value
  return { pubsubName, topic, metadata, deadLetterTopic: optional(deadLetterTopic ?? '') }
}

/** Reads what became of the events, until the application sends no more. */
async function settleAll(input: Input, subscriber: StreamSubscriber, logger: Logger): Promise<void> {
  for (;;) {
    const next = await input.next()
    if (next.done === true) return
    const type = next.value.subscribeTopicEventsRequestType
    if (type.case !== 'eventProcessed')
      throw new GrpcError(grpcStatus.INVALID_ARGUMENT, 'duplicate initial request received')
    const { id, status } = type.value
    if (!subscriber.settle(id, ofCode(status?.status ?? 0)))
      logger.warn('a stream answered an event that does not wait for it', { id: id.slice(0, 100) })
  }
}
