import { describe, expect, test } from 'vitest'
import { BadEvent, readEvent, type TopicEvent } from './event.ts'

function read(
  contentType: string | undefined,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): TopicEvent {
  const all = new Map(
    Object.entries(contentType === undefined ? headers : { 'content-type': contentType, ...headers }),
  )
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const request = { method: 'POST', path: '/x', query: '', headers: all, body: bytes }
  return readEvent(request, { pubsubName: 'bus', topic: 'orders' })
}

const envelope = {
  id: '1',
  source: 'shop',
  type: 'order',
  specversion: '1.0',
  subject: 's',
  time: '2026-01-02T03:04:05Z',
  datacontenttype: 'application/json',
  topic: 'other',
  pubsubname: 'pub',
  traceparent: '00-a-b-01',
  mine: 7,
}

describe('structured', () => {
  test.each([
    'application/cloudevents+json',
    'application/cloudevents+json; charset=utf-8',
    'application/json',
  ])('as %s', (type) => {
    const event = read(type, JSON.stringify({ ...envelope, data: { a: 1 } }), {
      'accept-encoding': 'gzip',
      'content-length': '1',
      host: 'localhost',
      pubsubname: 'pub',
      __key: 'k',
    })
    expect(event).toMatchObject({
      id: '1',
      source: 'shop',
      type: 'order',
      subject: 's',
      time: new Date('2026-01-02T03:04:05Z'),
      dataContentType: 'application/json',
      topic: 'other',
      pubsubName: 'pub',
      traceparent: '00-a-b-01',
      data: { a: 1 },
    })
    expect(event.metadata).toEqual({ __key: 'k' })
    expect(event.attributes['mine']).toBe(7)
    expect(event.attributes).not.toHaveProperty('data')
    expect(event.json()).toEqual({ a: 1 })
  })

  test('bytes come in base64', () => {
    const event = read(
      'application/cloudevents+json',
      JSON.stringify({ ...envelope, data_base64: 'eyJhIjoxfQ==' }),
    )
    expect(event.data).toEqual(new Uint8Array(Buffer.from('{"a":1}')))
    expect(event.json()).toEqual({ a: 1 })
  })

  test('no data, and attributes of wrong types', () => {
    const event = read(
      'application/cloudevents+json',
      '{"specversion":"1.0","type":"t","id":5,"time":"soon"}',
    )
    expect(event).toMatchObject({
      id: '',
      type: 't',
      time: undefined,
      data: undefined,
      topic: 'orders',
      pubsubName: 'bus',
    })
  })

  test.each([
    '{',
    '[]',
    '"x"',
    '{"a":1}',
    '{"specversion":"1.0","type":"t","data_base64":"%"}',
    '{"specversion":"1.0","type":"t","data_base64":7}',
  ])('%s is none', (body) => {
    expect(() => read('application/cloudevents+json', body)).toThrow(BadEvent)
  })
})

test('binary mode: attributes are headers, percent-encoded', () => {
  const event = read('text/plain', 'hello', {
    'ce-specversion': '1.0',
    'ce-id': '9',
    'ce-type': 't',
    'ce-source': '%C3%A4',
    'ce-bad': '%zz',
  })
  expect(event).toMatchObject({
    id: '9',
    type: 't',
    source: 'ä',
    data: 'hello',
    dataContentType: 'text/plain',
  })
  expect(event.attributes['bad']).toBe('%zz')
})

describe('without an envelope', () => {
  test.each([
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/vnd.x+json', '[1]', [1]],
    ['text/plain; charset=utf-8', 'hi', 'hi'],
    ['application/octet-stream', 'hi', new Uint8Array([104, 105])],
    [undefined, 'hi', new Uint8Array([104, 105])],
  ])('%s', (type, body, data) => {
    expect(read(type, body)).toMatchObject({ id: '', topic: 'orders', pubsubName: 'bus', data })
  })
})
