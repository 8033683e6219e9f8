import { expect, test } from 'vitest'
import { upper, upperCased } from './text.ts'

test.each([
  ['abc 1-ä', 'ABC 1-Ä'],
  ['straße', 'STRAßE'],
  ['ŉ ǆ ﬁ', 'ŉ Ǆ ﬁ'],
  ['𐐨', '𐐀'],
  ['ı i', 'I I'],
  ['', ''],
])('%s becomes %s', (text, capital) => expect(upper(text)).toBe(capital))

async function through(chunks: readonly Uint8Array[]): Promise<string[]> {
  const found: string[] = []
  const source = (async function* () {
    yield* chunks
  })()
  for await (const chunk of upperCased(source)) found.push(Buffer.from(chunk).toString())
  return found
}

test('a letter that is cut in two comes with the chunk in which it ends', async () => {
  const bytes = Buffer.from('aé€')
  expect(await through([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['A', 'É', '€'])
})

test('what is no UTF-8, and a letter that never ends, become the sign for it', async () => {
  expect(await through([Uint8Array.of(0x61, 0xff, 0x62)])).toEqual(['A\u{fffd}B'])
  expect(await through([Uint8Array.of(0x61, 0xc3)])).toEqual(['A', '\u{fffd}'])
})

test('a byte order mark stays', async () => {
  expect(await through([Buffer.from('\u{feff}a')])).toEqual(['\u{feff}A'])
})
