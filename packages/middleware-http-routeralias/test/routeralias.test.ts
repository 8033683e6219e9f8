import { createForTest, exchange, middlewareConformance } from '@outrigger/conformance'
import { recordingLogger } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import definition from '../src/index.ts'

const routes = JSON.stringify({
  '/mall/info': '/v1.0/invoke/srv.default/method/mall/info',
  '/hello/{id}/info': '/v1.0/invoke/srv.default/method/hello/info',
})

middlewareConformance(definition, {
  properties: () => ({ routes }),
  passing: () => ({ target: '/hello/1/info' }),
})
middlewareConformance(definition, { properties: () => ({}) })

test.each([
  ['/mall/info?id=123', '/v1.0/invoke/srv.default/method/mall/info?id=123'],
  ['/hello/a%26b%2Fc/info', '/v1.0/invoke/srv.default/method/hello/info?id=a%26b%2Fc'],
  ['/hello/1/info?id=2&x', '/v1.0/invoke/srv.default/method/hello/info?id=2&x&id=1'],
  ['/other?x=1', '/other?x=1'],
])('%s becomes %s', async (target, becomes) => {
  const instance = await createForTest(definition, { properties: { routes } })
  expect((await exchange(instance, { target })).passed?.target).toBe(becomes)
})

test('routes may be items of their own; without any it says so', async () => {
  const own = await createForTest(definition, { properties: { '/a': '/b' } })
  expect((await exchange(own, { target: '/a' })).passed?.target).toBe('/b')
  const logger = recordingLogger()
  await createForTest(definition, { properties: {}, logger })
  expect(logger.records).toMatchObject([{ level: 'warn' }])
})
