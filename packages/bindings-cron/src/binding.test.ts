import { createForTest } from '@outrigger/conformance'
import type { Binding, BindingEvent, BindingReply, Metadata } from '@outrigger/spec'
import { recordingLogger, virtualClock, type RecordingLogger, type VirtualClock } from '@outrigger/testkit'
import { describe, expect, test } from 'vitest'
import definition from './index.ts'

/** Virtual time whose wall clock can be set without time going by. */
interface SettableClock extends VirtualClock {
  ahead: number
}

function settableClock(start: string): SettableClock {
  const time = virtualClock(Date.parse(start))
  return {
    ahead: 0,
    now() {
      return time.now() + this.ahead
    },
    monotonic: () => time.monotonic(),
    schedule: (delayMs, callback) => time.schedule(delayMs, callback),
    advance: (ms) => time.advance(ms),
    advanceToNext: () => time.advanceToNext(),
    get pending() {
      return time.pending
    },
  }
}

const ack: BindingReply = { settlement: 'ack' }

async function setUp(
  properties: Metadata,
): Promise<{ clock: SettableClock; binding: Binding; logger: RecordingLogger }> {
  const clock = settableClock('2026-01-31T09:59:58.250Z')
  const logger = recordingLogger()
  return { clock, logger, binding: await createForTest(definition, { properties, clock, logger }) }
}

describe('the binding', () => {
  test('delivers an event at each time, with the time as applications of Dapr find it', async () => {
    const { clock, binding } = await setUp({ schedule: 'TZ=Europe/Paris */2 * * * * *' })
    const events: BindingEvent[] = []
    const reader = await binding.read!((event) => {
      events.push(event)
      return Promise.resolve(ack)
    }, {})
    await clock.advance(4000)
    expect(events.map((event) => [event.data.length, event.metadata])).toEqual([
      [0, { readTimeUTC: '2026-01-31 10:00:00 +0000 UTC', timeZone: 'Europe/Paris' }],
      [0, { readTimeUTC: '2026-01-31 10:00:02 +0000 UTC', timeZone: 'Europe/Paris' }],
    ])
    await reader.close()
    expect(await reader.ended).toBeUndefined()
    expect(clock.pending).toBe(0)
    await binding.close()
  })

  test('an interval counts from the start and takes no notice of a clock that is set', async () => {
    const { clock, binding } = await setUp({ schedule: '@every 15s' })
    const seen: string[] = []
    await binding.read!((event) => {
      seen.push(event.metadata['readTimeUTC']!)
      return Promise.resolve(ack)
    }, {})
    await clock.advance(15_000)
    clock.ahead = -3_600_000
    await clock.advance(30_000)
    expect(seen).toEqual([
      '2026-01-31 10:00:13.25 +0000 UTC',
      '2026-01-31 09:00:28.25 +0000 UTC',
      '2026-01-31 09:00:43.25 +0000 UTC',
    ])
    await binding.close()
    expect(clock.pending).toBe(0)
  })

  test('a calendar notices a clock that is set within a minute, and makes up for what it missed once', async () => {
    const { clock, binding } = await setUp({ schedule: 'TZ=UTC 0 * * * *' })
    let runs = 0
    await binding.read!(() => {
      runs++
      return Promise.resolve(ack)
    }, {})
    await clock.advance(2000)
    expect(runs).toBe(1)
    clock.ahead = 5 * 3_600_000
    await clock.advance(60_000)
    expect(runs).toBe(2)
    await clock.advance(57 * 60_000)
    expect(runs).toBe(2)
    await clock.advance(2 * 60_000)
    expect(runs).toBe(3)
    await binding.close()
  })

  test('waits for what is months away', async () => {
    const { clock, binding } = await setUp({ schedule: 'TZ=UTC 0 0 1 6 *' })
    let at = ''
    await binding.read!((event) => {
      at = event.metadata['readTimeUTC']!
      return Promise.resolve(ack)
    }, {})
    clock.ahead = Date.parse('2026-05-31T23:00:00Z') - clock.now()
    await clock.advance(3_600_000 - 1000)
    expect(at).toBe('')
    await clock.advance(2000)
    expect(at).toBe('2026-06-01 00:00:00 +0000 UTC')
    await binding.close()
  })

  test('runs overlap up to the limit; more are left out and told once', async () => {
    const { clock, binding, logger } = await setUp({ schedule: '@every 1s', maxConcurrency: '2' })
    const answers: ((reply: BindingReply) => void)[] = []
    await binding.read!(() => new Promise((resolve) => answers.push(resolve)), {})
    await clock.advance(5000)
    expect(answers).toHaveLength(2)
    expect(logger.messages('warn')).toHaveLength(1)
    answers[0]!(ack)
    await clock.advance(1000)
    expect(answers).toHaveLength(3)
    for (const answer of answers) answer(ack)
    await binding.close()
  })

  test('a run that failed is not repeated', async () => {
    const { clock, binding } = await setUp({ schedule: '@every 10s' })
    let runs = 0
    await binding.read!(() => {
      runs++
      return Promise.resolve({ settlement: 'nack', error: new Error('no') })
    }, {})
    await clock.advance(19_000)
    expect(runs).toBe(1)
    await clock.advance(1000)
    expect(runs).toBe(2)
    await binding.close()
  })

  test('close awaits the runs under way, until its signal aborts them', async () => {
    const { clock, binding } = await setUp({ schedule: '@every 1s' })
    let signal: AbortSignal | undefined
    const reader = await binding.read!((_event, options) => {
      signal = options.signal
      return new Promise((resolve) => {
        signal!.addEventListener('abort', () => resolve({ settlement: 'nack' }))
      })
    }, {})
    await clock.advance(1000)
    const stop = new AbortController()
    let closed = false
    const closing = reader.close(stop.signal).then(() => {
      closed = true
    })
    await clock.advance(5000)
    expect([closed, signal!.aborted, clock.pending]).toEqual([false, false, 0])
    stop.abort()
    await closing
    expect(signal!.aborted).toBe(true)
    await Promise.all([reader.close(), binding.close(), reader.ended])
  })

  test('an application that never answers does not hold up the end once it was cut off', async () => {
    const { clock, binding } = await setUp({ schedule: '@every 1s' })
    const reader = await binding.read!(() => new Promise(() => {}), {})
    await clock.advance(1000)
    await reader.close(AbortSignal.abort())
    await binding.close()
    expect(await reader.ended).toBeUndefined()
  })

  test('refuses what it cannot do', async () => {
    const { binding } = await setUp({ schedule: '@daily' })
    const deliver = (): Promise<BindingReply> => Promise.resolve(ack)
    await binding.read!(deliver, {})
    await expect(binding.read!(deliver, {})).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' })
    await binding.close()
    await expect(binding.read!(deliver, {})).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(setUp({ schedule: '0 0 30 2 *' })).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(
        'schedule "0 0 30 2 *": day of month 30 does not exist in month 2',
      ) as string,
    })
    await expect(setUp({})).rejects.toThrow('schedule is required')
    await expect(setUp({ schedule: '@daily', maxConcurrency: '0' })).rejects.toThrow(
      'maxConcurrency must be at least 1',
    )
  })
})
