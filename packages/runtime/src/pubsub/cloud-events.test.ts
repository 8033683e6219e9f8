import { describe, expect, it } from 'vitest'
import { complete, wrap, wrapRaw } from './cloud-events.ts'
import { DeliveredEvent } from './event.ts'
import { scanObject, textOf } from './json-scan.ts'

const context = {
  id: 'id-1',
  source: 'shop',
  topic: 'orders',
  pubsubName: 'bus',
  nowMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
}
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const wrapped = (data: string | Uint8Array, type?: string, metadata = {}, more = {}): string =>
  text(wrap(Buffer.from(data), type, metadata, { ...context, ...more }))

describe('wrap', () => {
  it('keeps JSON data byte for byte', () => {
    const data = '{ "n": 12345678901234567890.10, "e":1E400,"s":"\\u00e9" }'
    const event = wrapped(data, 'application/json; charset=utf-8')
    expect(event.endsWith(`,"data":${data}}`)).toBe(true)
    expect(JSON.parse(event)).toMatchObject({
      id: 'id-1',
      specversion: '1.0',
      source: 'shop',
      type: 'com.dapr.event.sent',
      datacontenttype: 'application/json; charset=utf-8',
      topic: 'orders',
      pubsubname: 'bus',
      time: '2026-01-02T03:04:05Z',
    })
  })

  it.each([
    ['broken JSON as a string', '{"a":', 'application/json', { data: '{"a":' }],
    ['no JSON at all as an empty string', '', 'application/json', { data: '' }],
    [
      'text as a string, and it is the default',
      'a "b" é',
      undefined,
      { data: 'a "b" é', datacontenttype: 'text/plain' },
    ],
    ['XML as a string', '<a/>', 'application/xml', { data: '<a/>' }],
    ['unknown types as a string', 'x', 'application/vnd.x', { data: 'x' }],
    ['bytes in base64', Buffer.from([255, 0]), 'application/octet-stream', { data_base64: '/wA=' }],
    ['protobuf in base64', 'p', 'application/x-protobuf', { data_base64: 'cA==' }],
    [
      'invalid UTF-8 as JSON with replacement characters',
      Buffer.from([0x22, 0xff, 0x22]),
      'application/json',
      { data: '\ufffd' },
    ],
  ])('puts %s', (_name, data, type, expected) => {
    expect(JSON.parse(wrapped(data, type))).toMatchObject(expected)
  })

  it('lets metadata override attributes, whatever the case of its names', () => {
    const metadata = {
      'cloudevent.id': 'mine',
      'CloudEvent.Source': 'elsewhere',
      'cloudevent.type': 'order.paid',
      'cloudevent.subject': 'order/1',
      'cloudevent.traceparent': '00-b',
      'cloudevent.traceid': '00-a',
      'cloudevent.tracestate': 's=2',
    }
    expect(JSON.parse(wrapped('1', 'application/json', metadata, { traceparent: '00-c' }))).toMatchObject({
      id: 'mine',
      source: 'elsewhere',
      type: 'order.paid',
      subject: 'order/1',
      traceid: '00-b',
      traceparent: '00-b',
      tracestate: 's=2',
    })
  })

  it('adds trace and expiration only when there are any', () => {
    const bare = JSON.parse(wrapped('1')) as object
    for (const name of ['traceid', 'traceparent', 'tracestate', 'expiration', 'subject']) {
      expect(bare).not.toHaveProperty(name)
    }
    const full = wrapped(
      '1',
      undefined,
      {},
      { traceparent: '00-c', tracestate: 'a=1', expiresAtMs: context.nowMs + 5000 },
    )
    expect(JSON.parse(full)).toMatchObject({
      traceid: '00-c',
      traceparent: '00-c',
      tracestate: 'a=1',
      expiration: '2026-01-02T03:04:10.678Z',
    })
  })
})

describe('complete', () => {
  it('fills what is missing, sets topic and pubsub, and leaves the rest alone', () => {
    const event =
      '{"type":"paid", "data" : {"n":1.000000000000000000001}, "topic":"old","source":null,"x":1.10}'
    const result = text(complete(Buffer.from(event), { ...context, traceparent: '00-c' }))
    expect(result).toContain('"data" : {"n":1.000000000000000000001}')
    expect(result).toContain('"x":1.10')
    expect(result.match(/"topic"/g)).toHaveLength(1)
    expect(JSON.parse(result)).toMatchObject({
      type: 'paid',
      topic: 'orders',
      pubsubname: 'bus',
      source: 'Dapr',
      specversion: '1.0',
      id: 'id-1',
      traceid: '00-c',
      traceparent: '00-c',
      time: '2026-01-02T03:04:05Z',
    })
  })

  it('keeps attributes that are there', () => {
    const event = {
      id: 'a',
      source: 's',
      type: 't',
      specversion: '1.0',
      time: 'then',
      traceparent: '00-own',
      datacontenttype: 'x/y',
      data: 1,
    }
    const result = JSON.parse(
      text(complete(Buffer.from(JSON.stringify(event)), { ...context, traceparent: '00-c' })),
    ) as object
    expect(result).toEqual({ ...event, traceid: '00-own', topic: 'orders', pubsubname: 'bus' })
  })

  it.each(['', 'no', '[]', '"a"', '{"a":}', '{"a":1} x', '{"data":{"b":nope}}'])('refuses %j', (event) => {
    expect(() => complete(Buffer.from(event), context)).toThrow(SyntaxError)
  })
})

describe('wrapRaw', () => {
  it('puts bytes in base64 and takes attributes that are known', () => {
    const result = wrapRaw(Buffer.from('hi'), { type: 't', topic: 'not this one' }, context)
    expect(JSON.parse(text(result))).toEqual({
      id: 'id-1',
      specversion: '1.0',
      source: 'Dapr',
      type: 't',
      datacontenttype: 'application/octet-stream',
      topic: 'orders',
      pubsubname: 'bus',
      data_base64: 'aGk=',
    })
  })
})

describe('scanObject', () => {
  it('finds members without reading values, the last of a name', () => {
    const bytes = Buffer.from(
      ' { "a" : {"x":"}\\"{"} ,"b":[1,[2,"]"]], "\\u0063":"d\\\\" ,"n":-1.5e+3, "a" : true }\n',
    )
    const members = scanObject(bytes)!
    const value = (name: string): string => textOf(bytes, members.get(name)!.start, members.get(name)!.end)
    expect([...members.keys()]).toEqual(['a', 'b', 'c', 'n'])
    expect([value('a'), value('b'), value('c'), value('n')]).toEqual([
      'true',
      '[1,[2,"]"]]',
      '"d\\\\"',
      '-1.5e+3',
    ])
    expect(scanObject(Buffer.from(' {} '))?.size).toBe(0)
  })

  it.each([
    '',
    '{',
    '{"a"}',
    '{"a":1',
    '{"a":1,}',
    '{"a":01}',
    '{"a":tru}',
    '{a:1}',
    '{"a":"b}',
    '{"a":[1}',
    '{} {}',
    '{"\\x":1}',
    'null',
  ])('refuses %j', (json) => {
    expect(scanObject(Buffer.from(json))).toBeUndefined()
  })
})

describe('DeliveredEvent', () => {
  it('reads attributes and knows when it has expired', () => {
    const event = DeliveredEvent.read(Buffer.from('{"id":"é","n":1,"expiration":"2026-01-01T00:00:00Z"}'))!
    expect(event.text('id')).toBe('é')
    expect(event.text('n')).toBeUndefined()
    expect(event.text('constructor')).toBeUndefined()
    expect(event.expired(Date.UTC(2026, 0, 1))).toBe(false)
    expect(event.expired(Date.UTC(2026, 0, 1) + 1)).toBe(true)
    expect(DeliveredEvent.read(Buffer.from('{"expiration":"soon"}'))!.expired(9e15)).toBe(false)
  })
})
