// A process of its own that uses the broker; arguments: a JSON object as `Job`. It writes one line for each event.
import type { PubSub, Settlement } from '@outrigger/spec'
import definition from '../src/index.ts'

export interface Job {
  readonly path: string
  readonly appId: string
  readonly topic: string
  readonly properties?: Readonly<Record<string, string>>
  /** Publishes so many messages named `<name>-<n>`; says `published <text>` after each. */
  readonly publish?: { readonly name: string; readonly count: number; readonly inFlight: number }
  /** Subscribes and says `received <text> <deliveryCount>`; `hang` never settles. */
  readonly consume?: 'ack' | 'hang'
  /** Nothing but the broker keeps the process alive. */
  readonly alone?: boolean
}

const job = JSON.parse(process.argv[2]!) as Job
const properties = { connectionString: job.path, ...job.properties }
const version = definition.versions['v1']!
const parsed = version.metadata.parse(properties)
if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const log = (message: string): void => void process.stderr.write(`${message}\n`)
const pubsub: PubSub = await version.create({
  name: 'child',
  type: 'pubsub.sqlite',
  version: 'v1',
  appId: job.appId,
  namespace: 'default',
  metadata: parsed.value,
  properties,
  logger: { debug() {}, info() {}, warn: log, error: log },
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      if (job.alone === true) timer.unref()
      return { cancel: () => clearTimeout(timer) }
    },
  },
  random: { next: () => Math.random(), uuid: () => crypto.randomUUID() },
  baseDirectory: process.cwd(),
  initSignal: new AbortController().signal,
})

// Ends gracefully when its input ends.
if (job.alone !== true) {
  process.stdin.resume().once('end', () => void pubsub.close().then(() => process.exit(0)))
}

if (job.consume !== undefined) {
  await pubsub.subscribe(
    { topic: job.topic, metadata: {} },
    (message) => {
      say(`received ${Buffer.from(message.data).toString()} ${message.deliveryCount}`)
      return job.consume === 'hang' ? new Promise<Settlement>(() => {}) : Promise.resolve('ack')
    },
    {},
  )
}
say('ready')

if (job.publish !== undefined) {
  const { name, count, inFlight } = job.publish
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const text = `${name}-${next++}`
      await pubsub.publish({ topic: job.topic, data: Buffer.from(text), metadata: {} }, {})
      say(`published ${text}`)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  say('done')
}
