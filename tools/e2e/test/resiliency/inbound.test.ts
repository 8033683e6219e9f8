import { waitFor } from '@outrigger/testkit'
import { afterEach, expect, test } from 'vitest'
import {
  App,
  call,
  component,
  endApps,
  endSidecars,
  startSidecar,
  subscription,
  type AppRequest,
} from '../../src/index.ts'
import { resiliency } from './resource.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

const pubsub = component('pubsub', 'pubsub.in-memory')

/** Answers 500 to the first so many requests of each message. */
function failing(times: number) {
  const seen = new Map<string, number>()
  return (request: AppRequest) => {
    const { id } = request.json()
    seen.set(id, (seen.get(id) ?? 0) + 1)
    return { status: seen.get(id)! <= times ? 500 : 200 }
  }
}

test('messages are delivered again as the policy says, and go to the dead letters after that', async () => {
  const app = await App.start({
    'POST /mended': failing(2),
    'POST /lost': () => ({ status: 503 }),
    'POST /refused': () => ({ status: 400 }),
    '*': () => ({}),
  })
  const sidecar = await startSidecar({
    appId: 'shop',
    appPort: app.port,
    resources: [
      pubsub,
      ...['mended', 'lost', 'refused'].map((topic) =>
        subscription(topic, {
          pubsub: 'pubsub',
          topic,
          route: `/${topic}`,
          deadLetterTopic: `dead-${topic}`,
        }),
      ),
      ...['mended', 'lost', 'refused'].map((topic) =>
        subscription(`dead-${topic}`, { pubsub: 'pubsub', topic: `dead-${topic}`, route: `/dead-${topic}` }),
      ),
      resiliency(
        'deliveries',
        `
  policies:
    retries:
      thrice: {policy: constant, duration: 20ms, maxRetries: 3, matching: {httpStatusCodes: "500-599"}}
  targets:
    components:
      pubsub: {inbound: {retry: thrice}}`,
      ),
      // For somebody else: it would repeat nothing.
      resiliency('others', '  targets: {components: {pubsub: {inbound: {}}}}', ['other']),
    ],
  })
  for (const topic of ['mended', 'lost', 'refused']) {
    expect((await call(sidecar.httpPort, 'POST', `/v1.0/publish/pubsub/${topic}`, { n: 1 })).status).toBe(204)
  }
  const mended = await app.received('/mended', 3)
  expect(new Set(mended.map((request) => request.body.toString())).size).toBe(1)
  await app.received('/dead-lost')
  expect(app.at('/lost')).toHaveLength(4)
  await app.received('/dead-refused')
  expect(app.at('/refused')).toHaveLength(1)
  expect([app.at('/mended').length, app.at('/dead-mended').length]).toEqual([3, 0])
  const metadata = (await call(sidecar.httpPort, 'GET', '/v1.0/metadata')).json
  expect(metadata.resiliencies).toEqual([{ name: 'deliveries' }])
  expect(metadata.resiliencyTargets).toEqual([
    {
      target: 'component pubsub inbound',
      retry: 'thrice',
      circuitBreakers: [],
      activations: { timeouts: 0, retries: 5, refusals: 0 },
    },
  ])
})

test('of a bulk only what the application did not take is delivered again', async () => {
  const calls: string[][] = []
  const app = await App.start({
    'GET /dapr/subscribe': () => ({
      body: [
        {
          pubsubname: 'pubsub',
          topic: 'many',
          route: '/many',
          bulkSubscribe: { enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 60_000 },
        },
      ],
    }),
    'POST /many': (request) => {
      const entries = request.json().entries as { entryId: string; event: { data: { n: number } } }[]
      calls.push(entries.map(({ event }) => String(event.data.n)))
      const last = calls.length === 3
      const statuses = entries.map(({ entryId, event }) => ({
        entryId,
        status: last || event.data.n < calls.length ? 'SUCCESS' : 'RETRY',
      }))
      return { body: { statuses } }
    },
    '*': () => ({ status: 404 }),
  })
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: [
      pubsub,
      resiliency(
        'r',
        '  policies: {retries: {DefaultComponentInboundRetryPolicy: {duration: 20ms, maxRetries: 5}}}',
      ),
    ],
  })
  for (const n of [0, 1, 2]) await call(sidecar.httpPort, 'POST', '/v1.0/publish/pubsub/many', { n })
  await app.received('/many', 3)
  expect(calls).toEqual([['0', '1', '2'], ['1', '2'], ['2']])
})

test('an event of an input binding is delivered again until the application takes it', async () => {
  const posts: string[] = []
  const app = await App.start({
    'POST /tick': (request) => {
      posts.push(String(request.headers['readtimeutc']))
      return { status: posts.length <= 2 ? 500 : 200 }
    },
    '*': () => ({ status: 404 }),
  })
  await startSidecar({
    appPort: app.port,
    resources: [
      component('tick', 'bindings.cron', { metadata: { schedule: '@every 1s', direction: 'input' } }),
      resiliency(
        'r',
        '  policies: {retries: {often: {duration: 10ms, maxRetries: 10}}}\n  targets: {components: {tick: {inbound: {retry: often}}}}',
      ),
    ],
  })
  await waitFor(() => posts.length >= 4)
  expect(posts[0]).toMatch(/^20\d\d-/)
  expect(new Set(posts.slice(0, 3)).size).toBe(1)
  expect(posts[3]).not.toBe(posts[0])
})

test('a resource with a mistake is left out, and the log says where it is', async () => {
  const sidecar = await startSidecar({
    resources: {
      'resiliency.yaml': resiliency('wrong', '  policies:\n    retries:\n      r: {policy: linear}'),
      'store.yaml': component('store', 'state.in-memory'),
    },
  })
  const line = sidecar.log.find((text) => text.includes('spec.policies.retries.r.policy'))
  expect(line).toMatch(
    /level=error .*resiliency\.yaml:8: Resiliency \\"wrong\\": spec\.policies\.retries\.r\.policy must be constant or exponential/,
  )
  expect((await call(sidecar.httpPort, 'GET', '/v1.0/metadata')).json.resiliencies).toBeUndefined()
})
