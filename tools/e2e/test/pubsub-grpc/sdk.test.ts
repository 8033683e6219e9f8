import type { DaprPubSubStatusEnum, DaprServer } from '@dapr/dapr'
import { freePort, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, endSidecars, Sidecar } from '../../src/index.ts'
import { clients, grpcClientOf, grpcServerOf } from '../client/clients.ts'

afterAll(endSidecars)

describe.each(clients)('an application made with %s that subscribes over gRPC', (_name, sdk) => {
  const received = new Map<string, unknown[]>()
  let sidecar: Sidecar
  let server: DaprServer

  beforeAll(async () => {
    const appPort = await freePort()
    sidecar = await Sidecar.launch({
      appId: 'shop',
      appPort,
      flags: ['--app-protocol=grpc'],
      resources: component('pubsub', 'pubsub.in-memory', { metadata: { redeliverInterval: '20ms' } }),
    })
    server = grpcServerOf(sdk, sidecar.grpcPort, appPort)
    const { SUCCESS, RETRY, DROP } = sdk.DaprPubSubStatusEnum
    const collect =
      (name: string, answer: (count: number) => DaprPubSubStatusEnum | undefined = () => undefined) =>
      async (data: unknown): Promise<DaprPubSubStatusEnum | undefined> => {
        const list = received.get(name) ?? []
        received.set(name, list)
        list.push(data)
        return answer(list.length)
      }
    await server.pubsub.subscribe('pubsub', 'plain', collect('plain'))
    await server.pubsub.subscribe(
      'pubsub',
      'retried',
      collect('retried', (count) => (count < 3 ? RETRY : SUCCESS)),
    )
    await server.pubsub.subscribe(
      'pubsub',
      'dropped',
      collect('dropped', () => DROP),
    )
    await server.start()
    await sidecar.ready()
  })
  afterAll(() => server.stop())

  const came = (name: string, count: number): Promise<unknown[]> =>
    waitFor(() => ((received.get(name)?.length ?? 0) >= count ? received.get(name) : undefined), {
      what: `${count} messages for ${name}`,
    }) as Promise<unknown[]>

  test('gets what was published over HTTP and gRPC, as it was', async () => {
    await fetch(`${sidecar.url}/v1.0/publish/pubsub/plain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"n":1,"text":"grüße"}',
    })
    const client = grpcClientOf(sdk, sidecar)
    try {
      await client.pubsub.publish('pubsub', 'plain', { n: 2 })
    } finally {
      await client.stop()
    }
    expect(await came('plain', 2)).toEqual([{ n: 1, text: 'grüße' }, { n: 2 }])
  })

  test('gets again what it wants to have again, and not what it dropped', async () => {
    for (const topic of ['retried', 'dropped'])
      await fetch(`${sidecar.url}/v1.0/publish/pubsub/${topic}`, { method: 'POST', body: 'x' })
    await came('retried', 3)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([received.get('retried')?.length, received.get('dropped')?.length]).toEqual([3, 1])
  })

  test('is listed with its subscriptions', async () => {
    const { subscriptions } = (await (await fetch(`${sidecar.url}/v1.0/metadata`)).json()) as {
      subscriptions: { topic: string; type: string }[]
    }
    const listed = Object.fromEntries(subscriptions.map(({ topic, type }) => [topic, type]))
    expect(listed).toEqual({ plain: 'PROGRAMMATIC', retried: 'PROGRAMMATIC', dropped: 'PROGRAMMATIC' })
  })
})
