import type { DaprServer } from '@dapr/dapr'
import { waitFor } from '@outrigger/testkit'
import { expect } from 'vitest'
import type { Sidecar } from '../../src/index.ts'
import type { Sdk } from '../client/clients.ts'
import type { Protocol } from './surface.ts'

/** A server that has everything registered, and the sidecar that found it. */
export interface ServerScene {
  readonly sdk: Sdk
  readonly protocol: Protocol
  readonly version: string
  readonly server: DaprServer
  readonly sidecar: Sidecar
  readonly appPort: number
  /** What the handlers got, by names of their own. */
  readonly got: ReadonlyMap<string, readonly unknown[]>
}

export type Check = (scene: ServerScene) => Promise<void>

/** Registers a handler of every kind, before the server starts. */
export async function register(sdk: Sdk, server: DaprServer, got: Map<string, unknown[]>): Promise<void> {
  const collect =
    (name: string) =>
    async (data: unknown): Promise<void> => {
      got.set(name, [...(got.get(name) ?? []), data])
    }
  await server.invoker.listen('echo', async ({ body, query }) => ({ body, query }), {
    method: sdk.HttpMethod.POST,
  })
  await server.binding.receive('ticks', collect('ticks'))
  await server.pubsub.subscribe('pubsub', 'plain', collect('plain'))
  await server.pubsub.subscribeWithOptions('pubsub', 'options', {
    callback: async (data: unknown) => {
      await collect('options')(data)
      return sdk.DaprPubSubStatusEnum.DROP
    },
    deadLetterTopic: 'dead',
  })
  await server.pubsub.subscribe('pubsub', 'dead', collect('dead'))
  await server.pubsub.subscribeWithOptions('pubsub', 'ruled', {
    route: { default: '/default', rules: [{ match: 'event.type == "order"', path: '/order' }] },
  })
  server.pubsub.subscribeToRoute('pubsub', 'ruled', '/default', collect('default'))
  server.pubsub.subscribeToRoute('pubsub', 'ruled', '/order', collect('order'))
  await server.pubsub.subscribeBulk('pubsub', 'bulk', collect('bulk'), {
    maxMessagesCount: 5,
    maxAwaitDurationMs: 20,
  })
}

/** Makes the sidecar call everything that was registered; the answer of the method stands in `got` as well. */
export async function exercise(sidecar: Sidecar, got: Map<string, unknown[]>): Promise<void> {
  const answer = await fetch(`${sidecar.url}/v1.0/invoke/shop/method/echo?a=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"n":7}',
  })
  got.set('echo', [answer.status, await answer.json()])
  const publish = (topic: string, data: object, type = 'application/json'): Promise<Response> =>
    fetch(`${sidecar.url}/v1.0/publish/pubsub/${topic}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify(data),
    })
  for (const topic of ['plain', 'options', 'ruled', 'bulk'])
    expect((await publish(topic, { topic })).ok).toBe(true)
  const event = { specversion: '1.0', id: '1', source: 's', type: 'order', data: { n: 1 } }
  await publish('ruled', event, 'application/cloudevents+json')
  for (const name of ['ticks', 'plain', 'options', 'dead', 'default', 'order', 'bulk'])
    await waitFor(() => got.has(name), { what: `something for ${name}` })
}

const comes =
  (name: string, ...data: unknown[]): Check =>
  async ({ got }) =>
    expect(got.get(name)).toEqual(data)

const subscribed: Check = async ({ server }) => {
  const topics = Object.keys(server.pubsub.getSubscriptions()['pubsub'] ?? {})
  expect(topics.sort()).toEqual(['bulk', 'dead', 'options', 'plain', 'ruled'])
}

/** What must be true of every method that an application calls. */
export const checks: Readonly<Record<string, Check>> = {
  async 'server.start'({ sidecar }) {
    expect((await fetch(`${sidecar.url}/v1.0/healthz`)).status).toBe(204)
  },
  async 'server.getDaprClient'({ server }) {
    expect(server.getDaprClient()).toBe(server.daprServer)
  },
  async 'daprServer.start'({ server, sidecar }) {
    expect(server.client.getIsInitialized()).toBe(true)
    const { appConnectionProperties } = (await (await fetch(`${sidecar.url}/v1.0/metadata`)).json()) as {
      appConnectionProperties: object
    }
    expect(appConnectionProperties).toMatchObject({ channelAddress: '127.0.0.1' })
  },
  async 'daprServer.getServerAddress'({ server, appPort }) {
    expect(server.daprServer.getServerAddress()).toContain(String(appPort))
  },
  async 'daprServer.getServer'({ server }) {
    expect(server.daprServer.getServer()).toBeDefined()
  },
  async 'daprServer.getServerImpl'({ server }) {
    expect(server.daprServer.getServerImpl()).toBeDefined()
  },
  async 'daprServer.getServerPort'({ server, appPort }) {
    expect((server.daprServer as unknown as { getServerPort(): string }).getServerPort()).toBe(
      String(appPort),
    )
  },
  async 'daprServer.getServerHost'({ server }) {
    expect((server.daprServer as unknown as { getServerHost(): string }).getServerHost()).toBe('127.0.0.1')
  },
  async 'invoker.listen'({ got }) {
    const query = expect.stringContaining('a=1') as string
    expect(got.get('echo')).toEqual([200, { body: '{"n":7}', query }])
  },
  async 'binding.receive'({ got }) {
    expect(got.get('ticks')!.length).toBeGreaterThan(0)
  },
  'pubsub.subscribe': comes('plain', { topic: 'plain' }),
  async 'pubsub.subscribeWithOptions'({ got }) {
    expect(got.get('options')).toEqual([{ topic: 'options' }])
    expect(got.get('dead')).toEqual([{ topic: 'options' }])
  },
  async 'pubsub.subscribeToRoute'({ got }) {
    expect(got.get('order')).toEqual([{ n: 1 }])
    expect(got.get('default')).toEqual([{ topic: 'ruled' }])
  },
  'pubsub.subscribeBulk': comes('bulk', { topic: 'bulk' }),
  'pubsub.getSubscriptions': subscribed,
  'impl.getSubscriptions': subscribed,
}
