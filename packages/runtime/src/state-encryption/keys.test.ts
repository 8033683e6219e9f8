import { expect, test } from 'vitest'
import type { MetadataItem } from '../resources/model.ts'
import { encryptionKeys } from './keys.ts'

const key128 = '00112233445566778899aabbccddeeff'
const key256 = key128 + key128

type Field = { readonly value: string; readonly secret?: string }

function component(fields: Readonly<Record<string, Field>>) {
  const metadata = Object.entries(fields).map(([name, { value, secret }], index): MetadataItem => ({
    name,
    line: 10 + index,
    ...(secret === undefined ? { value } : { secretKeyRef: { name: secret, key: secret } }),
  }))
  const resource = { name: 'orders', type: 'state.redis', source: { file: 'state.yaml', line: 1 }, metadata }
  const properties = Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]))
  return { resource, properties } as unknown as Parameters<typeof encryptionKeys>[0]
}

function problem(fields: Readonly<Record<string, Field>>): string {
  try {
    encryptionKeys(component(fields))
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it was accepted')
}

test.each([32, 48, 64])('%i hexadecimal digits are a key, under the name of its secret', (digits) => {
  const value = key256.slice(0, digits)
  const keys = encryptionKeys(component({ PrimaryEncryptionKey: { value, secret: 'new' } }))
  expect(keys).toMatchObject({ primary: { name: 'new' }, secondary: undefined })
  expect(Buffer.from(keys!.primary.bytes).toString('hex')).toBe(value)
})

test('a store without keys is not encrypted', () => {
  expect(encryptionKeys(component({ redisHost: { value: 'localhost' } }))).toBeUndefined()
})

test.each(['', 'a', key128.slice(1), `${key128}00`, `${key128.slice(1)}g`, `${key256}${key128}`])(
  'the key %j is refused, and not shown',
  (value) => {
    const text = problem({ primaryEncryptionKey: { value, secret: 'new' } })
    expect(text).toMatch(
      /^state\.yaml:10: Component "orders" \(state\.redis\): primaryEncryptionKey must be an AES key of 128, 192 or 256 bits/,
    )
    if (value.length > 2) expect(text).not.toContain(value)
  },
)

test('a key that is written out is refused, and not shown', () => {
  const text = problem({ primaryEncryptionKey: { value: key128 } })
  expect(text).toContain('primaryEncryptionKey must be a secretKeyRef')
  expect(text).not.toContain(key128)
})

test('both keys are complained of at once', () => {
  const bad = { value: 'x', secret: 's' }
  expect(problem({ primaryEncryptionKey: bad, secondaryEncryptionKey: bad }).split('\n')).toHaveLength(2)
})

test('a secondary key alone is refused', () => {
  expect(problem({ secondaryEncryptionKey: { value: key128, secret: 'old' } })).toContain(
    'secondaryEncryptionKey needs a primaryEncryptionKey',
  )
})

test('two keys of one secret are refused, unless they are the same', () => {
  const primaryEncryptionKey = { value: key128, secret: 'keys' }
  expect(
    problem({ primaryEncryptionKey, secondaryEncryptionKey: { value: key256, secret: 'keys' } }),
  ).toContain('different keys of one secret "keys"')
  const twice = encryptionKeys(
    component({ primaryEncryptionKey, secondaryEncryptionKey: primaryEncryptionKey }),
  )
  expect(twice?.secondary?.name).toBe('keys')
})
