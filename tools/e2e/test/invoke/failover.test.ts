import { seededRandom, waitFor } from '@outrigger/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { App, endApps, type Sidecar } from '../../src/index.ts'
import { World } from './world.ts'

let world: World
afterEach(async () => {
  await world.end()
  await endApps()
})

/** An instance: an application in this process that says which it is, and its sidecar. */
async function instance(name: string): Promise<{ app: App; sidecar: Sidecar }> {
  const app = await App.start({ '*': ({ body }) => ({ body: `${name} ${body.toString()}` }) })
  const sidecar = await world.sidecar({ appId: 'stock', appPort: app.port })
  return { app, sidecar }
}

/** Keeps so many calls under way until it is ended; counts who answered. */
function load(caller: Sidecar, atOnce: number) {
  const answers = new Map<string, number>()
  const failures: string[] = []
  let ended = false
  let next = 0
  const worker = async (): Promise<void> => {
    while (!ended) {
      const id = next++
      const method = id % 2 === 0 ? 'POST' : 'PUT'
      try {
        const answer = await fetch(`${caller.url}/v1.0/invoke/stock/method/take`, {
          method,
          body: `call ${id}`,
        })
        const [name = '', ...rest] = (await answer.text()).split(' ')
        if (answer.status !== 200 || rest.join(' ') !== `call ${id}`) {
          failures.push(`${answer.status}: ${name} ${rest.join(' ')}`)
        } else answers.set(name, (answers.get(name) ?? 0) + 1)
      } catch (error) {
        failures.push(String(error))
      }
    }
  }
  const workers = Array.from({ length: atOnce }, worker)
  const sum = (): number => [...answers.values()].reduce((total, count) => total + count, 0)
  return {
    answers,
    failures,
    /** Waits for so many more answers. */
    async more(count: number): Promise<void> {
      const goal = sum() + count
      await waitFor(() => sum() >= goal, { what: `${count} more answers`, deadlineMs: 30_000 })
    },
    async end(): Promise<void> {
      ended = true
      await Promise.all(workers)
    },
  }
}

describe.each([
  ['in plaintext', false],
  ['over mutual TLS', true],
])('several instances, %s', (_, mtls) => {
  test('share the load evenly', async () => {
    world = await World.start({ mtls })
    const caller = await world.sidecar({ appId: 'caller' })
    await Promise.all(['one', 'two', 'three'].map(instance))
    const running = load(caller, 6)
    await running.more(600)
    await running.end()
    expect(running.failures).toEqual([])
    expect([...running.answers.keys()].sort()).toEqual(['one', 'three', 'two'])
    const counts = [...running.answers.values()]
    expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) / 3)
  }, 60_000)

  test('are killed one after the other, and no request fails', async () => {
    world = await World.start({ mtls })
    const caller = await world.sidecar({ appId: 'caller' })
    const instances = await Promise.all(['one', 'two', 'three'].map(instance))
    const random = seededRandom(11)
    const running = load(caller, 8)
    await running.more(100)
    for (let round = 0; round < 6; round++) {
      const { sidecar } = instances[Math.floor(random.next() * instances.length)]!
      await sidecar.kill()
      await running.more(100)
      sidecar.start()
      await sidecar.ready()
      await running.more(100)
    }
    await running.end()
    expect(running.failures).toEqual([])
  }, 90_000)

  test('are all restarted in turn by SIGTERM, and no request fails', async () => {
    world = await World.start({ mtls })
    const caller = await world.sidecar({ appId: 'caller' })
    const instances = await Promise.all(['one', 'two', 'three'].map(instance))
    const running = load(caller, 8)
    await running.more(100)
    for (const { sidecar } of instances) {
      expect(await sidecar.stop()).toBe(0)
      await running.more(100)
      sidecar.start()
      await sidecar.ready()
      await running.more(100)
    }
    await running.end()
    expect(running.failures).toEqual([])
  }, 90_000)
})

test('an instance whose application is not well gets no calls until it is again', async () => {
  world = await World.start()
  const caller = await world.sidecar({ appId: 'caller' })
  let well = true
  const sick = await App.start({
    'GET /healthz': () => ({ status: well ? 200 : 503 }),
    '*': () => ({ body: 'sick -' }),
  })
  const flags = ['--enable-app-health-check', '--app-health-probe-interval=1', '--app-health-threshold=1']
  await world.sidecar({ appId: 'stock', appPort: sick.port, flags })
  await instance('fine')
  const asked = async (): Promise<Set<string>> => {
    const names = new Set<string>()
    for (let call = 0; call < 8; call++) {
      const answer = await fetch(`${caller.url}/v1.0/invoke/stock/method/x`, { method: 'POST', body: '-' })
      expect(answer.status).toBe(200)
      names.add((await answer.text()).split(' ')[0]!)
    }
    return names
  }
  await waitFor(async () => (await asked()).size === 2, { what: 'both', deadlineMs: 20_000 })
  well = false
  await waitFor(async () => !(await asked()).has('sick'), {
    what: 'only the one that is well',
    deadlineMs: 20_000,
  })
  well = true
  await waitFor(async () => (await asked()).size === 2, { what: 'both again', deadlineMs: 20_000 })
}, 90_000)

test('a service that is not there yet is found when it comes', async () => {
  world = await World.start()
  const caller = await world.sidecar({ appId: 'caller' })
  const ask = () => fetch(`${caller.url}/v1.0/invoke/stock/method/x`, { method: 'POST', body: 'hello' })
  const missing = await ask()
  expect([missing.status, ((await missing.json()) as { message: string }).message]).toEqual([
    500,
    expect.stringContaining("couldn't find service: stock"),
  ])
  await instance('one')
  await waitFor(async () => (await ask()).status === 200, { what: 'the service', deadlineMs: 5000 })
}, 60_000)
