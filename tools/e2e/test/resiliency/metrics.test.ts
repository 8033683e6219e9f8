import { freePort } from '@outrigger/testkit'
import { afterEach, expect, test } from 'vitest'
import { App, endApps, endSidecars, Sidecar, startSidecar } from '../../src/index.ts'
import { resiliency } from './resource.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

test('what policies did is among the metrics', async () => {
  let failing = true
  const app = await App.start({ '*': () => ({ status: failing ? 500 : 200 }) })
  const port = await freePort()
  const sidecar = await startSidecar({
    appId: 'shop',
    appPort: app.port,
    flags: [`--metrics-port=${port}`, '--metrics-listen-address=127.0.0.1'],
    resources: [
      resiliency(
        'calls',
        `
  policies:
    retries:
      twice: {policy: constant, duration: 5ms, maxRetries: 2}
    circuitBreakers:
      careful: {maxRequests: 1, timeout: 60s, trip: consecutiveFailures >= 5}
  targets:
    apps:
      shop: {retry: twice, circuitBreaker: careful}`,
      ),
    ],
  })
  const metric = async (name: string): Promise<string[]> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    return text.split('\n').filter((line) => line.startsWith(name))
  }
  const labels = (policy: string, status: string): string =>
    `{app_id="shop",name="calls",namespace="default",policy="${policy}",flow_direction="outbound",target="app_shop",status="${status}"}`
  expect(await metric('dapr_resiliency_loaded')).toEqual([
    'dapr_resiliency_loaded{app_id="shop",name="calls",namespace="default"} 1',
  ])
  const ask = async () => (await fetch(`${sidecar.url}/v1.0/invoke/shop/method/x`)).status
  expect(await ask()).toBe(500)
  expect(await metric('dapr_resiliency_activations_total')).toEqual([
    `dapr_resiliency_activations_total${labels('retry', '')} 2`,
  ])
  expect(await metric('dapr_resiliency_cb_state')).toContain(
    `dapr_resiliency_cb_state${labels('circuitbreaker', 'closed')} 1`,
  )
  expect(await ask()).toBe(500)
  expect(await metric('dapr_resiliency_cb_state')).toEqual([
    `dapr_resiliency_cb_state${labels('circuitbreaker', 'closed')} 0`,
    `dapr_resiliency_cb_state${labels('circuitbreaker', 'half-open')} 0`,
    `dapr_resiliency_cb_state${labels('circuitbreaker', 'open')} 1`,
    `dapr_resiliency_cb_state${labels('circuitbreaker', 'unknown')} 0`,
  ])
  expect(await metric('dapr_resiliency_activations_total')).toContain(
    `dapr_resiliency_activations_total${labels('circuitbreaker', 'open')} 1`,
  )
  failing = false
})

test('a port for metrics that was asked for and is taken stops the start', async () => {
  const app = await App.start()
  const sidecar = await Sidecar.launch({ appId: 'shop', flags: [`--metrics-port=${app.port}`] })
  expect(await sidecar.child.ended()).toBe(1)
  expect(sidecar.child.output).toMatch(
    /the metrics server cannot listen on .*: it is in use: choose another with --metrics-port/,
  )
})
