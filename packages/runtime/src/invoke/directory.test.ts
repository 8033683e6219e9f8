import { ComponentError } from '@outrigger/spec'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { grpcStatus } from '@outrigger/wire/grpc'
import { describe, expect, it } from 'vitest'
import { FakeResolver, instanceOf } from '../../test/support/fake-resolver.ts'
import { Directory, type Connection } from './directory.ts'

function setUp(options: { watch?: boolean } = {}) {
  const resolver = new FakeResolver(options)
  const clock = virtualClock()
  const logger = recordingLogger()
  const connected: string[] = []
  const closed: string[] = []
  const directory = new Directory({
    resolver: async () => resolver,
    connect: (appId, namespace) => {
      connected.push(`${appId}.${namespace}`)
      const close = (): void => void closed.push(`${appId}.${namespace}`)
      return { scheme: 'http', client: {} as Connection['client'], close }
    },
    internalPort: () => 50002,
    clock,
    logger,
  })
  /** Addresses of an application, each picked once. */
  const addresses = async (appId = 'shop'): Promise<string[]> => {
    const { instances } = await directory.find(appId, 'default')
    const picked = new Set<NonNullable<ReturnType<typeof instances.pick>>>()
    for (let one = instances.pick(picked); one !== undefined; one = instances.pick(picked)) picked.add(one)
    return [...picked].map(({ address }) => address).sort()
  }
  return { resolver, clock, logger, directory, addresses, connected, closed }
}

describe('what a resolver says', () => {
  it('holds as long as it allows', async () => {
    const { resolver, clock, addresses } = setUp()
    resolver.found = ['10.0.0.1:1', '::1:2']
    resolver.ttlMs = 20_000
    expect(await addresses()).toEqual(['10.0.0.1:1', '[::1]:2'])
    resolver.found = ['10.0.0.3:3']
    await clock.advance(19_999)
    expect(await addresses()).toEqual(['10.0.0.1:1', '[::1]:2'])
    await clock.advance(1)
    expect(await addresses()).toEqual(['10.0.0.3:3'])
    const request = { appId: 'shop', namespace: 'default', port: 50002, metadata: {} }
    expect(resolver.asked).toEqual([request, request])
  })

  it('holds for one call when it says nothing of time, and never for hours', async () => {
    const { resolver, clock, addresses } = setUp()
    resolver.found = ['a:1']
    await addresses()
    await addresses()
    expect(resolver.asked).toHaveLength(2)
    resolver.ttlMs = 24 * 3_600_000
    await addresses()
    await clock.advance(5 * 60_000)
    await addresses()
    expect(resolver.asked).toHaveLength(4)
  })

  it('is asked for once by all who ask at the same time', async () => {
    const { resolver, addresses, connected } = setUp()
    resolver.found = ['a:1']
    resolver.ttlMs = 1000
    let open = (): void => {}
    resolver.gate = new Promise((resolve) => (open = resolve))
    const asked = Array.from({ length: 10 }, () => addresses())
    open()
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 10 }, () => ['a:1']))
    expect(resolver.asked).toHaveLength(1)
    expect(connected).toEqual(['shop.default'])
  })

  it('is asked for anew when it is doubted', async () => {
    const { resolver, directory, addresses } = setUp()
    resolver.found = ['a:1']
    resolver.ttlMs = 60_000
    await addresses()
    resolver.found = ['b:1']
    directory.doubt('other', 'default')
    expect(await addresses()).toEqual(['a:1'])
    directory.doubt('shop', 'default')
    expect(await addresses()).toEqual(['b:1'])
  })

  it('that nobody is there is not believed for long', async () => {
    const { resolver, clock, addresses } = setUp()
    resolver.ttlMs = 60_000
    await expect(addresses()).rejects.toMatchObject({
      code: grpcStatus.NOT_FOUND,
      message: expect.stringContaining("couldn't find service: shop"),
    })
    resolver.found = ['a:1']
    await expect(addresses()).rejects.toMatchObject({ code: grpcStatus.NOT_FOUND })
    await clock.advance(1000)
    expect(await addresses()).toEqual(['a:1'])
  })
})

describe('a resolver that fails', () => {
  it('leaves the instances that were there a moment ago, and is asked again after a second', async () => {
    const { resolver, clock, logger, addresses } = setUp()
    resolver.found = ['a:1']
    await addresses()
    resolver.failure = new ComponentError('UNAVAILABLE', 'the catalogue is down')
    expect(await addresses()).toEqual(['a:1'])
    expect(await addresses()).toEqual(['a:1'])
    expect(resolver.asked).toHaveLength(2)
    expect(logger.records.map(({ message }) => message)).toEqual([
      'shop could not be looked up; its last known instances are used: the catalogue is down',
    ])
    resolver.failure = undefined
    resolver.found = ['b:1']
    await clock.advance(1000)
    expect(await addresses()).toEqual(['b:1'])
  })

  it.each([
    [
      'that the name is none',
      new ComponentError('INVALID_ARGUMENT', 'shop is no name'),
      3,
      'shop is no name',
    ],
    [
      'that nobody answers',
      new ComponentError('UNAVAILABLE', 'the catalogue is down'),
      9,
      'the catalogue is down',
    ],
    ['what nobody foresaw', new Error('token 123'), 9, 'unexpected error of the name resolution'],
  ])('says %s', async (_, failure, code, message) => {
    const { resolver, logger, addresses } = setUp()
    resolver.failure = failure
    await expect(addresses()).rejects.toMatchObject({ code, message, cause: failure })
    expect(logger.records).toHaveLength(failure instanceof ComponentError ? 0 : 1)
    resolver.failure = undefined
    resolver.found = ['a:1']
    expect(await addresses()).toEqual(['a:1'])
  })
})

describe('a watch', () => {
  it('tells of changes, and nobody asks', async () => {
    const { resolver, clock, directory, addresses } = setUp({ watch: true })
    resolver.found = ['a:1']
    expect(await addresses()).toEqual(['a:1'])
    resolver.watches[0]!.change(['a:1', 'b:1'].map(instanceOf))
    expect(await addresses()).toEqual(['a:1', 'b:1'])
    resolver.watches[0]!.change([])
    await expect(addresses()).rejects.toMatchObject({ code: grpcStatus.NOT_FOUND })
    resolver.watches[0]!.change(['c:1'].map(instanceOf))
    directory.doubt('shop', 'default')
    await clock.advance(3_600_000)
    expect(await addresses()).toEqual(['c:1'])
    expect(resolver.asked).toHaveLength(1)
  })

  it('that ended is begun anew by the next call', async () => {
    const { resolver, logger, addresses } = setUp({ watch: true })
    resolver.found = ['a:1']
    await addresses()
    resolver.found = ['b:1']
    resolver.watches[0]!.end(new Error('lost'))
    await Promise.resolve()
    expect(await addresses()).toEqual(['b:1'])
    expect(resolver.watches).toHaveLength(2)
    expect(logger.records.map(({ message }) => message)).toEqual(['the watch of shop ended'])
  })

  it('that cannot be begun anew leaves what was there', async () => {
    const { resolver, clock, addresses } = setUp({ watch: true })
    resolver.found = ['a:1']
    await addresses()
    resolver.watches[0]!.end(new Error('lost'))
    await Promise.resolve()
    resolver.failure = new ComponentError('UNAVAILABLE', 'down')
    expect(await addresses()).toEqual(['a:1'])
    resolver.failure = undefined
    resolver.found = ['b:1']
    await clock.advance(1000)
    expect(await addresses()).toEqual(['b:1'])
  })

  it('is closed with the directory, and so is one that begins only then', async () => {
    const { resolver, directory, addresses, closed } = setUp({ watch: true })
    resolver.found = ['a:1']
    await addresses()
    let open = (): void => {}
    resolver.gate = new Promise((resolve) => (open = resolve))
    const late = addresses('late')
    await Promise.resolve()
    await directory.close()
    open()
    await late.catch(() => {})
    expect(resolver.watches.map((watch) => watch.closed)).toEqual([true, true])
    expect(closed.sort()).toEqual(['late.default', 'shop.default'])
  })
})

describe('of many names', () => {
  it('the one that was asked for least lately is forgotten, unless calls of it are under way', async () => {
    const { resolver, directory, closed } = setUp()
    resolver.found = ['a:1']
    resolver.ttlMs = 60_000
    const busy = await directory.find('busy', 'default')
    busy.instances.pick()!.running++
    await directory.find('old', 'default')
    await directory.find('liked', 'default')
    for (let count = 0; count < 1010; count++) {
      await directory.find(`app${count}`, 'default')
      await directory.find('liked', 'default')
    }
    expect(closed).toContain('old.default')
    expect(closed).not.toContain('busy.default')
    expect(closed).not.toContain('liked.default')
    expect(closed).toHaveLength(13)
  })
})
