// What `npm start` shows: both applications beside their sidecars, and orders that go from one to the other.
// With --once it ends as soon as every order was seen to arrive; with --resources-path another set of resources is used.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'

const folder = fileURLToPath(new URL('.', import.meta.url))
const cli = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))
const deadlineMs = 60_000
const items = ['pineapple', 'canoe', 'paddle', 'sail', 'rope']

const argv = process.argv.slice(2)
const onlyOnce = argv.includes('--once')
const pathAt = argv.indexOf('--resources-path')
const resources = pathAt === -1 ? 'resources' : argv[pathAt + 1]!

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** An application with its sidecar; every line it prints goes to `onLine`. */
function run(appId: string, port: number, onLine: (line: string) => void): ChildProcess {
  const args = [cli, 'run', '--app-id', appId, '--app-port', String(port), '--resources-path', resources]
  const child = spawn(process.execPath, [...args, '--', process.execPath, `${appId}.js`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      process.stdout.write(`${line}\n`)
      onLine(line)
    })
  }
  return child
}

/** Resolves with the first line that matches; `watch` is told every line. */
class Lines {
  readonly #waiting = new Set<{ pattern: RegExp; resolve: (line: string) => void }>()
  readonly #seen: string[] = []

  push = (line: string): void => {
    this.#seen.push(line)
    for (const waiter of this.#waiting) {
      if (!waiter.pattern.test(line)) continue
      this.#waiting.delete(waiter)
      waiter.resolve(line)
    }
  }

  wait(pattern: RegExp): Promise<string> {
    const found = this.#seen.find((line) => pattern.test(line))
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve) => this.#waiting.add({ pattern, resolve }))
  }
}

async function order(port: number, item: string, quantity: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ item, quantity }),
  })
  if (response.status !== 201)
    throw new Error(`the order was answered ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { number: number }).number
}

const orders = new Lines()
const shipping = new Lines()
const [ordersPort, shippingPort] = [await freePort(), await freePort()]
const children = [run('orders', ordersPort, orders.push), run('shipping', shippingPort, shipping.push)]
let ending = false

async function stop(code: number): Promise<never> {
  ending = true
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null)
  for (const child of running) child.kill('SIGTERM')
  await Promise.all(running.map((child) => once(child, 'exit')))
  process.exit(code)
}

function fail(reason: string): void {
  if (ending) return
  process.stdout.write(`\nIt did not work: ${reason}\n`)
  void stop(1)
}

for (const child of children)
  child.on('exit', (code) => fail(`an application ended early, with exit code ${code}`))
process.on('SIGINT', () => void stop(0))
process.on('SIGTERM', () => void stop(0))
if (onlyOnce) setTimeout(() => fail(`nothing came through within ${deadlineMs / 1000} s`), deadlineMs).unref()

try {
  await Promise.all([orders.wait(/You're up and running/), shipping.wait(/You're up and running/)])
  for (let index = 0; ; index++) {
    const number = await order(ordersPort, items[index % items.length]!, (index % 3) + 1)
    await shipping.wait(new RegExp(`order ${number} shipped`))
    if (onlyOnce && index === 2) {
      process.stdout.write('\nIt works: three orders were taken, counted in state, published and shipped.\n')
      await stop(0)
    }
    await new Promise((resolve) => setTimeout(resolve, onlyOnce ? 0 : 2000))
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}
