import type { StateOperation, StateSetRequest } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { internalEvent, markerOf, publishedEvent, splitTransaction } from './events.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const json = (content: Uint8Array): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(content)) as Record<string, unknown>

const context = {
  id: 'outbox-1',
  source: 'shop',
  topic: 'shopordersoutbox',
  pubsubName: 'broker',
  nowMs: Date.UTC(2026, 0, 31, 12),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}

function set(key: string, value: string, more: Partial<StateSetRequest> = {}): StateSetRequest {
  return { key, value: { bytes: bytes(value), kind: 'json' }, metadata: {}, ...more }
}
const upsert = (request: StateSetRequest): StateOperation => ({ operation: 'upsert', request })

test('an event is named as its marker and carries the value and the trace', () => {
  const event = internalEvent({ payload: set('a', '{"n":1.50}'), metadata: {} }, context)
  expect(new TextDecoder().decode(event)).toContain('"data":{"n":1.50}')
  expect(json(event)).toEqual({
    id: 'outbox-1',
    specversion: '1.0',
    source: 'shop',
    type: 'com.dapr.event.sent',
    datacontenttype: 'application/json',
    topic: 'shopordersoutbox',
    pubsubname: 'broker',
    time: '2026-01-31T12:00:00Z',
    traceid: context.traceparent,
    traceparent: context.traceparent,
    data: { n: 1.5 },
  })
  expect(markerOf(event)).toBe('outbox-1')
})

test.each([
  ['a text says what it says', set('a', '"hello"'), 'text/plain', 'hello'],
  ['a number is its text', set('a', '2'), 'text/plain', '2'],
  ['nothing is its text', set('a', 'null'), 'text/plain', 'null'],
  ['a list is JSON', set('a', '[1]'), 'application/json', [1]],
  [
    'a type of the item is kept',
    set('a', '"x"', { value: { bytes: bytes('"x"'), kind: 'json', contentType: 'application/json' } }),
    'application/json',
    'x',
  ],
  [
    'a type in the metadata is kept',
    set('a', '{}', { metadata: { contentType: 'text/weird' } }),
    'text/weird',
    '{}',
  ],
  [
    'bytes without a type are text',
    set('a', '', { value: { bytes: bytes('{"a":1}'), kind: 'binary' } }),
    'text/plain',
    '{"a":1}',
  ],
])('%s', (_, payload, type, data) => {
  expect(json(internalEvent({ payload, metadata: payload.metadata }, context))).toMatchObject({
    datacontenttype: type,
    data,
  })
})

test('metadata becomes attributes; data and id are not for the taking', () => {
  const metadata = {
    source: 'CustomersApp',
    custom: 'ä"b',
    data: 'no',
    id: 'no',
    ttlInSeconds: '5',
    contentType: 'text/plain',
    'outbox.projection': 'false',
    'cloudevent.id': 'process-7',
    'cloudevent.type': 'CustomerCreated',
    'cloudevent.data': 'no',
  }
  const event = internalEvent({ payload: set('a', '1'), metadata }, context)
  expect(markerOf(event)).toBe('outbox-1')
  const published = json(publishedEvent(event))
  expect(published).toMatchObject({
    id: 'process-7',
    source: 'CustomersApp',
    type: 'CustomerCreated',
    custom: 'ä"b',
    data: '1',
  })
  expect(Object.keys(published).filter((name) => /cloudevent|ttl|contentType$|outbox/.test(name))).toEqual([])
})

test('an event without overrides is published as it is', () => {
  const event = internalEvent({ payload: set('a', '1'), metadata: {} }, context)
  expect(publishedEvent(event)).toBe(event)
})

test.each([
  '{}',
  '{"id":1}',
  '{"id":"orders"}',
  '{"id":"outbox-a/../b"}',
  'no JSON',
  '[]',
  '{"id":"outbox-"}',
])('%s names no marker', (text) => {
  expect(markerOf(bytes(text))).toBeUndefined()
})

test('projections are not saved, and the first of a key is what is published', () => {
  const operations = [
    upsert(set('a', '"saved"')),
    upsert(set('a', '"first"', { metadata: { 'outbox.projection': 'true', x: '1' } })),
    upsert(set('a', '"second"', { metadata: { 'outbox.projection': 'true' } })),
    { operation: 'delete', request: { key: 'b', metadata: {} } },
    upsert(set('c', '"c"', { metadata: { 'outbox.projection': 'no' } })),
  ] as const
  const split = splitTransaction({ operations, metadata: { y: '2' } })
  expect(split.operations).toEqual([operations[0], operations[3], operations[4]])
  expect(split.writes.map(({ payload }) => new TextDecoder().decode(payload.value.bytes))).toEqual([
    '"first"',
    '"c"',
  ])
  expect(split.writes[0]!.metadata).toMatchObject({ x: '1', y: '2' })
})

test('a projection of a key that is not saved is refused', () => {
  const operations = [upsert(set('a', '1', { metadata: { 'outbox.projection': 'true' } }))]
  expect(() => splitTransaction({ operations, metadata: {} })).toThrow('the projection of key a')
})
