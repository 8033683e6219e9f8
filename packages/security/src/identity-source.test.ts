import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { IdentitySource, type SecurityEvent } from './identity-source.ts'
import { IdentityRefused, type Identity } from './sentry-client.ts'
import { spiffeId } from './spiffe.ts'

const hour = 3_600_000
const day = 24 * hour

/** A sentry as an identity source sees it: answers, or throws what it is told to. */
function setUp() {
  const clock = virtualClock()
  const logger = recordingLogger()
  const events: SecurityEvent[] = []
  let failure: Error | undefined
  let jwtsLastMs: number | undefined
  let asked = 0
  const source = new IdentitySource({
    clock,
    logger,
    random: seededRandom(7),
    onEvent: (event) => events.push(event),
    request: async (): Promise<Identity> => {
      asked++
      if (failure !== undefined) throw failure
      return {
        id: spiffeId('public', 'default', 'orders'),
        chain: `chain ${asked}`,
        key: 'secret',
        notBefore: clock.now() - hour / 4,
        expiresAt: clock.now() + day,
        jwts: new Map(),
        jwtsExpireAt: jwtsLastMs === undefined ? undefined : clock.now() + jwtsLastMs,
      }
    },
  })
  onTestFinished(() => source.close())
  return {
    clock,
    logger,
    events,
    source,
    asked: () => asked,
    fail: (error: Error | undefined) => (failure = error),
    jwtsLast: (ms: number) => (jwtsLastMs = ms),
  }
}

describe('an identity', () => {
  it('comes, is renewed at half of its validity, and tells who listens', async () => {
    const { clock, source, events, asked } = setUp()
    let told = 0
    source.onChange(() => told++)
    await source.start(undefined)
    expect(source.current.chain).toBe('chain 1')
    await clock.advance(10 * hour)
    expect(asked()).toBe(1)
    await clock.advance(2 * hour)
    expect(source.current.chain).toBe('chain 2')
    expect(told).toBe(1)
    await clock.advance(12 * hour)
    expect(source.current.chain).toBe('chain 3')
    expect(events).toEqual([{ kind: 'initialised' }, { kind: 'renewed' }, { kind: 'renewed' }])
  })

  it('is renewed earlier when its tokens expire earlier', async () => {
    const { clock, source, jwtsLast } = setUp()
    jwtsLast(2 * hour)
    await source.start(undefined)
    await clock.advance(hour)
    expect(source.current.chain).toBe('chain 2')
  })

  it('is waited for while sentry is down', async () => {
    const { clock, logger, source, asked, fail } = setUp()
    fail(new Error('connection refused'))
    let started = false
    const start = source.start(undefined).then(() => (started = true))
    await clock.advance(10 * 60_000)
    expect(started).toBe(false)
    expect(asked()).toBeGreaterThan(20)
    expect(() => source.current).toThrow('there is no identity yet')
    expect(logger.messages('warn')[0]).toMatch(/no identity yet.*next attempt in .* s: connection refused/)
    fail(undefined)
    await clock.advance(30_000)
    await start
    expect(source.current.id.appId).toBe('orders')
  })

  it('is not waited for when sentry refuses it', async () => {
    const { source, fail, asked } = setUp()
    fail(new IdentityRefused('the token has expired'))
    await expect(source.start(undefined)).rejects.toThrow('the token has expired')
    expect(asked()).toBe(1)
  })

  it('is not waited for when nobody wants it any more', async () => {
    const { clock, source, fail, asked } = setUp()
    fail(new Error('connection refused'))
    const end = new AbortController()
    const start = source.start(end.signal)
    const caught = expect(start).rejects.toThrow('enough')
    await clock.advance(5000)
    end.abort(new Error('enough'))
    await caught
    const before = asked()
    await clock.advance(hour)
    expect(asked()).toBe(before)
  })

  it('stays until it expires when sentry is down, with one clear line each time, and recovers', async () => {
    const { clock, logger, source, fail, events } = setUp()
    await source.start(undefined)
    const { expiresAt } = source.current
    fail(new Error('connection refused'))
    await clock.advance(12 * hour)
    expect(source.current.chain).toBe('chain 1')
    expect(source.problem).toBe('connection refused')
    expect(logger.messages('warn').at(-1)).toContain(`valid until ${new Date(expiresAt).toISOString()}`)
    expect(logger.messages('error')).toEqual([])
    await clock.advance(13 * hour)
    const errors = logger.messages('error')
    expect(errors[0]).toMatch(
      /^The identity has expired at .*From now on no peer accepts this process.*connection refused$/,
    )
    expect(errors.filter((line) => line.includes('From now on'))).toHaveLength(1)
    fail(undefined)
    await clock.advance(30_000)
    expect(source.current.expiresAt).toBeGreaterThan(clock.now())
    expect(source.problem).toBeUndefined()
    expect(events.at(-1)).toEqual({ kind: 'renewed' })
  })

  it('goes on trying when a renewal is refused', async () => {
    const { clock, source, fail, events } = setUp()
    await source.start(undefined)
    fail(new IdentityRefused('the token has expired'))
    await clock.advance(12 * hour)
    expect(events.at(-1)).toEqual({ kind: 'failed', reason: 'refused' })
    fail(undefined)
    await clock.advance(60_000)
    expect(source.current.chain).not.toBe('chain 1')
  })

  it('is not renewed after the end, and leaves no timer', async () => {
    const { clock, source, asked } = setUp()
    await source.start(undefined)
    source.close()
    await settle()
    expect(clock.pending).toBe(0)
    await clock.advance(2 * day)
    expect(asked()).toBe(1)
  })

  it('never shows its key in the log', async () => {
    const { clock, logger, source, fail } = setUp()
    await source.start(undefined)
    fail(new Error('connection refused'))
    await clock.advance(2 * day)
    expect(JSON.stringify(logger.records)).not.toContain('secret')
  })
})
