import { expect, test } from 'vitest'
import { rawElements, rawMember } from './raw-json.ts'

function member(text: string, name: string): string | undefined {
  JSON.parse(text)
  const span = rawMember(text, name)
  return span === undefined ? undefined : text.slice(span.start, span.end)
}

test.each([
  ['{"value":12345678901234567890}', '12345678901234567890'],
  ['{"value": 1.0 }', '1.0'],
  ['{"value":1e3,"x":1}', '1e3'],
  ['{"a":{"value":1},"value":{"b":[1,"}",{"c":"]"}]}}', '{"b":[1,"}",{"c":"]"}]}'],
  ['{"value":"a\\"b\\\\"}', '"a\\"b\\\\"'],
  ['{"a":"\\\\","value":true}', 'true'],
  ['{"value":1,"value":2}', '2'],
  ['{"v\\u0061lue":null}', 'null'],
  ['\n{\t"value"\r:\n[ ]\n}', '[ ]'],
  ['{"VALUE":1,"Value":2.0}', '2.0'],
  ['{"Value":1,"value":2,"other":3}', '2'],
  ['{"value":1,"\\u0056ALUE":2}', '2'],
  ['{"valuE ":1}', undefined],
  ['{"values":1}', undefined],
  ['{}', undefined],
  ['[]', undefined],
  ['"value"', undefined],
])('the value of %s is %s', (text, value) => expect(member(text, 'value')).toBe(value))

test.each([
  ['[]', []],
  [' [ 1 , "a,]" , {"a":[1,2]} , [ ] ]', ['1', '"a,]"', '{"a":[1,2]}', '[ ]']],
  ['{"a":1}', []],
])('the elements of %s', (text, elements) => {
  const starts = rawElements(text)
  expect(starts.length).toBe(elements.length)
  starts.forEach((start, index) => expect(text.startsWith(elements[index]!, start)).toBe(true))
})

test('what was found parses to what JSON.parse finds, for random documents', () => {
  let seed = 7
  const random = (n: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n
  const value = (depth: number): unknown => {
    const kind = random(depth > 3 ? 5 : 7)
    if (kind === 0) return random(1e6) / 7
    if (kind === 1) return ['"', '\\', '}{', ',', '[]', 'é\n', ''][random(7)]
    if (kind === 2) return random(2) === 0
    if (kind === 3) return null
    if (kind === 4) return -1 - random(100)
    if (kind === 5) return Array.from({ length: random(4) }, () => value(depth + 1))
    return Object.fromEntries(Array.from({ length: random(4) }, (_, i) => [`k"${i}\\`, value(depth + 1)]))
  }
  for (let i = 0; i < 500; i++) {
    const document = { before: value(0), value: value(0), after: value(0) }
    const text = JSON.stringify(document, null, random(3))
    expect(JSON.parse(member(text, 'value')!)).toEqual(document.value)
    const list = JSON.stringify([value(0), value(0)], null, random(3))
    expect(rawElements(list).length).toBe(2)
  }
})
