import { expect, test } from 'vitest'
import { root } from '../run.ts'
import { protoFiles, withoutEnums } from './proto.ts'

const generated = `/**
 * @generated from enum a.Color
 */
export enum Color {
  /**
   * Not {said}.
   *
   * @generated from enum value: UNKNOWN = 0;
   */
  UNKNOWN = 0,

  NEGATIVE = -2,
}

export const ColorSchema = 1
`

test('an enum becomes an object and a type', () => {
  const text = withoutEnums(generated.replace('{said}', 'said'))
  expect(text).toContain('export const Color = {\n')
  expect(text).toContain('\n  UNKNOWN: 0,\n\n  NEGATIVE: -2,\n} as const;\n')
  expect(text).toContain(
    'export type Color = (typeof Color)[keyof typeof Color];\n\nexport const ColorSchema',
  )
  expect(text).not.toContain('export enum')
})

test('a brace in a comment does not end an enum', () => {
  expect(withoutEnums(generated)).not.toContain('export enum')
})

test('nothing is generated where there is nothing to generate from', async () => {
  expect(await protoFiles({ root: import.meta.dirname, packages: [] })).toEqual([])
})

test('no enum is left in what is generated here', async () => {
  const files = await protoFiles({ root, packages: [] })
  expect(files.length).toBeGreaterThan(30)
  expect(files.filter(({ content }) => /^export enum/m.test(content))).toEqual([])
})
