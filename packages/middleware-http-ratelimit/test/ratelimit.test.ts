import { createForTest, exchange, middlewareConformance } from '@outrigger/conformance'
import { virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import definition from '../src/index.ts'

middlewareConformance(definition, {
  properties: () => ({ maxRequestsPerSecond: '100000' }),
  passing: () => ({ remoteAddress: '127.0.0.1' }),
})

const create = (maxRequestsPerSecond: string, clock = virtualClock()) =>
  createForTest(definition, { properties: { maxRequestsPerSecond }, clock })

test('what is too much is answered with 429, and every answer says how much is left', async () => {
  const clock = virtualClock()
  const instance = await create('1.5', clock)
  const ask = () => exchange(instance, { remoteAddress: '10.0.0.1' }, () => ({ body: 'ok' }))
  const passed = await ask()
  expect([passed.status, passed.text, Object.fromEntries(passed.fields.entries())]).toEqual([
    200,
    'ok',
    {
      'x-rate-limit-limit': '1.50',
      'x-rate-limit-duration': '1',
      'x-rate-limit-request-remote-addr': '10.0.0.1',
      'ratelimit-limit': '2',
      'ratelimit-reset': '1',
      'ratelimit-remaining': '0',
    },
  ])
  const refused = await ask()
  expect([refused.status, refused.text, refused.passed]).toEqual([
    429,
    'You have reached maximum request limit.',
    undefined,
  ])
  expect(Object.fromEntries(refused.fields.entries())).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'retry-after': '1',
    'x-rate-limit-limit': '1.50',
    'ratelimit-remaining': '0',
  })
  await clock.advance(667)
  expect((await ask()).status).toBe(200)
})

test('addresses are apart, also those that a proxy names', async () => {
  const instance = await create('1')
  const ask = async (fields: Record<string, string>, remoteAddress = '10.0.0.1') =>
    (await exchange(instance, { fields, remoteAddress })).status
  expect(await ask({})).toBe(200)
  expect(await ask({}, '10.0.0.2')).toBe(200)
  expect(await ask({ 'x-forwarded-for': '9.9.9.9, 10.0.0.3' })).toBe(200)
  expect(await ask({ 'x-forwarded-for': '8.8.8.8, 10.0.0.3' }, '10.0.0.4')).toBe(429)
  expect(await ask({ 'x-real-ip': '10.0.0.1' }, '10.0.0.5')).toBe(429)
  const shown = await exchange(instance, { fields: { 'x-forwarded-for': '10.0.0.3' } })
  expect(shown.fields.get('x-rate-limit-request-forwarded-for')).toBe('10.0.0.3')
})

test('requests without an address share one limit', async () => {
  const instance = await create('1')
  expect((await exchange(instance)).status).toBe(200)
  expect((await exchange(instance)).status).toBe(429)
})

test.each(['0', '-1'])('a limit of %s is none', async (limit) => {
  await expect(create(limit)).rejects.toMatchObject({ code: 'INVALID_METADATA' })
})
