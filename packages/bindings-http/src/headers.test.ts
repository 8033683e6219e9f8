import { describe, expect, test } from 'vitest'
import { canonicalName, forRedirect, requestHeaders, responseMetadata, tokenOf } from './headers.ts'

const json = 'application/json; charset=utf-8'
const withBody = { contentType: undefined, hasBody: true, token: undefined }
const withoutBody = { ...withBody, hasBody: false }

describe('requestHeaders', () => {
  test('has defaults', () => {
    const common = { Accept: json, 'User-Agent': 'Outrigger' }
    expect(Object.fromEntries(requestHeaders({}, withBody, {}))).toEqual({ ...common, 'Content-Type': json })
    expect(Object.fromEntries(requestHeaders({}, withoutBody, {}))).toEqual(common)
    expect(requestHeaders({}, { ...withBody, contentType: 'text/plain' }, {}).get('Content-Type')).toBe(
      'text/plain',
    )
  })

  test('takes metadata that begins with a capital letter, and no other', () => {
    const metadata = {
      'Content-type': 'text/csv',
      ACCEPT: '*/*',
      'X-request-ID': '7',
      path: '/p',
      'x-small': 'no',
      Empty: '',
    }
    const headers = requestHeaders(metadata, withBody, {})
    expect(headers.get('Content-Type')).toBe('text/csv')
    expect(headers.get('Accept')).toBe('*/*')
    expect(headers.get('X-Request-Id')).toBe('7')
    expect(headers.get('Empty')).toBe('')
    expect([...headers.keys()]).not.toEqual(expect.arrayContaining(['Path']))
    expect([...headers.keys()]).not.toEqual(expect.arrayContaining(['X-Small']))
  })

  test('keeps out what belongs to the connection', () => {
    const metadata = {
      Host: 'evil',
      'Content-Length': '5',
      'Transfer-Encoding': 'chunked',
      Connection: 'close',
      Expect: '100-continue',
    }
    expect([...requestHeaders(metadata, withoutBody, {}).keys()]).toEqual(['Accept', 'User-Agent'])
  })

  test('a header of the request wins over the token', () => {
    const token = tokenOf('X-Token', 't1')
    expect(requestHeaders({}, { ...withBody, token }, {}).get('X-Token')).toBe('t1')
    expect(requestHeaders({ 'X-Token': 'own' }, { ...withBody, token }, {}).get('X-Token')).toBe('own')
  })

  test('the trace context wins over metadata, and its small-letter metadata over headers', () => {
    const metadata = { Traceparent: 'header', traceparent: 'small', tracestate: 'state', baggage: '' }
    expect(requestHeaders(metadata, withoutBody, {}).get('Traceparent')).toBe('small')
    const headers = requestHeaders(metadata, withoutBody, { traceparent: 'live', baggage: 'k=v' })
    expect(headers.get('Traceparent')).toBe('live')
    expect(headers.get('Tracestate')).toBe('state')
    expect(headers.get('Baggage')).toBe('k=v')
    expect(requestHeaders({ baggage: '' }, withoutBody, {}).has('Baggage')).toBe(false)
  })

  test.each([{ 'X-A': 'hidden\r\nX-B: 1' }, { 'X A': 'hidden' }, { 'X-Ä': 'hidden' }])(
    'refuses %j and does not show its value',
    (metadata) => {
      let message = ''
      try {
        requestHeaders(metadata as Record<string, string>, withBody, {})
      } catch (error) {
        message = String(error)
      }
      expect(message).toContain('cannot be sent as a header')
      expect(message).not.toContain('hidden')
    },
  )
})

describe('tokenOf', () => {
  test.each([
    ['x-token', { header: 'X-Token', value: 't' }],
    ['Authorization: Bearer', { header: 'Authorization', value: 'Bearer t' }],
    [' Authorization:Token ', { header: 'Authorization', value: 'Token t' }],
  ])('reads %s', (header, expected) => {
    expect(tokenOf(header, 't')).toEqual(expected)
  })
  test.each([
    ['', 't'],
    ['no(header', 't'],
    ['X-Token', 'hid\nden'],
  ])('refuses %j', (header, token) => {
    expect(() => tokenOf(header, token)).toThrow(/securityToken/)
    expect(() => tokenOf(header, token)).not.toThrow(/hid/)
  })
})

test('canonicalName', () => {
  expect(['content-TYPE', 'x-Request-id', 'ETAG', 'www-authenticate', 'x--y'].map(canonicalName)).toEqual([
    'Content-Type',
    'X-Request-Id',
    'Etag',
    'Www-Authenticate',
    'X--Y',
  ])
})

test('responseMetadata joins repeated headers and is not fooled by names', () => {
  expect(
    responseMetadata(201, 'Created', [
      'content-type',
      'a',
      'X-M',
      '1',
      'x-m',
      '2',
      'status',
      'x',
      '__proto__',
      'y',
    ]),
  ).toEqual(
    Object.fromEntries([
      ['Content-Type', 'a'],
      ['X-M', '1, 2'],
      ['Status', 'x'],
      ['__proto__', 'y'],
      ['statusCode', '201'],
      ['status', '201 Created'],
    ]),
  )
  expect(responseMetadata(200, '', [])['status']).toBe('200')
})

test('forRedirect keeps credentials on the host and drops what described the body', () => {
  const token = tokenOf('X-Token', 't')
  const headers = new Map(
    ['Authorization', 'Cookie', 'X-Token', 'X-Other', 'Content-Type', 'Accept'].map((name) => [name, 'v']),
  )
  expect([...forRedirect(headers, false, true, token).keys()]).toEqual([...headers.keys()])
  expect([...forRedirect(headers, true, true, token).keys()]).toEqual(['X-Other', 'Content-Type', 'Accept'])
  expect([...forRedirect(headers, true, false, token).keys()]).toEqual(['X-Other', 'Accept'])
  expect(headers.size).toBe(6)
})
