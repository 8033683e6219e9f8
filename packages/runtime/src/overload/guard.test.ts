import { recordingLogger, settle, virtualClock } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import { MemoryGuard, openGuard, type ProcessMemory } from './guard.ts'
import { systemLimit } from './process-memory.ts'

const mib = 2 ** 20

/** A process of which 60 MiB are none of the engine's, with buffers alive and dead. Its pages never shrink. */
class FakeProcess implements ProcessMemory {
  readonly limitBytes: number | undefined = 256 * mib
  alive = 0
  dead = 0
  heap = 10
  native = 60
  collections = 0
  shed = false
  #rss = 0
  bulk = (): void => {}

  use() {
    const external = (this.alive + this.dead) * mib
    const heapUsed = this.heap * mib
    this.#rss = Math.max(this.#rss, this.native * mib + external + heapUsed)
    return { rss: this.#rss, heapTotal: heapUsed, heapUsed, external }
  }

  heapLimitBytes = (): number => 128 * mib
  collect = (): void => {
    this.collections++
    this.dead = 0
  }
  onBulk = (look: () => void): void => void (this.bulk = look)
  shedBodies = (shed: boolean): void => void (this.shed = shed)
}

function setUp(limitBytes = 200 * mib) {
  const process = new FakeProcess()
  const clock = virtualClock()
  const logger = recordingLogger()
  const guard = new MemoryGuard({ limitBytes, memory: process, clock, logger })
  guard.start()
  const lines = (): string[] => logger.records.map(({ level, message }) => `${level}: ${message}`)
  return { process, clock, guard, lines }
}

describe('memory', () => {
  it('that is in use beyond the high mark ends new work until it is below the low one', async () => {
    const { process, clock, guard, lines } = setUp()
    process.alive = 79
    await clock.advance(1000)
    expect(guard.over).toBe(false)
    process.alive = 81
    await clock.advance(100)
    expect([guard.over, process.shed]).toEqual([true, true])
    process.alive = 62
    await clock.advance(2000)
    expect(guard.over).toBe(true)
    process.alive = 59
    await clock.advance(100)
    expect([guard.over, process.shed]).toEqual([false, false])
    expect(lines()).toEqual([
      'info: new work is refused while more than 150 MiB of memory are in use',
      'warn: memory is short: 76 % of 200 MiB are in use; new work is refused with 503 and messages are held back',
      'info: there is memory again: 65 % of 200 MiB are in use after 2 s',
    ])
  })

  it('that is dead is collected, and counts for nothing though its pages stay', async () => {
    const { process, clock, guard } = setUp()
    process.dead = 300
    await clock.advance(1000)
    expect([guard.over, process.collections]).toEqual([false, 1])
    process.alive = 79
    await clock.advance(5000)
    expect(guard.over).toBe(false)
  })

  it('that nobody counts is seen by the pages that are there', async () => {
    const { process, clock, guard } = setUp()
    process.native = 175
    await clock.advance(1000)
    expect(guard.over).toBe(true)
  })

  it('is looked at when much came in, not only from time to time', () => {
    const { process, guard } = setUp()
    process.alive = 150
    process.bulk()
    expect(guard.over).toBe(true)
  })

  it('is short for a second at least', async () => {
    const { process, clock, guard } = setUp()
    process.alive = 150
    process.bulk()
    process.alive = 0
    await clock.advance(900)
    expect(guard.over).toBe(true)
    await clock.advance(200)
    expect(guard.over).toBe(false)
  })

  it('of the heap counts against the limit of the heap', async () => {
    const { process, clock, guard } = setUp(1000 * mib)
    process.heap = 116
    await clock.advance(1000)
    expect(guard.over).toBe(true)
    process.heap = 80
    await clock.advance(2000)
    expect(guard.over).toBe(false)
  })

  it('that is in use from the beginning cannot be watched', async () => {
    const { process, clock, guard, lines } = setUp(80 * mib)
    process.alive = 500
    await clock.advance(5000)
    expect(guard.over).toBe(false)
    expect(lines()).toEqual([
      'warn: the memory limit of 80 MiB is not watched: 70 MiB are in use before there is any work',
    ])
    expect(clock.pending).toBe(0)
  })

  it('is not collected for more than half of the time', () => {
    const process = new FakeProcess()
    let now = 0
    const clock = { ...virtualClock(), monotonic: () => now, schedule: () => ({ cancel() {} }) }
    const { collect } = process
    process.collect = () => {
      collect()
      now += 20
    }
    const guard = new MemoryGuard({
      limitBytes: 200 * mib,
      memory: process,
      clock,
      logger: recordingLogger(),
    })
    guard.start()
    while (now < 20_000) {
      now += 10
      process.dead = 150
      process.bulk()
    }
    expect(process.collections).toBeGreaterThan(10)
    expect(process.collections * 20).toBeLessThanOrEqual(now / 2)
  })
})

describe('work that cannot be refused', () => {
  const never = new AbortController().signal

  it('begins at once where there is room', async () => {
    await setUp().guard.turn(never)
  })

  it('goes on one by one while there is none, so that what it holds is freed, and all when there is', async () => {
    const { process, clock, guard } = setUp()
    process.alive = 150
    process.bulk()
    const begun: number[] = []
    for (const id of [1, 2, 3, 4, 5]) void guard.turn(never).then(() => begun.push(id))
    await settle()
    expect(begun).toEqual([])
    await clock.advance(100)
    expect(begun).toEqual([1])
    await clock.advance(1000)
    expect(begun).toEqual([1, 2, 3, 4, 5])
    void guard.turn(never).then(() => begun.push(6))
    void guard.turn(never).then(() => begun.push(7))
    process.alive = 0
    await clock.advance(100)
    expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('waits no longer than its signal says, and than there is a guard', async () => {
    const { process, clock, guard } = setUp()
    process.alive = 150
    process.bulk()
    const life = new AbortController()
    const gone = guard.turn(life.signal)
    life.abort()
    await gone
    await guard.turn(life.signal)
    const last = guard.turn(never)
    guard.stop()
    await last
    expect([guard.over, clock.pending]).toEqual([false, 0])
  })
})

describe('a limit', () => {
  it.each([
    [128, 96],
    [256, 192],
    [512, 435],
    [4096, 3482],
  ])('of %d MiB leaves room for what is under way: %d', (limit, most) => {
    const { lines } = setUp(limit * mib)
    expect(lines()).toEqual([`info: new work is refused while more than ${most} MiB of memory are in use`])
  })

  const tools = { clock: virtualClock(), logger: recordingLogger() }

  it.each([
    ['is the one that is given', 100 * mib, new FakeProcess(), true],
    ["is else the system's", undefined, new FakeProcess(), true],
    ['may be switched off', 0, new FakeProcess(), false],
    [
      'is none where the system has none',
      undefined,
      Object.assign(new FakeProcess(), { limitBytes: undefined }),
      false,
    ],
    ['needs a process of its own', 100 * mib, undefined, false],
  ])('%s', (_, given, memory, there) => {
    expect(openGuard(given, memory as ProcessMemory | undefined, tools) !== undefined).toBe(there)
  })

  it.each([
    [0, undefined],
    [18446744073709552000, undefined],
    [1000, undefined],
    [512, 512],
  ])('of %d told by the system is %s', (told, limit) => expect(systemLimit(told, 1000)).toBe(limit))
})
