import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { earlyForms, readCompat } from './compat.ts'

it.each([
  ['dapr', []],
  ['', []],
  ['early', Object.keys(earlyForms)],
  ['early-publish', ['early-publish']],
  ['early-publish, early-retries', ['early-publish', 'early-retries']],
  ['dapr,early-bindings', ['early-bindings']],
])('--compat=%s switches on %j', (text, expected) => {
  const errors: string[] = []
  expect([...readCompat(text, errors)]).toEqual(expected)
  expect(errors).toEqual([])
})

it('names what is none of them', () => {
  const errors: string[] = []
  readCompat('early-publsh,constructor', errors)
  expect(errors).toEqual([
    expect.stringContaining('--compat=early-publsh must be dapr, early, or of early-publish'),
    expect.stringContaining('--compat=constructor'),
  ])
})

it('every form is in docs/compatibility.md', async () => {
  const page = await readFile(new URL('../../../../docs/compatibility.md', import.meta.url), 'utf8')
  for (const name of Object.keys(earlyForms)) expect(page).toContain(`| \`${name}\` |`)
})
