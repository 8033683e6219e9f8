import { expect, test } from 'vitest'
import { apiOf, ask } from '../../../test/support/fake-exchange.ts'
import { shutdownRoutes } from '../shutdown/http.ts'
import { healthRoutes } from './http.ts'

test('ready when nothing is missing, for the application that is meant', async () => {
  let missing = ['outbound', 'application']
  let outbound = false
  const api = apiOf(healthRoutes({ appId: 'shop', unready: () => missing, outboundReady: () => outbound }))
  const get = async (target: string) => {
    const { status, text } = await ask(api, { target })
    return [status, text === '' ? '' : (JSON.parse(text) as { errorCode: string }).errorCode]
  }
  const early = await ask(api, { target: '/v1.0/healthz' })
  expect(early.text).toContain('[outbound application]')
  expect(await get('/v1.0/healthz')).toEqual([500, 'ERR_HEALTH_NOT_READY'])
  expect(await get('/v1.0/healthz/outbound')).toEqual([500, 'ERR_OUTBOUND_HEALTH_NOT_READY'])
  outbound = true
  expect(await get('/v1.0/healthz/outbound')).toEqual([204, ''])
  missing = []
  expect(await get('/v1.0/healthz')).toEqual([204, ''])
  expect(await get('/v1.0/healthz?appid=shop')).toEqual([204, ''])
  expect(await get('/v1.0/healthz?appid=other')).toEqual([500, 'ERR_HEALTH_APPID_NOT_MATCH'])
})

test.each([
  [[], false],
  [['dapr-force-shutdown', 'false'], false],
  [['dapr-force-shutdown', 'true'], true],
])('a shutdown is answered, then asked for: %j', async (fields, force) => {
  const asked: boolean[] = []
  const api = apiOf(shutdownRoutes((forced) => void asked.push(forced)))
  expect((await ask(api, { method: 'POST', target: '/v1.0/shutdown', fields })).status).toBe(204)
  expect(asked).toEqual([force])
})
