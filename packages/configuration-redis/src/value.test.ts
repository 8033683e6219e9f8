import { expect, test } from 'vitest'
import { itemOf } from './value.ts'

test.each([
  ['10', { value: '10' }],
  ['10||v1', { value: '10', version: 'v1' }],
  ['10||', { value: '10' }],
  ['10||v1||x', { value: '10', version: 'v1' }],
  ['a|b', { value: 'a|b' }],
  ['a|||b', { value: 'a', version: '|b' }],
  ['', undefined],
  ['||v1', undefined],
])('%j', (text, item) => expect(itemOf(text)).toEqual(item))
