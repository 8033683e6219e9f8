import { expect, test } from 'vitest'
import { membersOf, namesOf, type Members } from './members.ts'

const names = namesOf('key', 'contentType')
const read = (text: string): Members => membersOf(JSON.parse(text) as Members, names)

test.each([
  ['{"key":1,"contentType":2}', { key: 1, contentType: 2 }],
  ['{"Key":1,"CONTENTTYPE":2}', { key: 1, contentType: 2 }],
  ['{"key":1,"KEY":2}', { key: 2 }],
  ['{"KEY":2,"key":1}', { key: 1 }],
  ['{"\\u212aey":1}', { key: 1 }],
  ['{"key":1,"other":2}', { key: 1 }],
  ['{"keys":1,"ke":2,"content_type":3}', {}],
  ['{"__proto__":{"key":1},"KEY":2}', { key: 2 }],
  ['{"__proto__":{"key":1}}', {}],
  ['{"toString":1,"constructor":2}', {}],
  ['{}', {}],
])('%s', (text, members) => {
  expect({ ...read(text) }).toEqual(members)
  expect(read(text)['key']).toBe((members as Members)['key'])
})

test('what is written as documented is not copied', () => {
  const object = { contentType: 1 }
  expect(membersOf(object, names)).toBe(object)
})
