import { virtualClock } from '@outrigger/testkit'
import { decode } from 'dns-packet'
import { expect, test } from 'vitest'
import { Advertisement } from './advertisement.ts'
import { encodeQuery, readInstances } from './messages.ts'

function setUp() {
  const clock = virtualClock()
  const said: string[] = []
  let closed = 0
  const announced = { instance: 'i', appId: 'orders', namespace: 'default', host: '10.0.0.1', port: 1 }
  const advertisement = new Advertisement(announced, {
    clock,
    send: async (bytes) => {
      const { alive } = readInstances(decode(bytes), 'orders')
      said.push(`${alive.length === 1 ? 'here' : 'gone'} ${clock.monotonic()}`)
    },
    closed: () => void closed++,
  })
  const ask = (appId = 'orders'): void => advertisement.receive(decode(encodeQuery(appId)))
  return { clock, said, advertisement, ask, closed: () => closed }
}

test('it is announced twice, and told to whoever asks, once for all who ask together', async () => {
  const { clock, said, advertisement, ask } = setUp()
  await advertisement.announce()
  await clock.advance(1000)
  expect(said.splice(0)).toEqual(['here 0', 'here 1000'])
  await clock.advance(1000)
  ask()
  ask()
  ask('other')
  await clock.advance(1)
  expect(said.splice(0)).toEqual(['here 2000'])
  ask()
  ask()
  await clock.advance(200)
  expect(said.splice(0)).toEqual(['here 2100'])
  ask('other')
  await clock.advance(200)
  expect(said).toEqual([])
})

test('while it is unhealthy it says nothing, and it says when it leaves and comes back', async () => {
  const { clock, said, advertisement, ask } = setUp()
  await advertisement.announce()
  await advertisement.setHealthy(true, {})
  ask()
  await advertisement.setHealthy(false, {})
  ask()
  await clock.advance(5000)
  await advertisement.announce()
  expect(said.splice(0)).toEqual(['here 0', 'gone 0'])
  await advertisement.setHealthy(true, {})
  await clock.advance(5000)
  expect(said.splice(0)).toEqual(['here 5000', 'here 6000'])
})

test('after its close it says nothing, and no timer is left', async () => {
  const { clock, said, advertisement, ask, closed } = setUp()
  await advertisement.announce()
  ask()
  await Promise.all([advertisement.close(), advertisement.close()])
  ask()
  await clock.advance(5000)
  expect(said).toEqual(['here 0', 'gone 0'])
  expect([closed(), clock.pending]).toEqual([1, 0])
  await expect(advertisement.setHealthy(true, {})).rejects.toMatchObject({ code: 'CLOSED' })
})
