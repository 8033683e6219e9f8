import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { callsOf } from '@outrigger/proto/call'
import { APIVersion, ServiceInvocation } from '@outrigger/proto/internals'
import { freePort, waitFor } from '@outrigger/testkit'
import type { TlsOptions } from '@outrigger/wire'
import { GrpcChannel, grpcStatusName, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { App, Child, endApps, Sidecar } from '../../src/index.ts'
import { cliProgram, open, startSentry, type SentryProcess } from '../mtls/setup.ts'
import { overHttp, pretend } from './calls.ts'
import { World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.start()
})
afterEach(async () => {
  await world.end()
  await endApps()
})

type Authority = Pick<SentryProcess, 'address' | 'anchorsFile'>

/** What lets a sidecar take part, with identities of this authority; none: in plaintext. */
function launched(appId: string, authority?: Authority, appPort?: number, internalPort?: number) {
  const secured = authority === undefined ? [] : ['--enable-mtls', `--sentry-address=${authority.address}`]
  const flags = [
    ...secured,
    ...(internalPort === undefined ? [] : [`--dapr-internal-grpc-port=${internalPort}`]),
  ]
  const env = authority === undefined ? {} : { DAPR_TRUST_ANCHORS_FILE: authority.anchorsFile }
  return { appId, flags, env, ...(appPort !== undefined && { appPort }) }
}

async function app(name = 'app'): Promise<number> {
  return (await App.start({ '*': { body: name } })).port
}

/** Keeps calls under way, both ways or one, until it is ended. */
function load(pairs: readonly (readonly [Sidecar, string])[]) {
  let count = 0
  let ended = false
  const failures: string[] = []
  const workers = pairs.map(async ([caller, target]) => {
    while (!ended) {
      const { status, text } = await overHttp(caller, target, 'x', { verb: 'POST', body: 'data' })
      if (status === 200) count++
      else failures.push(`${status} ${text}`)
    }
  })
  return {
    failures,
    async more(wanted: number): Promise<void> {
      const goal = count + wanted
      await waitFor(() => count >= goal || failures.length > 0, { what: `${wanted} more answers` })
    },
    async end(): Promise<void> {
      ended = true
      await Promise.all(workers)
    },
  }
}

/** A sentry whose certificates do not last long. */
async function hasty(ttl: string): Promise<SentryProcess> {
  const config = join(world.folder, 'sentry.yaml')
  writeFileSync(
    config,
    `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: daprsystem }\nspec:\n  mtls: { enabled: true, workloadCertTTL: ${ttl}, allowedClockSkew: 0s }\n`,
  )
  return startSentry([`--config=${config}`])
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

/** How many TCP sockets of a process listen (Linux). */
function listeners(pid: number): number {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      } catch {
        // It was closed meanwhile.
        return undefined
      }
    }),
  )
  const rows = ['tcp', 'tcp6'].flatMap((kind) => readFileSync(`/proc/${pid}/net/${kind}`, 'utf8').split('\n'))
  const fields = rows.map((row) => row.trim().split(/\s+/))
  return fields.filter(([, , , state, , , , , , inode]) => state === '0A' && own.has(inode)).length
}

/** What becomes of a call of the port for other sidecars. */
async function outcome(port: number, tls: TlsOptions | undefined): Promise<string> {
  const client = createHttp2Client(tls === undefined ? {} : { tls })
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  try {
    const { callLocal } = callsOf(ServiceInvocation, new GrpcChannel({ origin, client }))
    await callLocal(
      { ver: APIVersion.V1, message: { method: 'x', httpExtension: { verb: 1 } } },
      { timeoutMs: 10_000 },
    )
    return 'answered'
  } catch (error) {
    if (!isGrpcError(error)) throw error
    return `${grpcStatusName(error.code)}: ${error.message}`
  } finally {
    client.close()
  }
}

describe('sentry', () => {
  it('that is not there at the start keeps every port closed until it is', async () => {
    const { folder, anchorsFile, child } = await startSentry()
    await child.end()
    const [sentryPort, internal] = [await freePort(), await freePort()]
    const authority = { address: `127.0.0.1:${sentryPort}`, anchorsFile }
    const { appId, flags, env, appPort } = launched('orders', authority, await app(), internal)
    const sidecar = await Sidecar.launch({
      appId,
      appPort: appPort!,
      flags: [`--config=${world.config}`, ...flags],
      env,
    })
    onTestFinished(() => sidecar.dispose())
    // It has asked, and more than once.
    await sidecar.child.waitUntil(
      () => sidecar.log.filter((line) => /sentry/i.test(line) && /level=warning?/.test(line)).length >= 2,
      'two tries',
    )
    const ports = [sidecar.httpPort, sidecar.grpcPort, internal]
    expect(await Promise.all(ports.map(isOpen))).toEqual([false, false, false])
    expect(listeners(sidecar.child.pid)).toBe(0)
    await startSentry([], { folder, port: sentryPort })
    await sidecar.ready()
    expect(await Promise.all(ports.map(isOpen))).toEqual([true, true, true])
    expect(listeners(sidecar.child.pid)).toBeGreaterThanOrEqual(3)
  }, 60_000)

  it('that says no ends the start', async () => {
    const { flags, env } = launched('orders', await startSentry())
    const sidecar = await Sidecar.launch({ appId: 'x'.repeat(65), flags, env })
    onTestFinished(() => sidecar.dispose())
    expect(await sidecar.child.ended()).toBe(1)
    expect(sidecar.child.output).toContain('mutual TLS is on, and there is no identity: ')
  }, 60_000)

  it('may go when everybody has an identity; newcomers wait for it', async () => {
    const sentry = await startSentry()
    const [orders, caller] = await Promise.all([
      world.sidecar(launched('orders', sentry, await app())),
      world.sidecar(launched('caller', sentry)),
    ])
    expect(orders.appId).toBe('orders')
    await sentry.child.end()
    expect(await overHttp(caller, 'orders', 'x')).toMatchObject({ status: 200 })
    const stock = await Sidecar.launch({
      ...launched('stock', sentry),
      flags: [`--config=${world.config}`, ...launched('stock', sentry).flags],
    })
    onTestFinished(() => stock.dispose())
    await stock.child.line(/level=warning?.*[Ss]entry/)
    expect(await isOpen(stock.httpPort)).toBe(false)
    expect(await overHttp(caller, 'orders', 'x')).toMatchObject({ status: 200 })
    await startSentry([], { folder: sentry.folder, port: Number(sentry.address.split(':')[1]) })
    await stock.ready()
    expect(await overHttp(stock, 'orders', 'x')).toMatchObject({ status: 200 })
  }, 60_000)

  it('that stays away lets identities expire, and then nobody is called until it is back', async () => {
    const sentry = await hasty('5s')
    const [orders, caller] = await Promise.all([
      world.sidecar(launched('orders', sentry, await app())),
      world.sidecar(launched('caller', sentry)),
    ])
    await sentry.child.end()
    await Promise.all([orders, caller].map(({ child }) => child.line(/The identity has expired/)))
    // Connections that stand are of no use either.
    const refused = await overHttp(caller, 'orders', 'x')
    expect([refused.status, refused.text]).toEqual([500, expect.stringContaining('expired')])
    await orders.kill()
    orders.start()
    await orders.child.line(/level=warning?.*[Ss]entry/)
    const { status, text } = await overHttp(caller, 'orders', 'x')
    expect([status, text]).toEqual([500, expect.stringContaining('ERR_DIRECT_INVOKE')])
    await startSentry([`--config=${join(world.folder, 'sentry.yaml')}`], {
      folder: sentry.folder,
      port: Number(sentry.address.split(':')[1]),
    })
    await orders.ready()
    await waitFor(async () => (await overHttp(caller, 'orders', 'x')).status === 200, { what: 'calls' })
  }, 90_000)
})

describe('who has no identity here', () => {
  it('is refused in plaintext, and nothing is served without TLS', async () => {
    const sentry = await startSentry()
    const internal = await freePort()
    const orders = await world.sidecar(launched('orders', sentry, await app(), internal))
    expect(await outcome(internal, undefined)).toMatch(/^UNAVAILABLE: .*it may want TLS/)
    await orders.child.line(/level=warn.*refused: mutual TLS is on, and the other side does not speak TLS/)
    const plain = await world.sidecar(launched('plain'))
    const { status, text } = await overHttp(plain, 'orders', 'x')
    expect([status, text]).toEqual([500, expect.stringMatching(/ERR_DIRECT_INVOKE.*it may want TLS/)])
  }, 60_000)

  it('is refused over TLS where it is off', async () => {
    const sentry = await startSentry()
    const internal = await freePort()
    await world.sidecar(launched('orders', undefined, await app(), internal))
    const friend = await open(sentry, 'caller')
    expect(await outcome(internal, friend.clientTls({ namespace: 'default', appId: 'orders' }))).toMatch(
      /^UNAVAILABLE: /,
    )
    const secured = await world.sidecar(launched('secured', sentry))
    const { status, text } = await overHttp(secured, 'orders', 'x')
    expect([status, text]).toEqual([500, expect.stringMatching(/ERR_DIRECT_INVOKE.*does not speak TLS/)])
  }, 60_000)

  it('is refused with one of another authority, on both sides', async () => {
    const [home, foreign] = [await startSentry(), await startSentry()]
    const internal = await freePort()
    await world.sidecar(launched('orders', home, await app(), internal))
    await world.sidecar(launched('abroad', foreign, await app()))
    const [friend, stranger] = [await open(home, 'caller'), await open(foreign, 'caller')]
    const expected = { namespace: 'default', appId: 'orders' }
    expect(await outcome(internal, friend.clientTls(expected))).toBe('answered')
    expect(await outcome(internal, stranger.clientTls(expected))).toMatch(/^UNAVAILABLE: /)
    const reckless = { ...stranger.clientTls(expected), ca: friend.trustAnchors }
    expect(await outcome(internal, reckless)).toMatch(/^UNAVAILABLE: /)
    // Without a certificate, and with everything else right.
    const { ca } = friend.clientTls(expected)
    expect(await outcome(internal, { ca: ca!, insecure: true })).toMatch(/^UNAVAILABLE: /)
    const caller = await world.sidecar(launched('caller', home))
    const { status, text } = await overHttp(caller, 'abroad', 'x')
    expect([status, text]).toEqual([500, expect.stringMatching(/ERR_DIRECT_INVOKE.*(?:certificate|issuer)/)])
  }, 60_000)
})

describe('an address that changed hands', () => {
  it.each([
    ['over mutual TLS', true, /the peer is spiffe:\/\/public\/ns\/default\/stock, not orders/],
    ['in plaintext', false, /this is the sidecar of stock, and the call is for orders/],
  ])(
    'is not taken for the one that had it, %s',
    async (_, mtls, message) => {
      const sentry = mtls ? await startSentry() : undefined
      const internal = await freePort()
      const stock = await App.start({ '*': { body: 'stock' } })
      await world.sidecar(launched('stock', sentry, stock.port, internal))
      const caller = await world.sidecar(launched('caller', sentry))
      pretend(world.names, 'orders', internal)
      const { status, text } = await overHttp(caller, 'orders', 'secret', {
        verb: 'POST',
        body: 'for orders only',
      })
      expect([status, text]).toEqual([500, expect.stringMatching(message)])
      expect(stock.at('/secret')).toEqual([])
      expect(await overHttp(caller, 'stock', 'x')).toMatchObject({ status: 200 })
    },
    60_000,
  )
})

describe('certificates', () => {
  it('are renewed under load, and no request fails', async () => {
    const sentry = await hasty('4s')
    const [one, two] = await Promise.all([
      world.sidecar(launched('one', sentry, await app())),
      world.sidecar(launched('two', sentry, await app())),
    ])
    const running = load([
      [one, 'two'],
      [two, 'one'],
      [one, 'two'],
    ])
    const renewals = ({ log }: Sidecar): number =>
      log.filter((line) => line.includes('The identity was renewed')).length
    await waitFor(() => (renewals(one) >= 4 && renewals(two) >= 4) || running.failures.length > 0, {
      what: 'four renewals',
      deadlineMs: 60_000,
    })
    await running.more(50)
    await running.end()
    expect(running.failures).toEqual([])
    expect(one.log.join('\n')).not.toMatch(/could not be renewed|has expired/)
  }, 90_000)

  it('come from a new root while sidecars call each other, and no request fails', async () => {
    const sentry = await hasty('8s')
    const [one, two] = await Promise.all([
      world.sidecar(launched('one', sentry, await app())),
      world.sidecar(launched('two', sentry, await app())),
    ])
    const mtls = async (...args: string[]): Promise<void> => {
      const child = new Child(cliProgram, ['mtls', ...args, `--issuer-credentials=${sentry.folder}`])
      onTestFinished(async () => void (await child.end()))
      expect([await child.ended(), child.output]).toEqual([0, expect.any(String)])
    }
    const running = load([
      [one, 'two'],
      [two, 'one'],
    ])
    const renewals = ({ log }: Sidecar): number =>
      log.filter((line) => line.includes('The identity was renewed')).length
    const renewed = async (times: number): Promise<void> => {
      const goals = [one, two].map((sidecar) => [sidecar, renewals(sidecar) + times] as const)
      await waitFor(() => goals.every(([sidecar, goal]) => renewals(sidecar) >= goal), {
        what: `${times} more renewals`,
        deadlineMs: 60_000,
      })
    }
    await running.more(20)
    await mtls('renew-certificate', '--settle=3')
    await renewed(2)
    await mtls('remove-old-roots')
    await renewed(2)
    await running.more(50)
    await running.end()
    expect(running.failures).toEqual([])
    // Connections that stand prove nothing: a newcomer knows the new root only.
    const newcomer = await world.sidecar(launched('newcomer', sentry, await app()))
    expect(await overHttp(newcomer, 'one', 'x')).toMatchObject({ status: 200 })
    expect(await overHttp(two, 'newcomer', 'x')).toMatchObject({ status: 200 })
  }, 120_000)
})
