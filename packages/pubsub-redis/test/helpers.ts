import { createForTest } from '@outrigger/conformance'
import type { IncomingMessage, PubSub, Settlement } from '@outrigger/spec'
import definition from '../src/index.ts'

export const plain = Object.freeze({})

export const fast = { processingTimeout: '300ms', redeliverInterval: '100ms' }

export function open(properties: Record<string, string>, appId = 'app'): Promise<PubSub> {
  return createForTest(definition, { properties: { ...fast, ...properties }, appId })
}

export function publish(pubsub: PubSub, topic: string, text: string): Promise<void> {
  return pubsub.publish({ topic, data: Buffer.from(text), metadata: {} }, plain)
}

export interface Inbox {
  readonly messages: IncomingMessage[]
  readonly texts: readonly string[]
  deliver(message: IncomingMessage): Promise<Settlement>
}

export function inbox(answer: () => Settlement | Promise<Settlement> = () => 'ack'): Inbox {
  const messages: IncomingMessage[] = []
  return {
    messages,
    get texts() {
      return messages.map(({ data }) => Buffer.from(data).toString())
    },
    async deliver(message) {
      messages.push(message)
      return answer()
    },
  }
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
