import { mapConcurrently, utf8 } from '@outrigger/kit'
import { expect } from 'vitest'
import { everyByte, expectBytes, mebibyte, plain } from '../checks.ts'
import { binary, deleteOf, getOf, json, setOf, textOf, type StateCase, type StateFixture } from './options.ts'

const texts: readonly (readonly [what: string, text: string])[] = [
  ['a number beyond 2^53', '12345678901234567890'],
  ['a number with zeros', '1.10'],
  ['JSON with spaces and a repeated name', '{ "a" : 1,\n "a":2, "b" : 1e2 }'],
  ['a text that holds JSON', '"{\\"a\\":\\"b\\"}"'],
  ['unicode, raw and escaped', '{"ключ":"鍵 🔑 \\u00e9 é"}'],
  ['null', 'null'],
  ['an empty text', '""'],
]

async function roundTrip(fixture: StateFixture, value: ReturnType<typeof json>): Promise<void> {
  const store = fixture.instance
  const key = fixture.unique()
  const sent = value.bytes.slice()
  await store.set(setOf(key, value), plain)
  const item = await store.get(getOf(key), plain)
  expectBytes(item?.value.bytes, sent)
  const keeps = fixture.options.keeps ?? ['kind']
  if (keeps.includes('kind')) expect(item?.value.kind).toBe(value.kind)
  if (keeps.includes('contentType')) expect(item?.value.contentType).toBe(value.contentType)
}

export const valueCases: readonly StateCase[] = [
  ...texts.map(([what, text]): StateCase => ({
    name: `bytes come back as they were: ${what}`,
    run: (fixture) => roundTrip(fixture, json(text)),
  })),
  {
    name: 'bytes come back as they were: nothing at all',
    run: (fixture) => roundTrip(fixture, binary(new Uint8Array())),
  },
  {
    name: 'bytes come back as they were: every byte, with NULs',
    run: (fixture) => roundTrip(fixture, binary(everyByte())),
  },
  {
    name: 'bytes come back as they were: binary that looks like JSON',
    run: (fixture) => roundTrip(fixture, binary(utf8('{"a": 1.0}'))),
  },
  {
    name: 'bytes come back as they were: 1 MiB',
    run: (fixture) => roundTrip(fixture, binary(mebibyte())),
  },
  {
    name: 'a view into a larger buffer is stored as what it shows',
    run: (fixture) => roundTrip(fixture, binary(utf8('xx{"a":1}xx').subarray(2, 9))),
  },
  {
    name: 'what is absent is undefined',
    run: async (fixture) => {
      expect(await fixture.instance.get(getOf(fixture.unique()), plain)).toBeUndefined()
    },
  },
  {
    name: 'a second write replaces the first',
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '{"long":"value"}'), plain)
      await fixture.instance.set(setOf(key, '2'), plain)
      expect(await textOf(fixture.instance, key)).toBe('2')
    },
  },
  {
    name: 'what is deleted is absent, and its neighbours stay',
    run: async (fixture) => {
      const [key, neighbour] = [fixture.unique(), fixture.unique()]
      await fixture.instance.set(setOf(key, '1'), plain)
      await fixture.instance.set(setOf(neighbour, '2'), plain)
      await fixture.instance.delete(deleteOf(key), plain)
      expect(await textOf(fixture.instance, key)).toBeUndefined()
      expect(await textOf(fixture.instance, neighbour)).toBe('2')
    },
  },
  {
    name: 'deleting what is absent is no error',
    run: async (fixture) => {
      await fixture.instance.delete(deleteOf(fixture.unique()), plain)
    },
  },
  {
    name: 'keys with odd characters are kept apart',
    run: async (fixture) => {
      const base = fixture.unique()
      const odd = [
        '||',
        '||a||b',
        '/',
        '/a',
        '%',
        '%25',
        '_',
        '.',
        ':',
        '*',
        '?',
        '\\',
        "'",
        '"',
        ' ',
        '  ',
        '{a}',
        '[a]',
        'é',
        '鍵',
        '🔑',
      ]
      const keys = [base, base.toUpperCase(), ...odd.map((part) => base + part)]
      await mapConcurrently(keys, 8, (key, index) => fixture.instance.set(setOf(key, `${index}`), plain))
      const found = await mapConcurrently(keys, 8, (key) => textOf(fixture.instance, key))
      expect(Object.fromEntries(keys.map((key, index) => [key, found[index]]))).toEqual(
        Object.fromEntries(keys.map((key, index) => [key, `${index}`])),
      )
    },
  },
  {
    name: 'long keys differ in their last character',
    run: async (fixture) => {
      const length = fixture.options.maxKeyLength ?? 500
      const base = fixture.unique().padEnd(length - 1, 'x')
      await fixture.instance.set(setOf(`${base}1`, '1'), plain)
      await fixture.instance.set(setOf(`${base}2`, '2'), plain)
      expect(await textOf(fixture.instance, `${base}1`)).toBe('1')
      expect(await textOf(fixture.instance, `${base}2`)).toBe('2')
    },
  },
  {
    name: 'a second instance on the same resources can be created while the first works',
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      const second = await fixture.create()
      await second.set(setOf(fixture.unique(), '2'), plain)
      await second.close()
      expect(await textOf(fixture.instance, key)).toBe('1')
    },
  },
  {
    name: '300 operations at once each get their own answer',
    run: async (fixture) => {
      const keys = Array.from({ length: 100 }, () => fixture.unique())
      await Promise.all(keys.map((key) => fixture.instance.set(setOf(key, JSON.stringify(key)), plain)))
      const found = await Promise.all(keys.map((key) => textOf(fixture.instance, key)))
      expect(found).toEqual(keys.map((key) => JSON.stringify(key)))
      await Promise.all(keys.map((key) => fixture.instance.delete(deleteOf(key), plain)))
      expect(await textOf(fixture.instance, keys[99]!)).toBeUndefined()
    },
  },
]
