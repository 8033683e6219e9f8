import { expect, it } from 'vitest'
import { isAtLeast, requireNode } from './guard.ts'

it.each([
  ['22.18.0', true],
  ['22.18.1', true],
  ['22.19.0', true],
  ['24.0.0', true],
  ['100.0.0', true],
  ['22.17.9', false],
  ['22.9.0', false],
  ['20.20.2', false],
  ['0.10.48', false],
  ['22.18.0-nightly', true],
])('%s is enough for 22.18.0: %s', (version, enough) => {
  expect(isAtLeast(version, '22.18.0')).toBe(enough)
})

it('lets this Node.js pass', () => {
  expect(requireNode('22.18.0', 'test')).toBe(true)
})
