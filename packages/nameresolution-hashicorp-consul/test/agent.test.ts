import { createServer } from 'node:http'
import { once } from 'node:events'
import { systemClock } from '@outrigger/conformance'
import { describeWithService, startService } from '@outrigger/services'
import { freePort, recordingLogger, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { api, found, open, registration } from './support.ts'

/** Long waits are over sooner. */
const hasty = {
  ...systemClock,
  schedule: (delayMs: number, callback: () => void) => systemClock.schedule(delayMs / 20, callback),
}

describeWithService('consul', 'with a Consul agent', (server) => {
  test('services that others register are found by the port of their sidecar', async () => {
    const service = (id: string, more: object): Promise<unknown> =>
      api(server(), 'PUT', 'agent/service/register', { ID: id, Name: 'theirs', ...more })
    await service('t1', { Port: 80 })
    const resolver = await open(server())
    expect(resolver.register).toBeUndefined()
    expect([...resolver.capabilities]).toEqual(['watch'])
    const nothing = expect(found(resolver, 'theirs')).rejects
    await nothing.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('its meta must have DAPR_PORT') as string,
    })
    await service('t2', { Address: '10.0.0.2', Port: 80, Meta: { DAPR_PORT: '2' }, Tags: ['v1'] })
    await service('t3', { Meta: { DAPR_PORT: '3', OTHER: '33' } })
    await waitFor(async () => (await found(resolver, 'theirs')).length === 2)
    expect(await found(resolver, 'theirs')).toEqual(['10.0.0.2 2', '127.0.0.1 3'])
    const filtered = await open(server(), { queryOptions: { filter: '"v1" in Service.Tags' } })
    expect(await found(filtered, 'theirs')).toEqual(['10.0.0.2 2'])
    const other = await open(server(), { daprPortMetaKey: 'OTHER' })
    expect(await found(other, 'theirs')).toEqual(['127.0.0.1 33'])
  })

  test('the cache of the agent is asked unless the options say otherwise, and follows changes', async () => {
    const resolver = await open(server(), { queryOptions: {}, selfRegister: true })
    expect(await found(resolver, 'cached')).toEqual([])
    const kept = await resolver.register!(registration('cached', 1), {})
    await waitFor(async () => (await found(resolver, 'cached')).length === 1)
    await kept.close()
    await waitFor(async () => (await found(resolver, 'cached')).length === 0)
  })

  test('what is registered has the tags, texts and checks of the configuration', async () => {
    const resolver = await open(server(), {
      selfRegister: true,
      tags: ['v1'],
      meta: { team: 'shop' },
      checks: [{ name: 'alive', ttl: '1h', status: 'passing' }],
    })
    await resolver.register!(registration('orders', 50_002, { httpPort: 3500, appPort: 8080 }), {})
    expect(await api(server(), 'GET', 'agent/service/orders-127.0.0.1-3500')).toMatchObject({
      Service: 'orders',
      Tags: ['v1'],
      Port: 8080,
      Address: '127.0.0.1',
      Meta: { team: 'shop', DAPR_PORT: '50002', DAPR_NAMESPACE: 'default' },
    })
    const checks = (await api(server(), 'GET', 'agent/checks')) as Record<string, { Name: string }>
    expect(Object.values(checks).filter(({ Name }) => Name === 'alive')).toHaveLength(1)
  })

  test('an advanced registration stands for itself', async () => {
    const resolver = await open(server(), {
      advancedRegistration: {
        name: 'advanced',
        address: '10.1.1.1',
        port: 99,
        tags: ['x'],
        check: { name: 'c', ttl: '1h', status: 'passing' },
      },
    })
    await resolver.register!(registration('app', 7), {})
    await waitFor(async () => (await found(resolver, 'advanced')).join() === '10.1.1.1 7')
    await resolver.close()
    expect(await api(server(), 'GET', 'health/service/advanced')).toEqual([])
  })

  test('the health that Consul itself finds out counts', async () => {
    let status = 204
    const sidecar = createServer((request, response) => {
      response.writeHead(request.url === '/v1.0/healthz?appid=sick' ? status : 404).end()
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void sidecar.close())
    await once(sidecar, 'listening')
    const { port: httpPort } = sidecar.address() as { port: number }
    const http = `http://127.0.0.1:${httpPort}/v1.0/healthz?appid=sick`
    const resolver = await open(server(), { selfRegister: true, checks: [{ http, interval: '200ms' }] })
    await resolver.register!(registration('sick', 5, { httpPort }), {})
    await waitFor(async () => (await found(resolver, 'sick')).length === 1)
    status = 500
    await waitFor(async () => (await found(resolver, 'sick')).length === 0)
    status = 204
    await waitFor(async () => (await found(resolver, 'sick')).length === 1)
  })

  test('with its usual check an instance is found before the check was made', async () => {
    const resolver = await open(server(), { selfRegister: true })
    await resolver.register!(registration('quick', 5, { httpPort: await freePort() }), {})
    expect((await api(server(), 'GET', 'agent/checks')) as object).toHaveProperty(
      ['daprHealth:quick-127.0.0.1-' + (await idPort(server().port, 'quick')), 'Status'],
      'passing',
    )
  })

  test('one that was unhealthy when it was killed is healthy when it comes back', async () => {
    const written = { selfRegister: true, selfDeregister: false }
    const killed = await open(server(), written)
    const kept = await killed.register!(registration('phoenix', 5), {})
    await kept.setHealthy(false, {})
    // It leaves its registration behind, as one does that is killed.
    await killed.close()
    const reborn = await open(server(), written)
    expect(await found(reborn, 'phoenix')).toEqual([])
    await reborn.register!(registration('phoenix', 5), {})
    await waitFor(async () => (await found(reborn, 'phoenix')).length === 1)
    await api(server(), 'PUT', 'agent/service/deregister/phoenix-127.0.0.1-5')
  })

  test('an id that is no service name for the agent is nobody, and does not leave its path', async () => {
    const resolver = await open(server())
    for (const appId of ['a?index=1', 'a#b', '%2e%2e']) expect(await found(resolver, appId)).toEqual([])
    for (const appId of ['..', '../../agent/self', 'a/b']) {
      await expect(found(resolver, appId)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
  })

  test('an agent that forgot everything is told again, and watches go on', async () => {
    const own = await startService('consul')
    onTestFinished(() => own.stop())
    const logger = recordingLogger()
    const resolver = await open(own, { selfRegister: true }, { clock: hasty, logger })
    await resolver.register!(registration('orders', 1), {})
    const ill = await resolver.register!(registration('orders', 2), {})
    await ill.setHealthy(false, {})
    const told: string[] = []
    await resolver.watch!(
      { appId: 'orders', namespace: 'default', metadata: {} },
      (instances) => void told.push(instances.map(({ port }) => port).join()),
      {},
    )
    await waitFor(() => told.at(-1) === '1')
    await own.restart()
    await waitFor(async () => (await found(resolver, 'orders')).join() === '127.0.0.1 1', {
      deadlineMs: 40_000,
    })
    await waitFor(() => told.at(-1) === '1')
    await waitFor(() => logger.messages('info').includes('Consul answers again'))
    expect(logger.messages('warn')).toContain(
      'instances could not be asked for; those that were seen last are used',
    )
    await ill.setHealthy(true, {})
    await waitFor(() => told.at(-1) === '1,2')
  })
})

/** The port behind the id of the one service of a name. */
async function idPort(port: number, name: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/agent/services`)
  const services = (await answer.json()) as Record<string, { Service: string }>
  const id = Object.keys(services).find((each) => services[each]!.Service === name)!
  return id.slice(id.lastIndexOf('-') + 1)
}
