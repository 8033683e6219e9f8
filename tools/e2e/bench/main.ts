// npm run bench -- NAME [--rounds N] [--requests N] [--connections N] [--json FILE] [--check]
import { readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Benchmark, Settings } from './harness/benchmark.ts'
import { renderReport, type Report } from './harness/report.ts'

const folder = join(import.meta.dirname, 'suites')
const names = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    requests: { type: 'string' },
    connections: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const name = positionals[0]
if (values.help || name === undefined || !names.includes(name)) {
  process.stdout.write(
    `npm run bench -- NAME [--rounds N] [--requests N] [--connections N] [--json FILE] [--check]\n\nNAME is one of: ${names.join(', ')}\n`,
  )
  process.exit(values.help ? 0 : 1)
}

const { default: benchmark } = (await import(join(folder, `${name}.ts`))) as { default: Benchmark }
const settings: Settings = {
  rounds: Number(values.rounds ?? benchmark.defaults.rounds),
  requests: Number(values.requests ?? benchmark.defaults.requests),
  connections: Number(values.connections ?? benchmark.defaults.connections),
  progress: (text) => process.stderr.write(`${text}\n`),
}
const report: Report = {
  benchmark: name,
  at: new Date().toISOString(),
  node: process.version,
  settings,
  ...(await benchmark.run(settings)),
}
process.stdout.write(renderReport(report))

const file = resolve(values.json ?? `.cache/bench/${name}.json`)
await mkdir(dirname(file), { recursive: true })
await writeFile(file, `${JSON.stringify(report, null, 2)}\n`)
process.stdout.write(`\nwritten to ${file}\n`)

const missed = report.targets.filter((target) => !target.met)
if (values.check && missed.length > 0) process.exit(1)
