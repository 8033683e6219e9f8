import { describe, expect, test } from 'vitest'
import { elementsOf, membersOf } from './json-text.ts'

describe('values as they are written', () => {
  test.each([
    ['[]', []],
    [
      ' [ 1 , -2.50e10,"a,]\\"" ,\n[1,[2]], {"a":"}"},null,true ] ',
      ['1', '-2.50e10', '"a,]\\""', '[1,[2]]', '{"a":"}"}', 'null', 'true'],
    ],
    ['["\\\\","b"]', ['"\\\\"', '"b"']],
    ['{}', []],
  ])('the elements of %s', (text, elements) => {
    JSON.parse(text)
    expect(elementsOf(text)).toEqual(elements)
  })

  test.each([
    ['{}', {}],
    ['{"a" : 1.0 , "b":{"c":[1,"]"]},"d":"x"}', { a: '1.0', b: '{"c":[1,"]"]}', d: '"x"' }],
    ['{"\\u0061\\"":"{"}', { 'a"': '"{"' }],
    ['{"a":1,"a":2}', { a: '2' }],
    ['{"__proto__":1}', Object.fromEntries([['__proto__', '1']])],
    ['[1]', {}],
  ])('the members of %s', (text, members) => {
    JSON.parse(text)
    expect(Object.fromEntries(membersOf(text))).toEqual(members)
  })

  test('whatever JSON.stringify writes is found again', () => {
    const values = ['', '\\', '"', '\\"', ',]}', { 'a,": {': ['\\\\"', {}] }, [[]], -0.5, null, 'ü\u2028']
    expect(elementsOf(JSON.stringify(values, null, 3)).map((text) => JSON.parse(text) as unknown)).toEqual(
      values,
    )
    const object = Object.fromEntries(values.map((value, index) => [`${index}"\\`, value]))
    const found = Array.from(
      membersOf(JSON.stringify(object)),
      ([key, text]) => [key, JSON.parse(text)] as const,
    )
    expect(Object.fromEntries(found)).toEqual(object)
  })
})
