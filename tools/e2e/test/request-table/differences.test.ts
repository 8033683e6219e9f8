import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { rawRows } from './raw-rows.ts'
import { rows, stateRows } from './rows.ts'

test('every known difference is explained in docs/compatibility.md', async () => {
  const page = await readFile(new URL('../../../../docs/compatibility.md', import.meta.url), 'utf8')
  const reasons = [...rows, ...stateRows('memory', '')].flatMap(({ differs }) => differs?.because ?? [])
  const raw = rawRows.flatMap(({ differs }) => differs ?? [])
  for (const reason of [...reasons, ...raw]) expect(page).toContain(`| ${reason}`)
})
