import { describe, expect, it } from 'vitest'
import { Fields, isWireError, WireError } from './index.ts'
import { parseOrigin } from './origin.ts'

describe('Fields', () => {
  const received = () => new Fields(['Host', 'a', 'X-Twice', '1', 'x-twice', '2', 'X-THREE', ''])

  it('finds values whatever the case of the wire', () => {
    const fields = received()
    expect(fields.get('host')).toBe('a')
    expect(fields.get('x-twice')).toBe('1')
    expect(fields.getAll('x-twice')).toEqual(['1', '2'])
    expect(fields.get('x-three')).toBe('')
    expect(fields.has('x-three')).toBe(true)
    expect(fields.get('x-other')).toBeUndefined()
    expect(fields.getAll('hos')).toEqual([])
    expect(fields.size).toBe(4)
  })

  it('takes no value for a name', () => {
    const fields = new Fields(['a', 'host', 'host', 'b'])
    expect(fields.get('host')).toBe('b')
    expect(fields.get('b')).toBeUndefined()
  })

  it('iterates with lower-cased names in order', () => {
    expect([...received()]).toEqual([
      ['host', 'a'],
      ['x-twice', '1'],
      ['x-twice', '2'],
      ['x-three', ''],
    ])
  })

  it('can be changed', () => {
    const fields = received().append('x-twice', '3').set('host', 'b')
    expect(fields.getAll('x-twice')).toEqual(['1', '2', '3'])
    expect(fields.getAll('host')).toEqual(['b'])
    expect(fields.delete('x-twice')).toBe(true)
    expect(fields.delete('x-twice')).toBe(false)
    expect([...fields]).toEqual([
      ['x-three', ''],
      ['host', 'b'],
    ])
  })

  it.each([
    ['a flat array', ['a', '1', 'b', '2']],
    [
      'pairs',
      [
        ['a', '1'],
        ['b', '2'],
      ] as const,
    ],
    ['an object', { a: '1', b: '2' }],
    [
      'a map',
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    ],
    ['fields', new Fields(['a', '1', 'b', '2'])],
  ])('are made from %s without sharing it', (_, init) => {
    const fields = Fields.from(init)
    expect(fields.flat()).toEqual(['a', '1', 'b', '2'])
    expect(fields.flat()).not.toBe(init instanceof Fields ? init.flat() : init)
  })

  it('measures itself', () => {
    expect(new Fields(['ab', 'c', 'd', '']).byteLength()).toBe(4)
  })

  it('refuses a name without value', () => {
    expect(() => new Fields(['a'])).toThrow(WireError)
  })
})

describe('isWireError', () => {
  it('goes by the brand and the code', () => {
    const error = new WireError('TOO_LARGE', 'x', { limit: 3 })
    expect(isWireError(error)).toBe(true)
    expect(isWireError(error, 'TOO_LARGE')).toBe(true)
    expect(isWireError(error, 'RESET')).toBe(false)
    expect(isWireError({ [Symbol.for('outrigger.wire.error')]: true, code: 'RESET' }, 'RESET')).toBe(true)
    expect(isWireError(new Error('x'))).toBe(false)
    expect(isWireError(null)).toBe(false)
    expect(error.limit).toBe(3)
    expect(error.sent).toBe(false)
  })
})

describe('parseOrigin', () => {
  it.each([
    ['http://a', { secure: false, authority: 'a', options: { host: 'a', port: 80 } }],
    ['http://a:80', { secure: false, authority: 'a', options: { host: 'a', port: 80 } }],
    ['http://a:81/', { secure: false, authority: 'a:81', options: { host: 'a', port: 81 } }],
    ['https://a', { secure: true, authority: 'a', options: { host: 'a', port: 443 } }],
    ['http://[::1]:5', { secure: false, authority: '[::1]:5', options: { host: '::1', port: 5 } }],
    ['unix:/a/b', { secure: false, authority: 'localhost', options: { socketPath: '/a/b' } }],
  ])('%s', (text, origin) => {
    expect(parseOrigin(text)).toEqual(origin)
  })

  it.each(['', 'a', 'a:80', 'ftp://a', 'http://', 'http://a/b', 'http://a?b', 'http://u:p@a', 'unix:'])(
    'refuses %j',
    (text) => {
      expect(() => parseOrigin(text)).toThrow(WireError)
    },
  )
})
