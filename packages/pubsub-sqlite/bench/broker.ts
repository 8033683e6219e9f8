// Prints throughput, latency between processes, and what an idle subscription costs. Run: node --conditions=@outrigger/source bench/broker.ts
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock, Logger, PubSub } from '@outrigger/spec'
import definition from '../src/index.ts'

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
const nothing = (): void => {}
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const logger: Logger = { debug: nothing, info: nothing, warn: say, error: say }

async function open(path: string, appId: string): Promise<PubSub> {
  const properties = { connectionString: path }
  const version = definition.versions['v1']!
  const parsed = version.metadata.parse(properties)
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
  return version.create({
    name: 'bench',
    type: 'pubsub.sqlite',
    version: 'v1',
    appId,
    namespace: 'default',
    metadata: parsed.value,
    properties,
    logger,
    clock,
    random: { next: () => Math.random(), uuid: () => crypto.randomUUID() },
    baseDirectory: process.cwd(),
    initSignal: new AbortController().signal,
  })
}

const data = Buffer.alloc(256, 'x')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Publishes with so many under way. */
async function publishAll(pubsub: PubSub, count: number, inFlight: number): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next++ < count) await pubsub.publish({ topic: 't', data, metadata: {} }, {})
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

async function throughput(path: string, inFlight: number, count: number): Promise<void> {
  const pubsub = await open(path, `app-${inFlight}`)
  let received = 0
  let done = nothing
  const all = new Promise<void>((resolve) => (done = resolve))
  const deliver = (): Promise<'ack'> => {
    if (++received === count) done()
    return Promise.resolve('ack')
  }
  await pubsub.subscribe({ topic: 't', metadata: {} }, deliver, {})
  const [start, cpu] = [performance.now(), cpuMs()]
  await publishAll(pubsub, count, inFlight)
  const published = performance.now() - start
  await all
  const total = performance.now() - start
  const rate = (ms: number): number => Math.round((count / ms) * 1000)
  say(
    `${inFlight} publishes at a time: published ${rate(published)}/s, through ${rate(total)}/s, ` +
      `${((1000 * (cpuMs() - cpu)) / count).toFixed(0)} us CPU a message`,
  )
  await pubsub.close()
}

async function latency(path: string): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--conditions=@outrigger/source', fileURLToPath(import.meta.url), 'echo', path],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const pubsub = await open(path, 'caller')
  let answer = nothing
  const deliver = (): Promise<'ack'> => {
    answer()
    return Promise.resolve('ack')
  }
  await pubsub.subscribe({ topic: 'pong', metadata: {} }, deliver, {})
  const times: number[] = []
  for (let n = 0; n < 300; n++) {
    await pause(5 + (n % 20))
    const answered = new Promise<void>((resolve) => (answer = resolve))
    const start = performance.now()
    await pubsub.publish({ topic: 'ping', data, metadata: {} }, {})
    await answered
    times.push((performance.now() - start) / 2)
  }
  times.sort((a, b) => a - b)
  const at = (share: number): string => times[Math.floor(times.length * share)]!.toFixed(1)
  say(
    `from process to process, half a round trip: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(0.999)} ms`,
  )
  const cpu = cpuMs()
  const start = performance.now()
  await pause(10_000)
  say(
    `idle with one subscription: ${((100 * (cpuMs() - cpu)) / (performance.now() - start)).toFixed(2)} % CPU`,
  )
  child.kill()
  await pubsub.close()
}

async function echo(path: string): Promise<void> {
  const pubsub = await open(path, 'echo')
  const deliver = async (): Promise<'ack'> => {
    await pubsub.publish({ topic: 'pong', data, metadata: {} }, {})
    return 'ack'
  }
  await pubsub.subscribe({ topic: 'ping', metadata: {} }, deliver, {})
  say('ready')
}

if (process.argv[2] === 'echo') await echo(process.argv[3]!)
else {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-bench-'))
  try {
    for (const [inFlight, count] of [
      [1, 5000],
      [16, 30_000],
      [128, 60_000],
    ] as const) {
      await throughput(join(folder, `${inFlight}.db`), inFlight, count)
    }
    await latency(join(folder, 'latency.db'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
