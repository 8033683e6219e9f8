import { describe } from 'vitest'
import { describeWithService } from '@outrigger/services'
import { component } from '../../src/index.ts'

/** A state store with an outbox on a broker of the same sort, in a folder of the test's own. */
export type OutboxResources = (
  folder: string,
  metadata?: Readonly<Record<string, string>>,
) => readonly string[]

const outbox = { outboxPublishPubsub: 'pubsub', outboxPublishTopic: 'orders' }
let database = 0

/** Runs `body` with SQLite, and with Redis where there is one. What a dead process held comes back soon. */
export function durable(body: (resources: OutboxResources) => void): void {
  describe('state.sqlite and pubsub.sqlite', () =>
    body((folder, metadata) => [
      component('store', 'state.sqlite', {
        metadata: { connectionString: `${folder}/state.db`, ...outbox, ...metadata },
      }),
      component('pubsub', 'pubsub.sqlite', {
        metadata: {
          connectionString: `${folder}/messages.db`,
          visibilityTimeout: '500ms',
          redeliverInterval: '50ms',
        },
      }),
    ]))
  describeWithService('redis', 'state.redis and pubsub.redis', (get) =>
    body((_folder, metadata) => {
      // What one test left is nothing to the next.
      const redis = { redisHost: `127.0.0.1:${get().port}`, redisDB: database++ }
      return [
        component('store', 'state.redis', { metadata: { ...redis, ...outbox, ...metadata } }),
        component('pubsub', 'pubsub.redis', {
          metadata: { ...redis, processingTimeout: '500ms', redeliverInterval: '100ms', concurrency: 100 },
        }),
      ]
    }),
  )
}
