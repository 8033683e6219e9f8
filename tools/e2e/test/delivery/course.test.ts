import { expect, test } from 'vitest'
import { backwards, overtaken } from './course.ts'

test('what comes first after a later one of its key was overtaken, whatever comes again', () => {
  expect(overtaken(['0-0', '1-0', '0-1', '0-0', '1-1', '0-2'])).toEqual([])
  expect(overtaken(['0-0', '0-2', '1-0', '0-1', '0-2', '0-1', '0-10', '0-9'])).toEqual(['0-1', '0-9'])
})

test('what comes after a later one of its key went backwards, also when it comes again', () => {
  expect(backwards(['0-0', '0-0', '1-0', '0-1', '1-0', '1-1'])).toEqual([])
  expect(backwards(['0-0', '0-1', '0-0', '1-5', '0-1', '1-4'])).toEqual(['0-0', '1-4'])
})
