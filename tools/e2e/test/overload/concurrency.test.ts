import { freePort, waitFor } from '@outrigger/testkit'
import { afterEach, expect, test } from 'vitest'
import { App, component, endApps, subscription, type Sidecar } from '../../src/index.ts'
import { World } from '../invoke/world.ts'
import { asPeer, overGrpc, overHttp, type Outcome } from './ways.ts'

let world: World
afterEach(async () => {
  await world.end()
  await endApps()
})

/** Calls that wait for one application, and how many of them one caller may have. */
const ofOneCaller = 750
const unavailable = 14

/** An application that notes who called, and holds its calls while it is told to. */
async function startApp(hold: boolean) {
  const order: string[] = []
  let [running, most] = [0, 0]
  const held: (() => void)[] = []
  let holds = hold
  const app = await App.start({
    'GET /dapr/subscribe': [],
    'GET /dapr/config': {},
    '*': async ({ path, headers }) => {
      most = Math.max(most, ++running)
      order.push(String(headers['dapr-caller-app-id'] ?? path))
      await new Promise<void>((resolve) => (holds ? held.push(resolve) : setImmediate(resolve)))
      running--
      return {}
    },
  })
  return {
    app,
    order,
    get most() {
      return most
    },
    /** Answers one, and waits until the next one came. */
    async step(): Promise<void> {
      const before = order.length
      held.shift()!()
      await waitFor(() => order.length > before, { everyMs: 1 })
    },
    release(): void {
      holds = false
      for (const answer of held) answer()
    },
  }
}

/** Calls a shop that takes two at once until it takes no more, and 40 beyond that. @returns what became of them */
async function fill(sidecar: Sidecar): Promise<() => Promise<readonly Outcome[]>> {
  let refused = 0
  const calls = Array.from({ length: ofOneCaller + 2 + 40 }, async () => {
    const outcome = await overHttp(sidecar, 'shop')
    if (outcome.status === 503) refused++
    return outcome
  })
  await waitFor(() => refused === 40, { what: 'the queue is full' })
  return () => Promise.all(calls)
}

const answered = (outcomes: readonly Outcome[], status: number): number =>
  outcomes.filter((one) => one.status === status).length

test('a caller that floods an application starves nobody', async () => {
  world = await World.start()
  const shop = await startApp(true)
  const flags = ['--app-max-concurrency=2']
  await world.sidecar({ appId: 'shop', appPort: shop.app.port, flags })
  const [flooding, modest] = await Promise.all(
    ['flooding', 'modest'].map((appId) => world.sidecar({ appId })),
  )
  const flood = await fill(flooding!)
  const first = overHttp(modest!, 'shop')
  // By who came first it would be behind 750 others; a few may go on while it is on its way.
  let steps = 0
  for (; steps < 300 && !shop.order.includes('modest'); steps++) await shop.step()
  expect(steps).toBeLessThan(300)
  shop.release()
  expect((await first).status).toBe(200)
  for (let count = 0; count < 10; count++) {
    expect((await overHttp(modest!, 'shop')).status).toBe(200)
  }
  const outcomes = await flood()
  expect([answered(outcomes, 200), answered(outcomes, 503)]).toEqual([ofOneCaller + 2, 40])
  expect(shop.most).toBe(2)
}, 60_000)

test('a queue that is full is told to callers over HTTP and gRPC, others find room, and all goes on', async () => {
  world = await World.start()
  const shop = await startApp(true)
  const port = await freePort()
  const flags = ['--app-max-concurrency=2', `--dapr-internal-grpc-port=${port}`]
  await world.sidecar({ appId: 'shop', appPort: shop.app.port, flags })
  const [flooding, modest] = (await Promise.all(
    ['flooding', 'modest'].map((appId) => world.sidecar({ appId })),
  )) as [Sidecar, Sidecar]
  const flood = await fill(flooding)
  const last = await overHttp(flooding, 'shop')
  expect(last).toMatchObject({ status: 503, retryAfterMs: 1000 })
  expect(JSON.parse(last.text)).toEqual({
    errorCode: 'ERR_OVERLOADED',
    message:
      'failed to invoke, id: shop, err: error invoking app channel: the application handles 2 calls at once (app-max-concurrency) and 750 more are waiting, 750 of them of this caller',
  })
  expect(await overGrpc(flooding, 'shop')).toMatchObject({ status: unavailable, retryAfterMs: 1000 })
  // Who says nothing of himself is a caller as well, and finds room as does anybody new.
  const others = [overHttp(modest, 'shop'), overGrpc(modest, 'shop'), asPeer(port, 'shop')]
  const early = await Promise.race([...others, new Promise((resolve) => setTimeout(resolve, 300, 'wait'))])
  expect(early).toBe('wait')
  shop.release()
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 0, 0])
  const outcomes = await flood()
  expect([answered(outcomes, 200), answered(outcomes, 503)]).toEqual([ofOneCaller + 2, 40])
  expect((await overHttp(flooding, 'shop')).status).toBe(200)
  expect(shop.most).toBe(2)
}, 60_000)

test('calls that one instance has no room for go to another one', async () => {
  world = await World.start()
  const [full, free] = [await startApp(true), await startApp(false)]
  const flags = ['--app-max-concurrency=1']
  const busy = await world.sidecar({ appId: 'shop', appPort: full.app.port, flags })
  const caller = await world.sidecar({ appId: 'caller' })
  const mine = Array.from({ length: ofOneCaller + 1 }, () => overHttp(caller, 'shop'))
  await waitFor(async () => (await overHttp(caller, 'shop')).status === 503, { what: 'it is full' })
  await world.sidecar({ appId: 'shop', appPort: free.app.port, flags })
  await waitFor(async () => (await overHttp(caller, 'shop')).status === 200, { what: 'the other is found' })
  const before = free.order.length
  for (let count = 0; count < 10; count++) {
    expect((await overHttp(caller, 'shop')).status).toBe(200)
    expect((await overGrpc(caller, 'shop')).status).toBe(0)
  }
  expect(free.order.length - before).toBe(20)
  expect(full.order).toHaveLength(1)
  full.release()
  expect(answered(await Promise.all(mine), 200)).toBe(ofOneCaller + 1)
  expect(busy.child.running).toBe(true)
}, 60_000)

test('messages wait while the queue is full, and are delivered once', async () => {
  world = await World.start()
  const shop = await startApp(true)
  const sidecar = await world.sidecar({
    appId: 'shop',
    appPort: shop.app.port,
    flags: ['--app-max-concurrency=2'],
    resources: [
      component('bus', 'pubsub.in-memory'),
      subscription('orders', { pubsub: 'bus', topic: 'orders', route: '/orders' }),
    ].join('\n---\n'),
  })
  const flood = await fill(sidecar)
  for (let id = 0; id < 20; id++) {
    const answer = await fetch(`${sidecar.url}/v1.0/publish/bus/orders`, { method: 'POST', body: `${id}` })
    expect(answer.status).toBe(204)
  }
  expect(shop.app.at('/orders')).toHaveLength(0)
  shop.release()
  await shop.app.received('/orders', 20)
  expect(answered(await flood(), 200)).toBe(ofOneCaller + 2)
  expect(shop.app.at('/orders')).toHaveLength(20)
  expect(sidecar.log.filter((line) => line.includes('not processed'))).toEqual([])
}, 60_000)
