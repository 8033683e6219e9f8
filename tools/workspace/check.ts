// npm run check: everything that must hold besides the tests. `npm run check -- lint shape` runs some.
import { changesets } from './src/checks/changesets.ts'
import { generated } from './src/checks/generated.ts'
import { imports } from './src/checks/imports.ts'
import { boundaries, format, lint } from './src/checks/lint.ts'
import { references } from './src/checks/references.ts'
import { shape } from './src/checks/shape.ts'
import { types } from './src/checks/types.ts'
import { printFindings } from './src/report.ts'
import { root } from './src/run.ts'
import { readWorkspace } from './src/workspace.ts'

const checks = [format, lint, types, boundaries, imports, shape, references, generated, changesets]
const wanted = process.argv.slice(2)
const workspace = readWorkspace(root)
let failed = 0
for (const check of checks) {
  if (wanted.length > 0 && !wanted.some((word) => check.name.includes(word))) continue
  const began = performance.now()
  const findings = await check.run(workspace)
  const ms = Math.round(performance.now() - began)
  process.stdout.write(`${findings.length === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${ms} ms)\n`)
  printFindings(findings)
  failed += findings.length
}
process.stdout.write(failed === 0 ? 'All checks passed.\n' : `${failed} findings.\n`)
process.exitCode = failed === 0 ? 0 : 1
