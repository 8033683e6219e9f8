import { describe } from 'vitest'
import { describeWithService } from '@outrigger/services'
import { component, type Sidecar } from '../../src/index.ts'

type Redelivery = 'soon' | 'usual' | number

export interface Broker {
  /** Resources of a broker whose messages of dead processes come back soon, after so many milliseconds, or after the usual time. */
  resources(folder: string, redelivery: Redelivery): string
}

let database = 0

const lease = (redelivery: 'soon' | number): string => `${redelivery === 'soon' ? 500 : redelivery}ms`

type Body = (broker: Broker) => void

export function inMemory(body: Body): void {
  describe('pubsub.in-memory', () => body({ resources: () => component('pubsub', 'pubsub.in-memory') }))
}

/** The brokers that outlive a sidecar. */
export function durable(body: Body): void {
  describe('pubsub.sqlite', () =>
    body({
      resources: (folder, redelivery) =>
        component('pubsub', 'pubsub.sqlite', {
          metadata: {
            connectionString: `${folder}/messages.db`,
            ...(redelivery !== 'usual' && {
              visibilityTimeout: lease(redelivery),
              redeliverInterval: '50ms',
            }),
          },
        }),
    }))
  describeWithService('redis', 'pubsub.redis', (get) =>
    body({
      resources: (_folder, redelivery) =>
        component('pubsub', 'pubsub.redis', {
          metadata: {
            redisHost: `127.0.0.1:${get().port}`,
            // What one test left is nothing to the next.
            redisDB: database++,
            ...(redelivery !== 'usual' && {
              processingTimeout: lease(redelivery),
              redeliverInterval: '100ms',
            }),
          },
        }),
    }),
  )
}

export async function publish(sidecar: Sidecar, id: string, topic = 'orders'): Promise<boolean> {
  const answer = await fetch(`${sidecar.url}/v1.0/publish/pubsub/${topic}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id }),
  })
  await answer.arrayBuffer()
  return answer.status === 204
}

/** How often each id is there. */
export function counts(ids: readonly string[]): Map<string, number> {
  const map = new Map<string, number>()
  for (const id of ids) map.set(id, (map.get(id) ?? 0) + 1)
  return map
}
