import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { rawRows } from './raw-rows.ts'
import { rows, stateRows } from './rows.ts'
import { errorGaps } from './surface.ts'

const all = [...rows, ...stateRows('memory', '')]

test('every known difference is explained in docs/compatibility.md', async () => {
  const page = await readFile(new URL('../../../../docs/compatibility.md', import.meta.url), 'utf8')
  const reasons = all.flatMap(({ differs }) => differs?.because ?? [])
  const raw = rawRows.flatMap(({ differs }) => differs ?? [])
  for (const reason of new Set([...reasons, ...raw]))
    expect(page.includes(`| ${reason}`) || page.includes(`- ${reason}`), reason).toBe(true)
})

test('every error of the error table is brought about by a row, or explained', () => {
  const seen = new Set([...all, ...rawRows].flatMap(({ fails }) => fails ?? []))
  expect(errorGaps(seen)).toEqual({ missing: [], needless: [] })
})
