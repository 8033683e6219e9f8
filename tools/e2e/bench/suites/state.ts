import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, Settings } from '../harness/benchmark.ts'
import { Contender } from '../harness/process.ts'
import { atMost, median, type Results } from '../harness/report.ts'
import { interleave, type Entry } from '../harness/rounds.ts'

const root = join(import.meta.dirname, '../../../..')
const daprd = join(root, 'packages/runtime/dist/bin.js')
const bare = join(import.meta.dirname, '../servers/bare.ts')
const startRounds = 5

/** GET and POST of state through the sidecar, against a bare node:http server that does the same work. */
const benchmark: Benchmark = {
  defaults: { rounds: 7, requests: 20_000, connections: 16 },
  async run(settings) {
    const folder = await mkdtemp(join(tmpdir(), 'outrigger-bench-'))
    const servers: Contender[] = []
    try {
      await writeFile(join(folder, 'resources.yaml'), resources(folder))
      const sidecar = await startSidecar(folder)
      const memory = await Contender.start((port) => [bare, String(port), 'memory'], '/a')
      const sqlite = await Contender.start(
        (port) => [bare, String(port), 'sqlite', join(folder, 'bare.db')],
        '/a',
      )
      servers.push(sidecar, memory, sqlite)
      return await measure({ sidecar, memory, sqlite }, settings, folder)
    } finally {
      for (const server of servers) await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
}
export default benchmark

async function measure(
  servers: { sidecar: Contender; memory: Contender; sqlite: Contender },
  settings: Settings,
  folder: string,
): Promise<Results> {
  const entries: Entry[] = []
  for (const kind of ['memory', 'sqlite'] as const) {
    const store = kind === 'memory' ? 'in-memory' : 'sqlite'
    const reference = kind === 'memory' ? 'bare node:http' : 'bare node:http + statement'
    for (const verb of ['POST', 'GET'] as const) {
      const request = verb === 'GET' ? get : post
      const shared = { case: `${verb} ${store}`, request: request(store), expect: verb === 'GET' ? 200 : 204 }
      entries.push({ ...shared, contender: reference, server: servers[kind] })
      entries.push({ ...shared, contender: 'outrigger', reference, server: servers.sidecar })
    }
  }
  const rows = await interleave(entries, settings)
  const starts = await measureStarts(folder, settings)
  const cpuRatio = rows.find(
    (row) => row.case === 'GET in-memory' && row.contender === 'outrigger',
  )!.cpuRatio!
  return {
    rows,
    figures: [
      { text: 'start to ready with two components, CPU', value: starts.cpuMs, unit: 'ms' },
      { text: 'start to ready with two components, wall', value: starts.wallMs, unit: 'ms' },
      { text: 'resident memory, idle', value: starts.rssMiB, unit: 'MiB' },
    ],
    targets: [
      atMost('GET in-memory: CPU per request over the bare server', cpuRatio, 1.25),
      atMost('CPU from start to ready, ms', starts.cpuMs, 200),
      atMost('idle resident memory, MiB', starts.rssMiB, 70),
    ],
  }
}

/** A small value under one of a hundred keys. */
function post(store: string): (index: number) => string {
  return (index) => {
    const body = JSON.stringify([
      { key: `k${index % 100}`, value: { number: index % 100, text: 'a small value' } },
    ])
    return `POST /v1.0/state/${store} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }
}

function get(store: string): (index: number) => string {
  return (index) => `GET /v1.0/state/${store}/k${index % 100} HTTP/1.1\r\nhost: bench\r\n\r\n`
}

function startSidecar(folder: string): Promise<Contender> {
  return Contender.start(
    (port) => [
      daprd,
      '--app-id=bench',
      `--dapr-http-port=${port}`,
      '--dapr-grpc-port=0',
      '--dapr-listen-addresses=127.0.0.1',
      `--resources-path=${folder}`,
      `--modules-path=${join(root, 'tools/e2e')}`,
      '--log-level=error',
    ],
    '/v1.0/healthz',
  )
}

async function measureStarts(
  folder: string,
  settings: Settings,
): Promise<{ cpuMs: number; wallMs: number; rssMiB: number }> {
  const cpu: number[] = []
  const wall: number[] = []
  const rss: number[] = []
  for (let round = 1; round <= startRounds; round++) {
    settings.progress(`start ${round} of ${startRounds}`)
    const startedAt = performance.now()
    const sidecar = await startSidecar(folder)
    cpu.push(sidecar.cpuSeconds() * 1000)
    wall.push(performance.now() - startedAt)
    // Idle means that what starting left behind has had its time.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    rss.push(sidecar.rssMiB())
    await sidecar.stop()
  }
  return { cpuMs: median(cpu), wallMs: median(wall), rssMiB: median(rss) }
}

function resources(folder: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: in-memory
spec:
  type: state.in-memory
  version: v1
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: sqlite
spec:
  type: state.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: ${folder}/state.db
`
}
