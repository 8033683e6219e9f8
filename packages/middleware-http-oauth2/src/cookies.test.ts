import { TestRequest } from '@outrigger/conformance'
import { expect, test } from 'vitest'
import { joined, readCookies, removeCookies, setCookies } from './cookies.ts'
import { Seal } from './seal.ts'

const fieldsOf = (...cookies: string[]) =>
  new TestRequest({ fields: cookies.map((cookie) => ['cookie', cookie] as const) }).fields

test('cookies are read, from several headers too', () => {
  expect([...readCookies(fieldsOf('a=1; b="2"; a=3; =x; y', 'c=4=5'))]).toEqual([
    ['a', '1'],
    ['b', '"2"'],
    ['c', '4=5'],
  ])
})

test('own cookies are taken out, the others stay', () => {
  const fields = fieldsOf('a=1; own.x=2', 'own=3; ownership=4')
  removeCookies(fields, 'own')
  expect(fields.getAll('cookie')).toEqual(['a=1; ownership=4'])
  removeCookies(fields, 'a')
  removeCookies(fields, 'ownership')
  expect(fields.has('cookie')).toBe(false)
})

test.each([1, 3499, 3500, 3501, 7000, 17_500])('a value of %i bytes comes back', (length) => {
  const value = 'x'.repeat(length)
  const set = setCookies('own', value, { secure: true, maxAgeSeconds: 5 })!
  for (const line of set) {
    expect(line.length).toBeLessThan(4096)
    expect(line).toMatch(/; Path=\/; Max-Age=5; HttpOnly; SameSite=Lax; Secure$/)
  }
  const cookies = readCookies(fieldsOf(...set.map((line) => line.split(';')[0]!)))
  expect(joined(cookies, 'own')).toBe(value)
  expect(joined(cookies, 'other')).toBeUndefined()
})

test('a value that is too long for cookies is none', () => {
  expect(setCookies('own', 'x'.repeat(17_501), { secure: false, maxAgeSeconds: 5 })).toBeUndefined()
})

test('what is sealed opens with its secret, context and purpose alone, and only unchanged', () => {
  const seal = new Seal('secret', 'a')
  const sealed = seal.seal('text é', 'session')
  expect(new Seal('secret', 'a').open(sealed, 'session')).toBe('text é')
  expect(seal.seal('text é', 'session')).not.toBe(sealed)
  expect(new Seal('other', 'a').open(sealed, 'session')).toBeUndefined()
  expect(new Seal('secret', 'b').open(sealed, 'session')).toBeUndefined()
  expect(seal.open(sealed, 'state')).toBeUndefined()
  for (let index = 0; index < sealed.length; index += 3) {
    const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1)
    expect(seal.open(changed, 'session')).toBeUndefined()
  }
  for (const nothing of ['', 'x', sealed.slice(0, 30)]) expect(seal.open(nothing, 'session')).toBeUndefined()
})
