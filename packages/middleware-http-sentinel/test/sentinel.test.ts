import { createForTest, exchange, middlewareConformance } from '@outrigger/conformance'
import { recordingLogger, settle, virtualClock } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'

const flowRules = JSON.stringify([
  { resource: 'GET:/no', threshold: 0 },
  { resource: 'GET:/', threshold: 1000 },
])

middlewareConformance(definition, {
  properties: () => ({ appName: 'shop', flowRules }),
  refused: { input: () => ({ target: '/no?x=1' }), status: 429 },
})

async function create(properties: Record<string, unknown>) {
  const clock = virtualClock()
  const logger = recordingLogger()
  const texts = Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, JSON.stringify(value)]),
  )
  const instance = await createForTest(definition, { properties: texts, clock, logger })
  onTestFinished(() => instance.close())
  return { instance, clock, logger }
}

test('a resource is a method with a path', async () => {
  const { instance } = await create({
    flowRules: [{ resource: 'POST:/v1.0/invoke/shop/method/order', threshold: 1 }],
  })
  const ask = async (method: string, target: string) => (await exchange(instance, { method, target })).status
  expect(await ask('POST', '/v1.0/invoke/shop/method/order?a=1')).toBe(200)
  expect(await ask('POST', '/v1.0/invoke/shop/method/order')).toBe(429)
  expect(await ask('GET', '/v1.0/invoke/shop/method/order')).toBe(200)
  const refused = await exchange(instance, { method: 'POST', target: '/v1.0/invoke/shop/method/order' })
  expect([refused.text, refused.fields.get('content-type')]).toEqual([
    'Too Many Requests',
    'text/plain; charset=utf-8',
  ])
})

test('requests that wait go on in their turn, unless their caller goes away', async () => {
  const { instance, clock } = await create({
    flowRules: [{ resource: 'GET:/', threshold: 1, controlBehavior: 1, maxQueueingTimeMs: 5000 }],
  })
  const order: number[] = []
  const ask = (n: number, signal?: AbortSignal) =>
    exchange(instance, { signal }, () => {
      order.push(n)
      return {}
    })
  const controller = new AbortController()
  const all = [ask(1), ask(2, controller.signal), ask(3)]
  await settle()
  expect(order).toEqual([1])
  const gone = expect(all[1]).rejects.toMatchObject({ code: 'CANCELLED' })
  controller.abort()
  await gone
  await clock.advance(2000)
  expect((await all[2]!).status).toBe(200)
  expect(order).toEqual([1, 3])
})

test('answers from 500 on, and errors, open a circuit breaker', async () => {
  const rule = {
    resource: 'GET:/',
    strategy: 2,
    threshold: 2,
    minRequestAmount: 1,
    statIntervalMs: 10_000,
    retryTimeoutMs: 1000,
  }
  const { instance, clock } = await create({ circuitBreakerRules: [rule] })
  expect((await exchange(instance, {}, () => ({ status: 404 }))).status).toBe(404)
  expect((await exchange(instance, {}, () => ({ status: 500 }))).status).toBe(500)
  await expect(exchange(instance, {}, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
  expect((await exchange(instance)).status).toBe(429)
  await clock.advance(1000)
  expect((await exchange(instance)).status).toBe(200)
})

test('requests under way are counted until their answer begins', async () => {
  const { instance } = await create({ isolationRules: [{ resource: 'GET:/', threshold: 1 }] })
  const gate = Promise.withResolvers<object>()
  const first = exchange(instance, {}, () => gate.promise)
  expect((await exchange(instance)).status).toBe(429)
  gate.resolve({})
  expect((await first).status).toBe(200)
  expect((await exchange(instance)).status).toBe(200)
})

test('the machine is looked at while a rule asks for it', async () => {
  const { instance, clock } = await create({ systemRules: [{ metricType: 4, triggerCount: 1 }] })
  expect(clock.pending).toBe(1)
  await clock.advance(5000)
  expect((await exchange(instance)).status).toBe(200)
  await instance.close()
  expect(clock.pending).toBe(0)
})

test('rules that have no effect are named', async () => {
  const { logger } = await create({ hotSpotParamRules: [{ resource: 'GET:/', threshold: 1 }] })
  expect(logger.records).toMatchObject([
    { level: 'warn', message: expect.stringContaining('hotSpotParamRules') },
  ])
})
