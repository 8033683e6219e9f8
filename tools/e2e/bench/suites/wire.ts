import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Benchmark, Settings } from '../harness/benchmark.ts'
import { Contender } from '../harness/process.ts'
import { atLeast, joined, median, type Results } from '../harness/report.ts'
import { interleave, type Entry } from '../harness/rounds.ts'
import { grpcResults } from '../wire/grpc.ts'
import { proxyResults } from '../wire/proxy.ts'
import { streamingResults } from '../wire/streaming.ts'

const program = join(import.meta.dirname, '../servers/http1.ts')
const kinds = ['node', 'wire'] as const
type Kind = (typeof kinds)[number]
const names: Readonly<Record<Kind, string>> = { node: 'tuned node:http', wire: 'outrigger' }
const startRounds = 5

const half = (settings: Settings): Settings => ({ ...settings, requests: Math.ceil(settings.requests / 2) })
const parts: Readonly<Record<string, (settings: Settings) => Promise<Results>>> = {
  http1: http1Results,
  // grpc-js takes several times as long for a call as anything else here for a request.
  grpc: (settings) => grpcResults(half(settings)),
  proxy: (settings) => proxyResults(half(settings)),
  streaming: streamingResults,
}

/** Everything that wire speaks, in one run against what else speaks it. */
const benchmark: Benchmark = {
  parts: Object.keys(parts),
  defaults: { rounds: 9, requests: 40_000, connections: 16 },
  async run(settings) {
    const results: Results[] = []
    for (const [name, run] of Object.entries(parts))
      if (settings.only?.includes(name) ?? true) results.push(await run(settings))
    return joined(results)
  },
}
export default benchmark

/** The HTTP/1.1 server against a tuned node:http that gives the same answers. */
async function http1Results(settings: Settings): Promise<Results> {
  const servers: Contender[] = []
  try {
    const entries: Entry[] = []
    for (const kind of kinds) {
      const server = await start(kind)
      servers.push(server)
      for (const [name, request] of Object.entries(requests)) {
        const reference = kind === 'node' ? {} : { reference: names.node }
        entries.push({ case: name, contender: names[kind], ...reference, server, request, expect: 200 })
      }
    }
    const rows = await interleave(entries, settings)
    const ratios = rows.filter((row) => row.throughputRatio !== undefined)
    return {
      rows,
      figures: await idleFigures(settings),
      targets: ratios.map((row) =>
        atLeast(`HTTP/1.1 ${row.case}: requests a second over tuned node:http`, row.throughputRatio!, 1.2),
      ),
    }
  } finally {
    for (const server of servers) await server.stop()
  }
}

/** Every request has a trace header of its own: what repeats gains nothing that a real one would not have. */
const requests: Readonly<Record<string, (index: number) => string>> = {
  'GET small': (index) => `GET /v1.0/state/store/k${index % 100} HTTP/1.1\r\n${head(index)}\r\n`,
  'POST small, bytes()': (index) => {
    const body = JSON.stringify([
      { key: `k${index % 100}`, value: { number: index % 100, text: 'a small value' } },
    ])
    return `POST /v1.0/state/store HTTP/1.1\r\n${head(index)}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  },
}

function head(index: number): string {
  const id = (index + 1).toString(16)
  return `host: 127.0.0.1:3500\r\naccept: */*\r\nuser-agent: bench\r\ntraceparent: 00-${id.padStart(32, '0')}-${id.padStart(16, '0')}-01\r\n`
}

function start(kind: Kind): Promise<Contender> {
  return Contender.start((port) => [program, kind, String(port)], '/')
}

/** The least that serves, as plain JavaScript: reading TypeScript would cost more than what is measured. */
function startBare(kind: Kind): Promise<Contender> {
  const built = pathToFileURL(join(import.meta.dirname, '../../../../packages/wire/dist/index.js'))
  return Contender.start((port) => {
    const code =
      kind === 'wire'
        ? `import { createServer } from '${built}'
           await createServer({}, (request, response) => response.send(204)).listen({ host: '127.0.0.1', port: ${port} })`
        : `import { createServer } from 'node:http'
           createServer((request, response) => response.writeHead(204).end()).listen(${port}, '127.0.0.1')`
    return ['--input-type=module', '--eval', code]
  }, '/')
}

/** What a process costs that has started, answered once and now waits. */
async function idleFigures(settings: Settings): Promise<Results['figures']> {
  const samples = kinds.map((kind) => ({ kind, rss: [] as number[], cpu: [] as number[] }))
  for (let round = 1; round <= startRounds; round++) {
    settings.progress(`start ${round} of ${startRounds}`)
    for (const { kind, rss, cpu } of samples) {
      const server = await startBare(kind)
      await new Promise((resolve) => setTimeout(resolve, 500))
      rss.push(server.rssMiB())
      cpu.push(server.cpuSeconds() * 1000)
      await server.stop()
    }
  }
  return samples.flatMap(({ kind, rss, cpu }) => [
    { text: `${names[kind]}: resident memory of an idle process`, value: median(rss), unit: 'MiB' },
    { text: `${names[kind]}: CPU until then`, value: median(cpu), unit: 'ms' },
  ])
}
