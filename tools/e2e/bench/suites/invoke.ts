import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark } from '../harness/benchmark.ts'
import { joined, type Results } from '../harness/report.ts'
import { invokeResults } from '../invoke/measure.ts'

const parts = {
  http: ['http', false],
  'http-mtls': ['http', true],
  grpc: ['grpc', false],
  'grpc-mtls': ['grpc', true],
} as const

/** Calls from one application to another through both of their sidecars, as they are by default. */
const benchmark: Benchmark = {
  parts: Object.keys(parts),
  defaults: { rounds: 7, requests: 20_000, connections: 16 },
  async run(settings) {
    const folder = await mkdtemp(join(tmpdir(), 'outrigger-bench-'))
    const results: Results[] = []
    try {
      for (const [name, [protocol, secure]] of Object.entries(parts)) {
        if (settings.only?.includes(name) === false) continue
        const own = join(folder, name)
        await mkdir(own)
        results.push(await invokeResults(settings, own, protocol, secure))
      }
      return joined(results)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
export default benchmark
