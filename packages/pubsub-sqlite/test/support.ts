import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createForTest, type CreateOptions } from '@outrigger/conformance'
import type { PubSub, PublishRequest } from '@outrigger/spec'
import { expect, onTestFinished } from 'vitest'
import definition from '../src/index.ts'
import type { Job } from './child.ts'

/** A path for a database file that goes away with the test. */
export function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-pubsub-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'pubsub.db')
}

/** A broker that is closed with the test. */
export async function open(path: string, options: Partial<CreateOptions> = {}): Promise<PubSub> {
  const properties = { connectionString: path, redeliverInterval: '20ms', ...options.properties }
  const pubsub = await createForTest(definition, { ...options, properties })
  onTestFinished(() => pubsub.close())
  return pubsub
}

export function message(topic: string, text: string, extra: Partial<PublishRequest> = {}): PublishRequest {
  return { topic, data: Buffer.from(text), metadata: {}, ...extra }
}

/** Subscribes and collects the texts. */
export async function collect(pubsub: PubSub, topic: string, maxInFlight?: number): Promise<string[]> {
  const texts: string[] = []
  await pubsub.subscribe(
    { topic, maxInFlight, metadata: {} },
    ({ data }) => {
      texts.push(Buffer.from(data).toString())
      return Promise.resolve('ack')
    },
    {},
  )
  return texts
}

/** Waits for what must happen, generously. */
export function eventually(what: () => unknown): ReturnType<typeof expect.poll> {
  return expect.poll(what, { timeout: 30_000, interval: 10 })
}

const script = fileURLToPath(new URL('child.ts', import.meta.url))

export interface Child {
  readonly process: ChildProcess
  /** What it has said, line by line. */
  readonly lines: string[]
  /** What follows `word` on the lines that begin with it. */
  said(word: string): string[]
  /** Ends it without a word; resolves when everything it said has been read. */
  kill(): Promise<void>
  /** Ends it gracefully. */
  end(): Promise<void>
}

/** Starts another process with a job and waits until it is ready. */
export async function start(job: Job): Promise<Child> {
  const child = spawn(process.execPath, ['--conditions=@outrigger/source', script, JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  await eventually(() => lines.includes('ready')).toBe(true)
  return {
    process: child,
    lines,
    said: (word) =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1)),
    async kill() {
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
    },
    async end() {
      const closed = once(child, 'close')
      child.stdin.end()
      expect((await closed)[0]).toBe(0)
    },
  }
}
