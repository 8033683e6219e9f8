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
  type Json,
} from '../../src/index.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

const pubsub = component('pubsub', 'pubsub.in-memory')

test('declarative subscriptions, both versions, for those they are meant for', async () => {
  const app = await App.start({
    '*': (request) =>
      request.path === '/one' && request.json().data.poison ? { body: { status: 'DROP' } } : {},
  })
  const v2 = `apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: two
spec:
  pubsubname: pubsub
  topic: two
  routes:
    rules:
      - match: event.type == "special"
        path: /special
    default: /two
scopes: [shop]
`
  const sidecar = await startSidecar({
    appId: 'shop',
    appPort: app.port,
    resources: [
      pubsub,
      subscription('one', { pubsub: 'pubsub', topic: 'one', route: '/one', deadLetterTopic: 'dead' }),
      subscription('dead', { pubsub: 'pubsub', topic: 'dead', route: '/dead' }),
      v2,
      `${subscription('not-mine', { pubsub: 'pubsub', topic: 'one', route: '/not-mine' })}scopes: [other]\n`,
      subscription('lost', { pubsub: 'nosuch', topic: 'one', route: '/lost' }),
    ],
  })
  const publish = async (topic: string, query = ''): Promise<void> => {
    expect(
      (
        await call(sidecar.httpPort, 'POST', `/v1.0/publish/pubsub/${topic}${query}`, {
          poison: query === '?poison',
        })
      ).status,
    ).toBe(204)
  }
  await publish('one')
  await app.received('/one')
  await publish('two')
  await publish('two', '?metadata.cloudevent.type=special')
  await app.received('/two')
  await app.received('/special')
  await publish('one', '?poison')
  await app.received('/dead')
  expect(app.at('/not-mine')).toEqual([])
  expect(app.at('/two')).toHaveLength(1)
  const { subscriptions } = (await call(sidecar.httpPort, 'GET', '/v1.0/metadata')).json
  expect(subscriptions.map((item: Json) => [item.topic, item.type])).toEqual(
    expect.arrayContaining([
      ['one', 'DECLARATIVE'],
      ['dead', 'DECLARATIVE'],
      ['two', 'DECLARATIVE'],
    ]),
  )
  // One that names no broker of ours only warns.
  expect(sidecar.log.filter((line) => line.includes('nosuch')).join('\n')).toContain('level=warning')
})

test('a programmatic subscription takes the place of a declarative one', async () => {
  const app = await App.start({
    'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/programmatic' }],
    '*': () => ({ status: 200 }),
  })
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: [pubsub, subscription('s', { pubsub: 'pubsub', topic: 't', route: '/declarative' })],
  })
  await call(sidecar.httpPort, 'POST', '/v1.0/publish/pubsub/t', { n: 1 })
  await app.received('/programmatic')
  expect(app.at('/declarative')).toEqual([])
})

test('input bindings: asked by OPTIONS, told by direction, sent to another route', async () => {
  const app = await App.start({
    'OPTIONS /wanted': () => ({ status: 200 }),
    'OPTIONS /allowed': () => ({ status: 405 }),
    '*': (request) => ({ status: request.method === 'OPTIONS' ? 404 : 200 }),
  })
  const schedule = '@every 1s'
  await startSidecar({
    appPort: app.port,
    resources: [
      component('wanted', 'bindings.cron', { metadata: { schedule } }),
      component('allowed', 'bindings.cron', { metadata: { schedule } }),
      component('unwanted', 'bindings.cron', { metadata: { schedule } }),
      component('told', 'bindings.cron', { metadata: { schedule, direction: 'input', route: '/elsewhere' } }),
    ],
  })
  const posts = (path: string): number => app.at(path).filter(({ method }) => method === 'POST').length
  await waitFor(() => posts('/wanted') >= 2 && posts('/allowed') >= 2 && posts('/elsewhere') >= 2)
  expect(posts('/unwanted')).toBe(0)
  expect(app.at('/told')).toEqual([])
  expect(app.at('/elsewhere').map(({ method }) => method)).not.toContain('OPTIONS')
})

test('an unhealthy application gets nothing until it is well again', async () => {
  let well = true
  const app = await App.start({
    'GET /health': () => ({ status: well ? 200 : 503 }),
    'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/t' }],
    '*': () => ({ status: 200 }),
  })
  const sidecar = await startSidecar({
    appId: 'shop',
    appPort: app.port,
    resources: pubsub,
    flags: [
      '--enable-app-health-check',
      '--app-health-check-path=/health',
      '--app-health-probe-interval=1',
      '--app-health-threshold=1',
    ],
  })
  const invoke = () => call(sidecar.httpPort, 'GET', '/v1.0/invoke/shop/method/x')
  await waitFor(async () => (await invoke()).status === 200)
  well = false
  const refused = await waitFor(async () => {
    const answer = await invoke()
    return answer.status === 500 ? answer : undefined
  })
  expect(refused!.json).toMatchObject({
    errorCode: 'ERR_DIRECT_INVOKE',
    message: expect.stringContaining('app is not in a healthy state'),
  })
  expect((await call(sidecar.httpPort, 'POST', '/v1.0/publish/pubsub/t', { n: 1 })).status).toBe(204)
  const probes = app.at('/health').length
  await waitFor(() => app.at('/health').length > probes)
  expect(app.at('/t')).toEqual([])
  well = true
  await app.received('/t')
  expect((await invoke()).status).toBe(200)
})

test('no more calls at once than allowed', async () => {
  let under = 0
  let most = 0
  const app = await App.start({
    '*': async () => {
      most = Math.max(most, ++under)
      await new Promise((resolve) => setTimeout(resolve, 20))
      under--
      return { status: 200 }
    },
  })
  const sidecar = await startSidecar({
    appId: 'shop',
    appPort: app.port,
    resources: '',
    flags: ['--app-max-concurrency=3'],
  })
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call(sidecar.httpPort, 'GET', '/v1.0/invoke/shop/method/x')),
  )
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(most).toBe(3)
})
