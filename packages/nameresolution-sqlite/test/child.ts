// A process of its own that registers an instance and says so; it leaves when its input ends. Arguments: path, app id, port.
import definition from '../src/index.ts'

const [path, appId, port] = process.argv.slice(2) as [string, string, string]
const properties = { connectionString: path, updateInterval: '4s' }
const version = definition.versions['v1']!
const parsed = version.metadata.parse(properties)
if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
const nothing = (): void => {}
const resolver = await version.create({
  name: 'child',
  type: definition.type,
  version: 'v1',
  appId,
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
await resolver.register!(
  { appId, namespace: 'default', host: '127.0.0.1', port: Number(port), metadata: {} },
  {},
)
process.stdout.write('registered\n')
process.stdin.on('end', () => void resolver.close())
process.stdin.resume()
