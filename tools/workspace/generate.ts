// npm run generate: writes every generated file; with --check only says which are not up to date.
import { references, syncReferences } from './src/checks/references.ts'
import { staleFiles, write } from './src/generators/index.ts'
import { printFindings } from './src/report.ts'
import { root } from './src/run.ts'
import { readWorkspace } from './src/workspace.ts'
import { generated } from './src/checks/generated.ts'

const workspace = readWorkspace(root)
if (process.argv.includes('--check')) {
  const findings = [...(await references.run(workspace)), ...(await generated.run(workspace))]
  printFindings(findings)
  process.exitCode = findings.length === 0 ? 0 : 1
} else {
  for (const file of syncReferences(workspace)) process.stdout.write(`${file}\n`)
  const { stale, problems } = await staleFiles(workspace)
  for (const output of stale) {
    write(workspace, output)
    process.stdout.write(`${output.file}\n`)
  }
  printFindings(problems)
  process.exitCode = problems.length === 0 ? 0 : 1
}
