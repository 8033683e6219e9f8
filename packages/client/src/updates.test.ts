import { expect, test } from 'vitest'
import { ConfigurationSubscription, readItems } from './updates.ts'

const value = (text: string) => ({ value: text, version: '', metadata: {} })

test('who is slow sees the newest value of each key', async () => {
  const subscription = new ConfigurationSubscription('1', () => undefined)
  subscription.push({ a: value('1') })
  subscription.push({ a: value('2'), b: value('1') })
  const iterator = subscription[Symbol.asyncIterator]()
  expect((await iterator.next()).value).toEqual({ a: value('2'), b: value('1') })
  const waiting = iterator.next()
  subscription.push({ c: value('1') })
  expect((await waiting).value).toEqual({ c: value('1') })
})

test('an end from here ends the loop, and the other side is told once', async () => {
  let stops = 0
  const subscription = new ConfigurationSubscription('1', () => void stops++)
  const loop = (async () => {
    for await (const _ of subscription) continue
  })()
  await subscription.unsubscribe()
  await loop
  await subscription.unsubscribe()
  subscription.push({ a: value('1') })
  expect(await subscription.ended).toBeUndefined()
  expect(stops).toBe(1)
})

test('an end from there is told after what came before it', async () => {
  const subscription = new ConfigurationSubscription('1', () => {
    throw new Error('gone already')
  })
  subscription.push({ a: value('1') })
  subscription.end(new Error('it broke'))
  const iterator = subscription[Symbol.asyncIterator]()
  expect((await iterator.next()).value).toEqual({ a: value('1') })
  await expect(iterator.next()).rejects.toThrow('it broke')
  expect((await subscription.ended)?.message).toBe('it broke')
})

test('more keys than anybody reads end it', async () => {
  const subscription = new ConfigurationSubscription('1', () => undefined)
  subscription.push(
    Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [String(index), value('')])),
  )
  expect(await subscription.ended).toMatchObject({ errorCode: 'ERR_CLIENT_TOO_LARGE' })
})

test('empty parts of items may be missing', () => {
  expect(readItems({ a: {}, b: null, c: { value: 'x', version: '1', metadata: { k: 'v' } } })).toEqual({
    a: value(''),
    b: value(''),
    c: { value: 'x', version: '1', metadata: { k: 'v' } },
  })
  expect([readItems(undefined), readItems(7)]).toEqual([{}, {}])
})
