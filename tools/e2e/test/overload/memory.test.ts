import { readFileSync } from 'node:fs'
import { Agent, request, type ClientRequest } from 'node:http'
import { createServer, type Server } from 'node:net'
import { freePort, waitFor } from '@outrigger/testkit'
import { afterEach, expect, test } from 'vitest'
import { component, type Sidecar } from '../../src/index.ts'
import { World } from '../invoke/world.ts'
import { asPeer, overGrpc, overHttp, proxied } from './ways.ts'

const mib = 2 ** 20
const unavailable = 14
const refused = { status: 503, retryAfterMs: 1000 }
const refusedOverGrpc = { status: unavailable, retryAfterMs: 1000 }

let world: World
const floods: Flood[] = []
const deaf: Server[] = []
afterEach(async () => {
  for (const flood of floods.splice(0)) flood.end()
  for (const server of deaf.splice(0)) server.close()
  await world.end()
})

/** An application that lets itself be called, reads nothing and answers nothing. */
function deafApp(): Promise<number> {
  const server = createServer((socket) => socket.pause().on('error', () => {}))
  deaf.push(server)
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
}

/** Many requests at once, each on a connection of its own. */
class Flood {
  readonly counts = new Map<string, number>()
  readonly #requests: ClientRequest[] = []

  constructor({ httpPort: port }: Sidecar, path: string, body: Uint8Array, count: number) {
    const agent = new Agent({ maxSockets: Infinity })
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    for (let index = 0; index < count; index++) {
      const one = request({ host: '127.0.0.1', port, method: 'POST', path, headers, agent })
      one.on('response', (response) => {
        this.#count(`${response.statusCode} ${response.headers['retry-after'] ?? ''}`.trim())
        response.resume()
      })
      // Whoever is refused in the middle of his body may not get to read why.
      one.on('error', () => this.#count('broken'))
      one.end(body)
      this.#requests.push(one)
    }
    floods.push(this)
  }

  get settled(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }

  end(): void {
    for (const one of this.#requests) one.destroy()
  }

  #count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1)
  }
}

/** The most memory that a process ever had, in MiB. */
function peak({ child }: Sidecar): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
  return Number(line![1]) / 1024
}

const statusOf = async (sidecar: Sidecar, path: string): Promise<number> =>
  (await fetch(sidecar.url + path)).status
const logged = (sidecar: Sidecar, text: string): number =>
  sidecar.log.filter((line) => line.includes(text)).length

async function floodWithState(limit: string) {
  world = await World.start()
  const sidecar = await world.sidecar({
    appId: 'shop',
    flags: [`--memory-limit=${limit}`],
    resources: component('store', 'state.sqlite', { metadata: { connectionString: 'state.db' } }),
  })
  const body = Buffer.from(JSON.stringify([{ key: 'k', value: 'x'.repeat(4 * mib - 100) }]))
  const flood = new Flood(sidecar, '/v1.0/state/store', body, 150)
  await waitFor(() => flood.settled === 150, { what: 'all are answered', deadlineMs: 30_000 })
  return { sidecar, flood, peak: peak(sidecar) }
}

test.skipIf(process.platform !== 'linux')(
  'a sidecar that is flooded with large values refuses them rather than take more than it may',
  async () => {
    const { sidecar, flood, peak: most } = await floodWithState('256Mi')
    expect(flood.counts.get('503 1')).toBeGreaterThan(0)
    expect(most).toBeLessThan(256)
    expect(await statusOf(sidecar, '/v1.0/healthz')).toBe(204)
    const again = async (): Promise<boolean> => (await statusOf(sidecar, '/v1.0/state/store/none')) === 204
    await waitFor(again, { what: 'it takes work again' })
    expect(logged(sidecar, 'memory is short')).toBeGreaterThan(0)
    expect(logged(sidecar, 'there is memory again')).toBe(logged(sidecar, 'memory is short'))
  },
  60_000,
)

test.skipIf(process.platform !== 'linux')(
  'without a limit the same flood takes more than that',
  async () => {
    const { sidecar, flood, peak: most } = await floodWithState('0')
    expect(flood.counts.get('204')).toBe(150)
    expect(most).toBeGreaterThan(256 * 1.5)
    expect(logged(sidecar, 'memory is short')).toBe(0)
  },
  60_000,
)

test('while an application does not read, callers of every kind are told to come again', async () => {
  world = await World.start()
  const port = await freePort()
  const sidecar = await world.sidecar({
    appId: 'shop',
    appPort: await deafApp(),
    flags: [
      '--memory-limit=256Mi',
      `--dapr-internal-grpc-port=${port}`,
      '--disable-init-endpoints=config,subscribe',
    ],
  })
  const caller = await world.sidecar({ appId: 'caller' })
  const flood = new Flood(sidecar, '/v1.0/invoke/shop/method/slow', Buffer.alloc(60_000), 2500)
  await waitFor(() => flood.counts.has('503 1'), { what: 'memory is short', deadlineMs: 30_000 })
  // What waits for the application holds its memory until its callers leave.
  expect(await overHttp(sidecar, 'shop')).toMatchObject(refused)
  expect(await overGrpc(sidecar, 'shop')).toMatchObject(refusedOverGrpc)
  expect(await proxied(sidecar, 'shop')).toMatchObject(refusedOverGrpc)
  expect(await asPeer(port, 'shop')).toMatchObject(refusedOverGrpc)
  const remote = await overHttp(caller, 'shop')
  expect(remote).toMatchObject(refused)
  expect(remote.text).toContain('short of memory')
  expect(await overGrpc(caller, 'shop')).toMatchObject(refusedOverGrpc)
  expect(await proxied(caller, 'shop')).toMatchObject(refusedOverGrpc)
  expect(await statusOf(sidecar, '/v1.0/healthz')).toBe(204)
  expect(await statusOf(sidecar, '/v1.0/metadata')).toBe(200)
  expect(logged(sidecar, 'memory is short')).toBe(1)
  flood.end()
  await waitFor(() => logged(sidecar, 'there is memory again') === 1, { what: 'it takes work again' })
  expect(await statusOf(sidecar, '/v1.0/state/none/key')).toBe(500)
}, 90_000)
