// A sidecar's part in name resolution, as a process of its own. Options as JSON; it says what happens in lines of JSON,
// and does what it is told in lines: `healthy`, `unhealthy`, `resolve <id>`. It leaves when its input ends.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { RegisteredInstance } from '@outrigger/spec'
import definition from '../src/index.ts'

export interface ChildOptions {
  readonly interfaces?: string
  /** Registers this id on this address, with a port that it listens on. */
  readonly register?: { readonly appId: string; readonly host: string; readonly namespace?: string }
  readonly watch?: string
}

const options = JSON.parse(process.argv[2]!) as ChildOptions
const say = (kind: string, value: unknown): void =>
  void process.stdout.write(`${JSON.stringify({ [kind]: value })}\n`)
const properties: Record<string, string> = {}
if (options.interfaces !== undefined) properties['interfaces'] = options.interfaces
const version = definition.versions['v1']!
const parsed = version.metadata.parse(properties)
if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
const nothing = (): void => {}
const resolver = await version.create({
  name: 'child',
  type: definition.type,
  version: 'v1',
  appId: 'child',
  namespace: 'default',
  metadata: parsed.value,
  properties,
  logger: {
    debug: nothing,
    info: (message) => say('info', message),
    warn: (message) => say('warn', message),
    error: (message) => say('error', message),
  },
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
let registered: RegisteredInstance | undefined
if (options.register !== undefined) {
  const server = createServer((socket) => {
    say('called', true)
    socket.destroy()
  })
  const { host } = options.register
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  server.unref()
  const { port } = server.address() as { port: number }
  registered = await resolver.register!({ namespace: 'default', ...options.register, port, metadata }, {})
  say('registered', `${host} ${port}`)
}
if (options.watch !== undefined) {
  await resolver.watch!(
    { appId: options.watch, namespace: 'default', metadata },
    (instances) =>
      say(
        'told',
        instances.map(({ host, port }) => `${host} ${port}`),
      ),
    {},
  )
}
say('ready', true)
for await (const line of createInterface({ input: process.stdin })) {
  const [order, appId] = line.split(' ') as [string, string]
  if (order === 'resolve') {
    await resolver.resolve({ appId, namespace: 'default', metadata }, {}).then(
      ({ instances }) =>
        say(
          'found',
          instances.map(({ host, port }) => `${host} ${port}`),
        ),
      (error: unknown) => say('failed', (error as { code: string }).code),
    )
  } else {
    await registered!.setHealthy(order === 'healthy', {})
    say('done', order)
  }
}
await resolver.close()
