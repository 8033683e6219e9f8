import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { DaprClient } from '@dapr/dapr'
import { waitFor } from '@outrigger/testkit'
import { expect } from 'vitest'
import type { Calls, World } from './world.ts'

const key = { componentName: 'keys', keyName: 'aes.key', keyWrapAlgorithm: 'A256KW' as const }

/** Secrets, configuration, locks, cryptography. */
export const itemCalls: Calls = {
  async 'secret.get'({ client }) {
    expect(await client.secret.get('vault', 'password')).toEqual({ password: 'swordfish' })
    await expect(client.secret.get('vault', 'absent')).rejects.toThrow('absent')
  },

  async 'secret.getBulk'({ client, protocol, version }) {
    const all = await client.secret.getBulk('vault')
    // The older SDK asks its own message for a member that the build of its protobuf library renamed.
    if (protocol === 'gRPC' && version === '3.6.1') expect(all).toBeUndefined()
    else expect(all).toEqual({ password: { password: 'swordfish' }, 'db:user': { 'db:user': 'sa' } })
    await expect(client.secret.getBulk('nosuch')).rejects.toThrow('nosuch')
  },

  async 'configuration.get'({ client }) {
    const { items } = await client.configuration.get('settings', ['colour', 'absent'], { a: 'b' })
    expect(items).toMatchObject({ colour: { key: 'colour', value: 'red' } })
    expect(Object.keys(items)).toEqual(['colour'])
    expect(Object.keys((await client.configuration.get('settings')).items)).toContain('size')
    await expect(client.configuration.get('nosuch', ['a'])).rejects.toThrow('nosuch')
  },

  'configuration.subscribe': ({ client, key: unique, world }) =>
    follow(world, unique('all'), (told) => client.configuration.subscribe('settings', told)),

  'configuration.subscribeWithKeys': ({ client, key: unique, world }) =>
    follow(world, unique('keys'), (told) =>
      client.configuration.subscribeWithKeys('settings', [unique('keys')], told),
    ),

  'configuration.subscribeWithMetadata': ({ client, key: unique, world }) =>
    follow(world, unique('meta'), (told) =>
      client.configuration.subscribeWithMetadata('settings', [unique('meta')], { a: 'b' }, told),
    ),

  async 'lock.lock'({ client, key: unique }) {
    expect(await client.lock.lock('locks', unique('taken'), 'me', 60)).toEqual({ success: true })
    expect(await client.lock.lock('locks', unique('taken'), 'you', 60)).toEqual({ success: false })
    await expect(client.lock.lock('nosuch', 'r', 'me', 60)).rejects.toThrow('nosuch')
  },

  async 'lock.unlock'({ client, key: unique }) {
    const unlock = async (owner: string) => (await client.lock.unlock('locks', unique('it'), owner)).status
    // In this order: given back, there is none, of somebody else.
    expect(await unlock('me')).toBe(1)
    await client.lock.lock('locks', unique('it'), 'me', 60)
    expect(await unlock('you')).toBe(2)
    expect(await unlock('me')).toBe(0)
    await expect(client.lock.unlock('nosuch', 'r', 'me')).rejects.toThrow('nosuch')
  },

  async 'crypto.encrypt'({ client }) {
    const plain = randomBytes(100_000)
    const sealed = await client.crypto.encrypt(plain, { ...key, dataEncryptionCipher: 'aes-gcm' })
    expect(sealed.subarray(0, 15).toString()).toBe('dapr.io/enc/v1\n')
    expect(await client.crypto.decrypt(sealed, { componentName: 'keys' })).toEqual(plain)
    const stream = await through(await client.crypto.encrypt(key), plain)
    expect(await client.crypto.decrypt(stream, { componentName: 'keys' })).toEqual(plain)
    await expect(client.crypto.encrypt(plain, { ...key, componentName: 'nosuch' })).rejects.toThrow('nosuch')
  },

  async 'crypto.decrypt'({ client }) {
    const options = { ...key, omitDecryptionKeyName: true }
    const sealed = await client.crypto.encrypt('text', options)
    const named = { componentName: 'keys', keyName: 'aes.key' }
    expect((await client.crypto.decrypt(sealed, named)).toString()).toBe('text')
    expect((await through(await client.crypto.decrypt(named), sealed)).toString()).toBe('text')
    await expect(client.crypto.decrypt(Buffer.from('plain'), named)).rejects.toThrow()
  },
}

/** Subscribes, changes an item, hears of it, unsubscribes, changes it again and hears nothing. */
async function follow(
  { settings }: World,
  item: string,
  subscribe: (told: Parameters<DaprClient['configuration']['subscribe']>[1]) => Promise<{ stop(): unknown }>,
): Promise<void> {
  const heard: unknown[] = []
  const stream = await subscribe(async ({ items }) => {
    if (items[item] !== undefined) heard.push(items[item].value)
  })
  // The SDKs do not say when the sidecar has it.
  let count = 0
  await waitFor(
    () => {
      settings.set(item, String(++count))
      return heard.length > 0
    },
    { what: 'a change' },
  )
  await stream.stop()
  const before = heard.length
  settings.set(item, 'after the end')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(heard.slice(before)).not.toContain('after the end')
}

async function through(stream: Duplex, bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = []
  stream.end(bytes)
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
