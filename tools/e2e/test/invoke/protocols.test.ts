import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sidecar } from '../../src/index.ts'
import { appKinds } from '../app-channels/apps.ts'
import type { Relay, Relayed } from './app-program.ts'
import { networks, World } from './world.ts'

/** One application of each protocol; the second is on another machine where there can be one. */
const kinds = ['http', 'https', 'h2c', 'grpc', 'grpcs'].map((protocol) => ({
  name: `${protocol}-app`,
  protocol,
  index: appKinds.findIndex((kind) => kind.protocol === protocol),
}))
const pairs = kinds.flatMap((from) =>
  kinds
    .filter((to) => to !== from)
    .flatMap((to) => (['http', 'grpc'] as const).map((over) => [from.name, over, to.name] as const)),
)

describe.each([
  ['in plaintext', false],
  ['over mutual TLS', true],
])('applications in processes of their own call each other %s', (_, mtls) => {
  let world: World
  const sidecars = new Map<string, Sidecar>()

  beforeAll(async () => {
    world = await World.start({ mtls })
    const machine = networks ? await world.machine() : undefined
    const env = (address: string | undefined) => ({ ...(address !== undefined && { DAPR_HOST_IP: address }) })
    await Promise.all(
      kinds.map(async (kind, index) => {
        const elsewhere = index === 1 && machine !== undefined
        const options = elsewhere
          ? { host: machine.there, enter: machine.enter, env: env(machine.there) }
          : { env: env(machine?.here) }
        const flags = elsewhere && mtls ? [world.sentryAt(machine.here)] : []
        sidecars.set(kind.name, await world.app(kind.name, kind, { ...options, flags }))
      }),
    )
  }, 60_000)
  afterAll(() => world.end())

  async function relay(from: string, relay: Relay): Promise<Relayed> {
    const answer = await fetch(`${sidecars.get(from)!.url}/v1.0/invoke/${from}/method/relay`, {
      method: 'POST',
      body: JSON.stringify(relay),
    })
    expect(answer.status).toBe(200)
    return (await answer.json()) as Relayed
  }

  test.each(pairs)('%s, by %s, to %s', async (from, over, to) => {
    const answer = await relay(from, { target: to, over, method: 'a/b', data: 'hello' })
    expect(answer).toMatchObject({ status: over === 'http' ? 200 : 0, type: 'text/plain', header: 'here' })
    expect(JSON.parse(answer.body)).toMatchObject({
      app: to,
      method: 'a/b',
      verb: 'PUT',
      query: 'x=1',
      contentType: 'text/x',
      data: 'hello',
      headers: { 'x-mine': 'yes', 'dapr-caller-app-id': from, 'dapr-callee-app-id': to },
    })
  })

  test.each(pairs)('%s, by %s, is refused by %s', async (from, over, to) => {
    const answer = await relay(from, { target: to, over, method: 'refuse', data: '' })
    expect(answer.status).toBe(over === 'http' ? 404 : 5)
  })

  test('a request with a body of some MiB comes and goes whole', async () => {
    const data = 'x'.repeat(3 * 2 ** 20)
    for (const to of ['https-app', 'grpc-app']) {
      const { body } = await relay('http-app', { target: to, over: 'http', method: 'large', data })
      expect((JSON.parse(body) as { data: string }).data).toHaveLength(data.length)
    }
  })
})
