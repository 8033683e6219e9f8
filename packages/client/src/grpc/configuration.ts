import { clientError, type OutriggerError } from '../error.ts'
import type { ConfigurationPort } from '../sections/configuration.ts'
import { ConfigurationSubscription, readItems } from '../updates.ts'
import type { GrpcCaller } from './caller.ts'

export function grpcConfiguration(caller: GrpcCaller): ConfigurationPort {
  return {
    async get(storeName, keys, options) {
      const request = { storeName, keys: [...keys], metadata: { ...options.metadata } }
      return readItems(
        (await caller.call((dapr, rest) => dapr.getConfiguration(request, rest), options)).items,
      )
    },
    async subscribe(storeName, keys, options) {
      const request = { storeName, keys: [...keys], metadata: { ...options.metadata } }
      const stop = new AbortController()
      // Until the first message the caller's signal gives up, then it unsubscribes.
      const beginning = options.signal
      const giveUp = (): void => stop.abort(beginning?.reason)
      if (beginning?.aborted === true) giveUp()
      beginning?.addEventListener('abort', giveUp, { once: true })
      const signal = stop.signal
      const answers = caller.stream((dapr, rest) => dapr.subscribeConfiguration(request, rest), {
        ...options,
        signal,
      })
      let first: Awaited<ReturnType<typeof answers.next>>
      try {
        first = await answers.next()
      } finally {
        beginning?.removeEventListener('abort', giveUp)
      }
      if (first.done === true)
        throw clientError('ERR_CLIENT_ANSWER', `the sidecar ended the subscription to ${storeName} at once`)
      const subscription = new ConfigurationSubscription(first.value.id, () => stop.abort())
      subscription.push(readItems(first.value.items))
      void follow(answers, subscription)
      return subscription
    },
  }
}

async function follow(
  answers: AsyncIterable<{ readonly items: object }>,
  subscription: ConfigurationSubscription,
): Promise<void> {
  try {
    for await (const { items } of answers) subscription.push(readItems(items))
    subscription.end(clientError('ERR_CLIENT_UNAVAILABLE', 'the sidecar ended the subscription'))
  } catch (error) {
    subscription.end(error as OutriggerError)
  }
}
