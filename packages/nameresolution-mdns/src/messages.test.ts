import { decode, encode, type Answer, type DecodedPacket } from 'dns-packet'
import { seededRandom } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import {
  asksFor,
  decodeMessage,
  encodeAnnouncement,
  encodeQuery,
  isNameable,
  readInstances,
  type Announced,
} from './messages.ts'

const orders: Announced = {
  instance: 'i-1',
  appId: 'Orders',
  namespace: 'shop',
  host: '10.0.0.1',
  port: 50_002,
}
const read = (bytes: Buffer, appId = 'Orders'): ReturnType<typeof readInstances> =>
  readInstances(decode(bytes), appId)

test('what is announced is read, of its own id only', () => {
  const { alive, gone } = read(encodeAnnouncement(orders))
  expect(alive).toEqual([{ ...orders, instance: 'i-1.Orders.local', ttlMs: 120_000 }])
  expect(gone).toEqual([])
  for (const other of ['orders', 'Order', 'x.Orders', 'local']) {
    expect(read(encodeAnnouncement(orders), other)).toEqual({ alive: [], gone: [] })
  }
})

test('what leaves is told by the name of the instance', () => {
  expect(read(encodeAnnouncement(orders, true))).toEqual({ alive: [], gone: ['i-1.Orders.local'] })
})

test('IPv6 goes and comes', () => {
  const six = { ...orders, host: '2001:db8::7' }
  expect(read(encodeAnnouncement(six)).alive[0]).toMatchObject({ host: '2001:db8::7' })
})

test('a question is for the application, or for the one instance', () => {
  const query = decode(encodeQuery('orders'))
  expect(asksFor(query, 'Orders')).toBe(true)
  expect(asksFor(query, 'order')).toBe(false)
  const ask = (name: string, type: 'SRV' | 'TXT' | 'PTR'): DecodedPacket =>
    decode(encode({ type: 'query', questions: [{ name, type }] }))
  expect(asksFor(ask('i-1.orders.local', 'SRV'), 'orders', 'i-1')).toBe(true)
  expect(asksFor(ask('i-1.orders.local', 'TXT'), 'orders')).toBe(false)
  expect(asksFor(ask('i-2.orders.local', 'SRV'), 'orders', 'i-1')).toBe(false)
  expect(asksFor(ask('orders.local', 'TXT'), 'orders', 'i-1')).toBe(false)
  expect(asksFor(decode(encodeAnnouncement(orders)), 'Orders')).toBe(false)
})

/** An announcement as Dapr's responder writes it, but for what is changed. */
function dapr(change: (answers: Answer[]) => Answer[]): Buffer {
  const name = 'host:123.orders.local'
  const answers: Answer[] = [
    {
      name,
      type: 'SRV',
      ttl: 3200,
      flush: true,
      data: { priority: 0, weight: 0, port: 7, target: 'host.local' },
    },
    { name, type: 'TXT', ttl: 3200, flush: true, data: ['orders'] },
    { name: 'orders.local', type: 'PTR', ttl: 3200, data: name },
    { name: '_services._dns-sd._udp.local', type: 'PTR', ttl: 3200, data: 'orders.local' },
    { name: 'host.local', type: 'AAAA', ttl: 120, data: '2001:db8::1' },
    { name: 'host.local', type: 'A', ttl: 120, data: '10.0.0.9' },
  ]
  return encode({ type: 'response', answers: change(answers) })
}

test('an announcement of Dapr is read: no namespace, the IPv4 address before IPv6', () => {
  expect(
    read(
      dapr((answers) => answers),
      'orders',
    ).alive,
  ).toEqual([
    {
      instance: 'host:123.orders.local',
      appId: 'orders',
      namespace: undefined,
      host: '10.0.0.9',
      port: 7,
      ttlMs: 3_200_000,
    },
  ])
  const six = dapr((answers) => answers.filter(({ type }) => type !== 'A'))
  expect(read(six, 'orders').alive[0]?.host).toBe('2001:db8::1')
})

test.each(['SRV', 'TXT', 'PTR'] as const)('without %s there is no instance', (missing) => {
  const bytes = dapr((answers) => answers.filter(({ type }) => type !== missing))
  expect(read(bytes, 'orders')).toEqual({ alive: [], gone: [] })
})

test('another id in the text, or no address, is no instance', () => {
  const other = dapr((answers) =>
    answers.map((each) => (each.type === 'TXT' ? { ...each, data: ['other', 'orders'] } : each)),
  )
  const homeless = dapr((answers) => answers.filter(({ type }) => !type.startsWith('A')))
  for (const bytes of [other, homeless]) expect(read(bytes, 'orders').alive).toEqual([])
})

test('bytes of any kind do no harm', () => {
  const random = seededRandom(5)
  const whole = encodeAnnouncement(orders)
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(whole.subarray(0, Math.floor(random.next() * (whole.length + 1))))
    for (let flips = Math.floor(random.next() * 8); flips > 0 && bytes.length > 0; flips--) {
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256)
    }
    const message = decodeMessage(bytes)
    if (message === undefined) continue
    asksFor(message, 'Orders', 'i-1')
    readInstances(message, 'Orders')
  }
  // Nothing was thrown, and whole messages are still read.
  expect(read(whole).alive).toHaveLength(1)
})

test.each([
  ['orders', true],
  ['a.b', true],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  ['', false],
  ['.', false],
  ['a..b', false],
  ['ä'.repeat(32), false],
  [`${'a'.repeat(60)}.`.repeat(2) + 'b'.repeat(60), true],
  [`${'a'.repeat(60)}.`.repeat(3) + 'bbb', false],
])('%s: %s', (appId, nameable) => {
  expect(isNameable(appId)).toBe(nameable)
  if (nameable) expect(read(encodeAnnouncement({ ...orders, appId }), appId).alive).toHaveLength(1)
})
