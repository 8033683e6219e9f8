// A process of its own that works on a store; what to do comes as arguments: path, job.
import { createInterface } from 'node:readline'
import type { StateStore } from '@outrigger/spec'
import definition from '../src/index.ts'

const [path, job] = process.argv.slice(2) as [string, string]
const properties = { connectionString: path, busyTimeout: '30s' }
const version = definition.versions['v1']!
const parsed = version.metadata.parse(properties)
if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
const nothing = (): void => {}
const store: StateStore = await version.create({
  name: 'child',
  type: 'state.sqlite',
  version: 'v1',
  appId: 'child',
  namespace: 'default',
  metadata: parsed.value,
  properties,
  logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      return { cancel: () => clearTimeout(timer) }
    },
  },
  random: { next: () => Math.random(), uuid: () => crypto.randomUUID() },
  baseDirectory: process.cwd(),
  initSignal: new AbortController().signal,
})

const metadata = {}
const write = (key: string, text: string, etag?: string): Promise<void> =>
  store.set({ key, value: { kind: 'json', bytes: Buffer.from(text) }, etag, metadata }, {})

if (job === 'write') {
  // Says each number once its write is done, until it is killed.
  for (let n = 0; ; n++) {
    await Promise.all([write(`a${n}`, `${n}`), write(`b${n}`, `${n}`)])
    process.stdout.write(`${n}\n`)
  }
}
if (job === 'count') {
  for await (const line of createInterface({ input: process.stdin })) {
    for (let left = Number(line); left > 0;) {
      const item = await store.get({ key: 'counter', metadata }, {})
      try {
        await write('counter', `${Number(Buffer.from(item!.value.bytes).toString()) + 1}`, item!.etag)
        left--
      } catch (error) {
        if ((error as { code?: string }).code !== 'ETAG_MISMATCH') throw error
      }
    }
    break
  }
  await store.close()
  process.exit(0)
}
