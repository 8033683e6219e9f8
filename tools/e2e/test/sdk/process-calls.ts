import type { DaprClient } from '@dapr/dapr'
import { expect, onTestFinished } from 'vitest'
import { component, startSidecar } from '../../src/index.ts'
import { clientOf, grpcClientOf } from '../client/clients.ts'
import type { Calls, Scene } from './world.ts'

/** A client of its own, that no other call has started. */
function another({ sdk, protocol, world }: Scene): DaprClient {
  const client = protocol === 'HTTP' ? clientOf(sdk, world) : grpcClientOf(sdk, world)
  onTestFinished(() => client.stop())
  return client
}

async function starts(scene: Scene): Promise<void> {
  const client = another(scene)
  expect(client.getIsInitialized()).toBe(false)
  await client.start()
  expect(client.getIsInitialized()).toBe(true)
  expect(await client.health.isHealthy()).toBe(true)
}

/** Metadata, health, shutdown, and the client's own life. */
export const processCalls: Calls = {
  async 'metadata.get'({ client }) {
    const { id, components } = await client.metadata.get()
    expect(id).toBe('own')
    expect(components.find(({ name }) => name === 'store')).toMatchObject({ type: 'state.sqlite' })
  },

  async 'metadata.set'({ client, key }) {
    expect(await client.metadata.set(key('mark'), 'yes')).toBe(true)
    expect(JSON.stringify(await client.metadata.get())).toContain(key('mark'))
  },

  async 'health.isHealthy'({ client }) {
    expect(await client.health.isHealthy()).toBe(true)
  },

  async 'sidecar.shutdown'({ sdk, protocol }) {
    const sidecar = await startSidecar({ resources: component('store', 'state.in-memory') })
    onTestFinished(() => sidecar.dispose())
    const client = protocol === 'HTTP' ? clientOf(sdk, sidecar) : grpcClientOf(sdk, sidecar)
    onTestFinished(() => client.stop())
    await client.sidecar.shutdown()
    expect(await sidecar.child.ended()).toBe(0)
  },

  'client.start': starts,
  'client.getIsInitialized': starts,
  'daprClient.start': starts,
  'daprClient.getIsInitialized': starts,

  async 'client.stop'(scene) {
    const client = another(scene)
    await client.start()
    await client.stop()
  },
  async 'daprClient.stop'(scene) {
    const client = another(scene)
    await client.start()
    await client.stop()
  },

  async 'daprClient.getClient'({ client }) {
    expect(await client.daprClient.getClient()).toBeDefined()
    expect(client.getIsInitialized()).toBe(true)
  },

  async 'daprClient.setIsInitialized'(scene) {
    const client = another(scene)
    client.daprClient.setIsInitialized(true)
    expect(client.getIsInitialized()).toBe(true)
    expect(await client.metadata.get()).toMatchObject({ id: 'own' })
  },

  async 'daprClient.getClientCredentials'({ client }) {
    expect(inside(client)['getClientCredentials']!()).toBeDefined()
  },
  async 'daprClient.getGrpcClientOptions'({ client }) {
    expect(inside(client)['getGrpcClientOptions']!()).toBeDefined()
  },

  async 'daprClient.execute'({ client, world }) {
    const url = `http://127.0.0.1:${world.httpPort}/v1.0/metadata`
    expect(await inside(client)['execute']!(url)).toMatchObject({ id: 'own' })
  },
  async 'daprClient.executeWithApiVersion'({ client }) {
    const metadata = await inside(client)['executeWithApiVersion']!('v1.0', '/metadata', { method: 'GET' })
    expect(metadata).toMatchObject({ id: 'own' })
  },
}

function inside({ daprClient }: DaprClient): Record<string, (...args: unknown[]) => unknown> {
  return daprClient as never
}
