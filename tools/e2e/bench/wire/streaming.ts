import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Settings } from '../harness/benchmark.ts'
import type { Contender } from '../harness/process.ts'
import { atLeast, atMost, median, type Results } from '../harness/report.ts'
import { makeCertificates, type Certificates } from './certificates.ts'
import { startApplication, startOurs, startRaw, type Chain } from './chains.ts'
import { installed } from './installed.ts'

const mebibytes = 100
/** Streams until code is compiled. */
const warmUps = 3
/** Small requests before any stream: what a process needs that works but does not stream. */
const smallRequests = 1000
/** The first bytes are looked at in short streams as well, many of them: in a long one the scheduler has its say. */
const shortMebibytes = 1
const shortStreams = 10

interface Entry {
  readonly transport: string
  readonly raw: Chain
  readonly ours: Chain
}

interface Stream {
  /** MiB/s from the request to the last byte. */
  readonly throughput: number
  readonly firstByteMs: number
}

/** A large answer through two hops, against hops that pass bytes on: plain, and with mutual TLS between. */
export async function streamingResults(settings: Settings): Promise<Results> {
  const folder = await mkdtemp(join(tmpdir(), 'outrigger-bench-'))
  const started: Contender[] = []
  const add = (chain: Chain): Chain => {
    started.push(...chain.hops)
    return chain
  }
  try {
    const application = await startApplication()
    started.push(application)
    const entries: Entry[] = []
    const secure = installed('openssl', 'version')
    const transports: [string, Certificates | undefined][] = [['plain', undefined]]
    if (secure) transports.push(['mTLS', makeCertificates(folder)])
    for (const [transport, files] of transports) {
      const raw = add(await startRaw(application.port, files))
      entries.push({ transport, raw, ours: add(await startOurs('http2', application.port, files)) })
    }
    const direct = { name: 'application', port: application.port, hops: [] }
    const omitted = secure ? [] : ['streaming through two hops, mTLS: openssl is not installed']
    return { ...(await measure(direct, entries, settings)), omitted }
  } finally {
    for (const process of started) await process.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(direct: Chain, entries: readonly Entry[], settings: Settings): Promise<Results> {
  const all = [direct, ...entries.flatMap(({ raw, ours }) => [raw, ours])]
  const rates = new Map<Chain, number[]>(all.map((chain) => [chain, []]))
  const firsts = new Map<Chain, number[]>(all.map((chain) => [chain, []]))
  const shorts = new Map<Chain, number[]>(all.map((chain) => [chain, []]))
  for (const chain of all) await ask(chain)
  const before = new Map(all.flatMap(({ hops }) => hops).map((hop) => [hop, hop.rssMiB()]))
  for (const hop of before.keys()) hop.forgetPeak()
  for (let time = 0; time < warmUps; time++) for (const chain of all) await stream(chain, mebibytes)
  for (let round = 1; round <= settings.rounds; round++) {
    settings.progress(`streaming round ${round} of ${settings.rounds}`)
    for (const chain of all) {
      const { throughput, firstByteMs } = await stream(chain, mebibytes)
      rates.get(chain)!.push(throughput)
      firsts.get(chain)!.push(firstByteMs)
      const short: number[] = []
      for (let time = 0; time < shortStreams; time++)
        short.push((await stream(chain, shortMebibytes)).firstByteMs)
      shorts.get(chain)!.push(median(short))
    }
  }
  const extraOf = ({ hops }: Chain): number =>
    Math.max(...hops.map((hop) => hop.peakMiB() - before.get(hop)!))
  const figures: Results['figures'][number][] = []
  const targets: Results['targets'][number][] = []
  for (const { transport, raw, ours } of entries) {
    const text = `${mebibytes} MiB through two hops, ${transport}`
    for (const chain of [raw, ours]) {
      figures.push(
        { text: `${text}: ${chain.name}`, value: median(rates.get(chain)!), unit: 'MiB/s' },
        { text: `${text}: ${chain.name}, first byte`, value: median(firsts.get(chain)!), unit: 'ms' },
        { text: `${text}: ${chain.name}, extra memory`, value: extraOf(chain), unit: 'MiB' },
      )
    }
    const rawRates = rates.get(raw)!
    const ratio = median(rates.get(ours)!.map((rate, round) => rate / rawRates[round]!))
    const late = (of: Map<Chain, number[]>): number =>
      median(of.get(ours)!.map((ms, round) => ms - of.get(direct)![round]!))
    targets.push(
      atLeast(`${text}: throughput over raw sockets`, ratio, 0.6),
      atMost(`${text}: memory of a hop more than before the streams, MiB`, extraOf(ours), 32),
      atMost(`${text}: first byte after the application's, ms`, late(firsts), 5),
      atMost(`${shortMebibytes} MiB, ${transport}: first byte after the application's, ms`, late(shorts), 5),
    )
  }
  return { rows: [], figures, targets }
}

async function ask({ port }: Chain): Promise<void> {
  for (let index = 0; index < smallRequests; index++)
    await (await fetch(`http://127.0.0.1:${port}/small`)).arrayBuffer()
}

async function stream({ port }: Chain, mebibytes: number): Promise<Stream> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  const startedAt = performance.now()
  let firstAt = 0
  let missing = -1
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      if (missing < 0) {
        // The head may come in a packet of its own; it counts as the first byte of the answer.
        firstAt = performance.now()
        const end = chunk.indexOf('\r\n\r\n')
        if (chunk.toString('latin1', 9, 12) !== '200' || end < 0)
          return reject(new Error('not answered well'))
        missing = mebibytes * 1024 * 1024 + end + 4
      }
      missing -= chunk.length
      if (missing === 0) resolve()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the answer is incomplete')))
    socket.write(`GET /stream/${mebibytes} HTTP/1.1\r\nhost: bench\r\n\r\n`)
  })
  const elapsed = performance.now() - startedAt
  socket.destroy()
  return { throughput: (mebibytes / elapsed) * 1000, firstByteMs: firstAt - startedAt }
}
