import { describeWithService } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterEach, expect, test } from 'vitest'
import { call, component, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { clients, grpcClientOf } from '../client/clients.ts'
import { resiliency } from './resource.ts'

afterEach(endSidecars)

/** How long the breaker stays open: the states of between are seen by looking again, never by being in time. */
const openMs = 1000

const policies = `
  policies:
    timeouts: {short: 1s}
    retries: {once: {policy: constant, duration: 10ms, maxRetries: 1}}
    circuitBreakers: {strict: {timeout: ${openMs}ms, trip: consecutiveFailures >= 2}}
  targets:
    components:
      store: {outbound: {timeout: short, retry: once, circuitBreaker: strict}}`

describeWithService('redis', 'a state store that stops answering', (get) => {
  async function start(): Promise<Sidecar> {
    const metadata = { redisHost: `${get().host}:${get().port}` }
    return startSidecar({
      resources: [component('store', 'state.redis', { metadata }), resiliency('mine', policies)],
    })
  }
  const read = (sidecar: Sidecar) => call(sidecar.httpPort, 'GET', '/v1.0/state/store/k')
  const target = async (sidecar: Sidecar) =>
    (await call(sidecar.httpPort, 'GET', '/v1.0/metadata')).json.resiliencyTargets[0]
  const state = async (sidecar: Sidecar): Promise<string> => (await target(sidecar)).circuitBreakers[0].state

  test('times out, is tried again, is left alone, and is used again when it is back', async () => {
    const sidecar = await start()
    expect((await call(sidecar.httpPort, 'POST', '/v1.0/state/store', [{ key: 'k', value: 1 }])).status).toBe(
      204,
    )
    process.kill(get().pid, 'SIGSTOP')
    try {
      const first = await read(sidecar)
      expect([first.status, first.json.errorCode]).toEqual([500, 'ERR_STATE_GET'])
      expect(first.json.message).toBe(
        'fail to get k from state store store: component store outbound was not answered within 1000 ms (timeout policy short): context deadline exceeded',
      )
      expect((await target(sidecar)).activations).toMatchObject({ timeouts: 2, retries: 1 })
      let refused = first
      await waitFor(async () => {
        refused = await read(sidecar)
        return refused.json.message.includes('circuit breaker')
      })
      expect([refused.status, refused.json]).toEqual([
        500,
        {
          errorCode: 'ERR_STATE_GET',
          message: 'fail to get k from state store store: circuit breaker is open (component store outbound)',
        },
      ])
      expect((await target(sidecar)).activations.refusals).toBeGreaterThan(0)
      await waitFor(async () => (await state(sidecar)) === 'half-open')
      // Its try fails as well, and the breaker is open once more.
      await waitFor(async () => {
        await read(sidecar)
        return (await state(sidecar)) === 'open'
      })
    } finally {
      process.kill(get().pid, 'SIGCONT')
    }
    await waitFor(async () => {
      const answer = await read(sidecar)
      return answer.status === 200 && answer.json === 1
    })
    expect(await state(sidecar)).toBe('closed')
    const told = sidecar.log.filter((line) => line.includes('circuit breaker')).join('\n')
    for (const step of ['closed to open', 'open to half-open', 'half-open to open', 'half-open to closed'])
      expect(told).toContain(`circuit breaker component store outbound went from ${step}`)
  })

  test('an ETag that does not match is answered at once, however often', async () => {
    const sidecar = await start()
    await call(sidecar.httpPort, 'POST', '/v1.0/state/store', [{ key: 'k', value: 1 }])
    for (let count = 0; count < 5; count++) {
      const items = [{ key: 'k', value: 2, etag: '999999', options: { concurrency: 'first-write' } }]
      expect((await call(sidecar.httpPort, 'POST', '/v1.0/state/store', items)).status).toBe(409)
    }
    expect(await target(sidecar)).toEqual({
      target: 'component store outbound',
      timeout: 'short',
      retry: 'once',
      circuitBreakers: [{ name: 'component store outbound', state: 'closed' }],
      activations: { timeouts: 0, retries: 0, refusals: 0 },
    })
  })

  test.each(clients)('%s: state, and the metadata, over gRPC', async (_name, sdk) => {
    const sidecar = await start()
    const client = grpcClientOf(sdk, sidecar)
    await client.start()
    try {
      await client.state.save('store', [{ key: 'k', value: 'v' }])
      expect(await client.state.get('store', 'k')).toBe('v')
      const { extended } = await client.metadata.get()
      expect(JSON.stringify(extended)).toContain('component store outbound')
    } finally {
      await client.stop()
    }
  })
})

test('without a resource there is nothing of it in the metadata', async () => {
  const sidecar = await startSidecar({ resources: component('store', 'state.in-memory') })
  const { json } = await call(sidecar.httpPort, 'GET', '/v1.0/metadata')
  expect([json.resiliencies, json.resiliencyTargets]).toEqual([undefined, undefined])
})
