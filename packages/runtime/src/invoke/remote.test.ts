import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { Fields, WireError } from '@outrigger/wire'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { describe, expect, it } from 'vitest'
import { FakeResolver } from '../../test/support/fake-resolver.ts'
import { Directory, type Connection } from './directory.ts'
import { RemoteApps } from './remote.ts'

function setUp(found = ['a:1', 'b:1', 'c:1']) {
  const resolver = new FakeResolver()
  resolver.found = found
  resolver.ttlMs = 60_000
  const clock = virtualClock()
  const directory = new Directory({
    resolver: async () => resolver,
    connect: () => ({ scheme: 'https', client: {} as Connection['client'], close() {} }),
    internalPort: () => undefined,
    clock,
    logger: recordingLogger(),
  })
  const remote = new RemoteApps(directory, 1000)
  const tried: string[] = []
  /** A call that fails at some addresses. */
  const use = (failures: Readonly<Record<string, Error>> = {}, replayable = true) => {
    const once = async (_: unknown, instance: { readonly address: string; running: number }) => {
      tried.push(instance.address)
      const failure = failures[instance.address]
      if (failure !== undefined) throw failure
      instance.running--
      return instance.address
    }
    return remote.atInstance('shop', 'default', once, () => replayable)
  }
  const running = async (): Promise<number> => {
    const { instances } = await directory.find('shop', 'default')
    return Number(instances.busy)
  }
  return { resolver, clock, remote, use, tried, running }
}

const refused = (): GrpcError =>
  new GrpcError(grpcStatus.UNAVAILABLE, 'refused', {
    cause: new WireError('CONNECT', 'refused', { sent: false }),
  })
const broken = (): GrpcError =>
  new GrpcError(grpcStatus.UNAVAILABLE, 'reset', { cause: new WireError('RESET', 'reset', { sent: true }) })
/** The other sidecar has no room. */
const turnedAway = (): GrpcError =>
  new GrpcError(grpcStatus.UNAVAILABLE, 'too much', { trailers: new Fields(['outrigger-refused', '1']) })

describe('a call that is turned away', () => {
  it('goes to an instance that has room, and leaves the others alone for a second', async () => {
    const { use, tried, clock, resolver, running } = setUp()
    expect(await use({ 'a:1': turnedAway(), 'b:1': turnedAway() })).toBe('c:1')
    for (let call = 0; call < 6; call++) await use()
    expect(tried).toEqual(['a:1', 'b:1', ...Array.from({ length: 7 }, () => 'c:1')])
    await clock.advance(1000)
    for (let call = 0; call < 3; call++) await use()
    expect(new Set(tried.slice(-3))).toEqual(new Set(['a:1', 'b:1', 'c:1']))
    // They are there: no reason to look for others.
    expect(resolver.asked).toHaveLength(1)
    expect(await running()).toBe(0)
  })

  it('is asked once of each, and says so rather than that others are not there', async () => {
    const { use, tried, running } = setUp()
    const [busy, gone] = [turnedAway(), refused()]
    await expect(use({ 'a:1': busy, 'b:1': gone, 'c:1': gone })).rejects.toBe(busy)
    expect(tried).toEqual(['a:1', 'b:1', 'c:1'])
    expect(await running()).toBe(0)
  })

  it('is not made again when its body has gone', async () => {
    const { use, tried } = setUp()
    const busy = turnedAway()
    await expect(use({ 'a:1': busy }, false)).rejects.toBe(busy)
    expect(tried).toEqual(['a:1'])
  })
})

describe('a call of one instance', () => {
  it('goes to the next one at once when nobody is there', async () => {
    const { use, tried, running } = setUp()
    expect(await use({ 'a:1': refused(), 'b:1': refused() })).toBe('c:1')
    expect(tried).toEqual(['a:1', 'b:1', 'c:1'])
    expect(await running()).toBe(0)
  })

  it('leaves those that refused alone for a while', async () => {
    const { use, tried, clock } = setUp()
    await use({ 'a:1': refused() })
    tried.length = 0
    for (let call = 0; call < 6; call++) await use()
    expect(new Set(tried)).toEqual(new Set(['b:1', 'c:1']))
    await clock.advance(1000)
    for (let call = 0; call < 3; call++) await use()
    expect(tried).toContain('a:1')
  })

  it('fails when all refuse, each of them asked once', async () => {
    const { use, tried, running } = setUp()
    const failures = { 'a:1': refused(), 'b:1': refused(), 'c:1': refused() }
    await expect(use(failures)).rejects.toMatchObject({ code: grpcStatus.UNAVAILABLE })
    expect(tried).toHaveLength(3)
    expect(await running()).toBe(0)
  })

  it.each([
    ['that broke off on its way', broken()],
    ['that was given up', new GrpcError(grpcStatus.CANCELLED, '', { cause: new WireError('ABORTED', '') })],
    ['that was refused by the other sidecar', new GrpcError(grpcStatus.UNAVAILABLE, 'app is not healthy')],
    ['that failed', new GrpcError(grpcStatus.INTERNAL, 'no')],
  ])('%s is not made again here', async (_, failure) => {
    const { use, tried, running } = setUp()
    await expect(use({ 'a:1': failure, 'b:1': failure, 'c:1': failure })).rejects.toBe(failure)
    expect(tried).toHaveLength(1)
    expect(await running()).toBe(0)
  })

  it('that nobody took has the names looked up again', async () => {
    const { use, resolver } = setUp(['a:1'])
    await use()
    await use()
    expect(resolver.asked).toHaveLength(1)
    await expect(use({ 'a:1': broken() })).rejects.toThrow('reset')
    resolver.found = ['d:1']
    expect(await use()).toBe('d:1')
    expect(resolver.asked).toHaveLength(2)
  })
})
