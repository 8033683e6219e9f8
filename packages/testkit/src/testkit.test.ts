import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { freePort, recordingLogger, seededRandom, tempFolder, virtualClock, waitFor } from './index.ts'

describe('virtualClock', () => {
  it('stands still until it is told to go on', async () => {
    const clock = virtualClock(1000)
    const fired: [string, number][] = []
    const note = (name: string) => () => fired.push([name, clock.monotonic()])
    clock.schedule(20, note('late'))
    clock.schedule(10, note('early'))
    clock.schedule(10, note('second'))
    clock.schedule(15, note('cancelled')).cancel()
    expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([1000, 0, 3])
    await clock.advance(10)
    expect(fired).toEqual([
      ['early', 10],
      ['second', 10],
    ])
    await clock.advance(100)
    expect(fired.at(-1)).toEqual(['late', 20])
    expect([clock.now(), clock.pending]).toEqual([1110, 0])
  })

  it('fires what a timer sets in motion, in its own time', async () => {
    const clock = virtualClock()
    const times: number[] = []
    const loop = async () => {
      for (let index = 0; index < 3; index++) {
        await new Promise<void>((resolve) => void clock.schedule(10, resolve))
        times.push(clock.monotonic())
      }
    }
    const done = loop()
    await clock.advance(30)
    await done
    expect(times).toEqual([10, 20, 30])
  })

  it('goes from timer to timer', async () => {
    const clock = virtualClock()
    expect(await clock.advanceToNext()).toBe(false)
    clock.schedule(5000, () => {})
    expect(await clock.advanceToNext()).toBe(true)
    expect(clock.monotonic()).toBe(5000)
  })
})

describe('seededRandom', () => {
  it('is the same for the same seed', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed)
      return [random.next(), random.uuid(), random.next()]
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  it('is spread over its range', () => {
    const random = seededRandom(7)
    const buckets = Array.from({ length: 10 }, () => 0)
    for (let index = 0; index < 10_000; index++) buckets[Math.floor(random.next() * 10)]!++
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(200)
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

it('recordingLogger remembers, children included', () => {
  const logger = recordingLogger()
  logger.child('a').warn('careful', { n: 1 })
  logger.info('well')
  expect(logger.records[0]).toEqual({ level: 'warn', scope: 'test.a', message: 'careful', fields: { n: 1 } })
  expect(logger.messages('info')).toEqual(['well'])
})

describe('waitFor', () => {
  it('gives what it waited for', async () => {
    let count = 0
    expect(await waitFor(() => (++count > 2 ? 'there' : undefined), { everyMs: 1 })).toBe('there')
  })

  it('ends with what went wrong last', async () => {
    const never = waitFor(() => Promise.reject(new Error('why')), {
      deadlineMs: 5,
      everyMs: 1,
      what: 'the moon',
    })
    await expect(never).rejects.toMatchObject({
      message: 'the moon did not hold within 5 ms',
      cause: { message: 'why' },
    })
  })
})

it('tempFolder is gone when it is removed', async () => {
  const folder = await tempFolder()
  expect(existsSync(folder.path)).toBe(true)
  await folder.remove()
  expect(existsSync(folder.path)).toBe(false)
})

it('freePort has no listener', async () => {
  const port = await freePort()
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => reject(new Error('somebody listens')))
    socket.once('error', () => resolve())
  })
})
