// npm run bench -- NAME [--rounds N] [--requests N] [--connections N] [--only PARTS] [--json FILE] [--check]
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
    only: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const name = positionals[0]
if (values.help || name === undefined || !names.includes(name)) {
  process.stdout.write(
    `npm run bench -- NAME [--rounds N] [--requests N] [--connections N] [--only PARTS] [--json FILE] [--check]

NAME is one of: ${names.join(', ')}
PARTS of NAME, separated by commas: it names them when it is given others
--check ends with 1 when a target is missed or was left out
`,
  )
  process.exit(values.help ? 0 : 1)
}

const { default: benchmark } = (await import(join(folder, `${name}.ts`))) as { default: Benchmark }
const only = values.only?.split(',')
const unknown = only?.find((part) => !(benchmark.parts ?? []).includes(part))
if (unknown !== undefined) {
  process.stderr.write(
    benchmark.parts === undefined
      ? `${name} has no parts: leave --only out\n`
      : `${name} has no part "${unknown}"; it has ${benchmark.parts.join(', ')}\n`,
  )
  process.exit(1)
}
const startedAt = performance.now()
const settings: Settings = {
  ...(only === undefined ? {} : { only }),
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
const minutes = (performance.now() - startedAt) / 60_000
process.stdout.write(`\nwritten to ${file} after ${minutes.toFixed(1)} minutes\n`)

const missed = report.targets.filter((target) => !target.met)
if (values.check && missed.length + (report.omitted?.length ?? 0) > 0) process.exit(1)
