// npm test: builds what is stale, runs every test of the workspace (or the given files) once, prints the totals.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildAll } from './src/build.ts'
import { node, root, run } from './src/run.ts'
import { totalsLine, type Totals } from './src/totals.ts'

const built = await buildAll({ quiet: true })

const file = join(root, '.cache', `test-totals.${process.pid}.json`)
mkdirSync(join(root, '.cache'), { recursive: true })
const reporters = ['default', './tools/workspace/src/totals.ts'].map((name) => `--reporter=${name}`)
const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...process.argv.slice(2)]
const ended = await run(node, vitest, { env: { ...process.env, OUTRIGGER_TOTALS_FILE: file } })

const totals: Totals = existsSync(file)
  ? (JSON.parse(readFileSync(file, 'utf8')) as Totals)
  : { passed: 0, failed: 1, skipped: [] }
rmSync(file, { force: true })

for (const { name, reason } of totals.skipped) process.stdout.write(`skipped: ${name} (${reason})\n`)
if (built.code !== 0) process.stdout.write('failed: the build, see above\n')
const failedElsewhere = built.code !== 0 || (ended.code !== 0 && totals.failed === 0) ? 1 : 0
const all = { ...totals, failed: totals.failed + failedElsewhere }
process.stdout.write(`${totalsLine(all)}\n`)
process.exitCode = all.failed === 0 ? 0 : 1
