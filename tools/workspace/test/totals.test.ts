import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { capture, node, root } from '../src/run.ts'
import { skipReason, totalsLine, type Totals } from '../src/totals.ts'

const folder = mkdtempSync(join(tmpdir(), 'outrigger-totals-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function totalsOf(files: Record<string, string>): Promise<Totals & { code: number | null }> {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const reporter = join(root, 'tools/workspace/src/totals.ts')
  const file = join(folder, 'totals.json')
  const args = [vitest, 'run', '--root', folder, '--globals', `--reporter=${reporter}`]
  const { code, stderr } = await capture(node, args, { env: { ...process.env, OUTRIGGER_TOTALS_FILE: file } })
  expect(existsSync(file), stderr).toBe(true)
  return { code, ...(JSON.parse(readFileSync(file, 'utf8')) as Totals) }
}

test('every outcome is counted, and what failed outside of a test as well', async () => {
  const { code, passed, failed, skipped } = await totalsOf({
    'a.test.js': `
      test('good', () => {})
      test('bad', () => { throw new Error('no') })
      test.skip('later', () => {})
      test('noted', (context) => context.skip('no licence'))
      describe.skip('store [skipped: no server]', () => { test('reads', () => {}) })`,
    'b.test.js': "import './gone.js'",
    'c.test.js': "beforeAll(() => { throw new Error('no') })\ntest('never', () => {})",
  })
  expect(code).toBe(1)
  expect(passed).toBe(1)
  expect(failed).toBeGreaterThanOrEqual(3)
  const reasons = Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]))
  expect(reasons).toMatchObject({
    'a.test.js > later': 'no reason given',
    'a.test.js > noted': 'no licence',
    'a.test.js > store > reads': 'no server',
  })
})

test('the last line', () => {
  expect(totalsLine({ passed: 3, failed: 0, skipped: [{ name: 'a', reason: 'b' }] })).toBe(
    '3 passed, 0 failed, 1 skipped',
  )
  expect(skipReason('a [skipped: x is missing (y)] b')).toBe('x is missing (y)')
})
