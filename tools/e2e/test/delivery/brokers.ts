import { describe } from 'vitest'
import { describeWithService, type Service } from '@outrigger/services'
import { component, type Sidecar } from '../../src/index.ts'

type Redelivery = 'soon' | 'usual' | number

export interface Broker {
  /**
   * Resources of a broker whose messages of dead processes come back soon, after so many milliseconds, or after the usual time.
   * @param inFlight how many messages are worked at at the same time; the component's own number without it
   */
  resources(folder: string, redelivery: Redelivery, inFlight?: number): string
  /** Where there is a server, that one. */
  readonly server?: () => Service
}

let database = 0

const lease = (redelivery: 'soon' | number): string => `${redelivery === 'soon' ? 500 : redelivery}ms`

type Body = (broker: Broker) => void

export function inMemory(body: Body): void {
  describe('pubsub.in-memory', () =>
    body({
      resources: (_folder, _redelivery, inFlight) =>
        component('pubsub', 'pubsub.in-memory', {
          metadata: inFlight === undefined ? {} : { maxInFlight: inFlight },
        }),
    }))
}

export const sqlite: Broker = {
  resources: (folder, redelivery, inFlight) =>
    component('pubsub', 'pubsub.sqlite', {
      metadata: {
        connectionString: `${folder}/messages.db`,
        ...(redelivery !== 'usual' && { visibilityTimeout: lease(redelivery), redeliverInterval: '50ms' }),
        ...(inFlight !== undefined && { maxInFlight: inFlight }),
      },
    }),
}

export const redis = (get: () => Service): Broker => ({
  resources: (_folder, redelivery, inFlight) =>
    component('pubsub', 'pubsub.redis', {
      metadata: {
        redisHost: `127.0.0.1:${get().port}`,
        // What one test left is nothing to the next.
        redisDB: database++ % 16,
        ...(redelivery !== 'usual' && { processingTimeout: lease(redelivery), redeliverInterval: '100ms' }),
        ...(inFlight !== undefined && { concurrency: inFlight }),
      },
    }),
  server: get,
})

/** A Redis that has on its disk what it has answered. */
export const keepsAll: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always']

/**
 * The brokers that outlive a sidecar.
 * @param args of servers, besides the usual ones
 */
export function durable(body: Body, args: readonly string[] = []): void {
  describe('pubsub.sqlite', () => body(sqlite))
  describeWithService('redis', 'pubsub.redis', (get) => body(redis(get)), { args })
}

/** @param more fields of the message besides its id */
export async function publish(
  sidecar: Sidecar,
  id: string,
  topic = 'orders',
  more: object = {},
): Promise<boolean> {
  const answer = await fetch(`${sidecar.url}/v1.0/publish/pubsub/${topic}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, ...more }),
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
