import { recordingLogger } from '@outrigger/testkit'
import { describe, expect, test } from 'vitest'
import { Guard, type Entry } from './guard.ts'
import { breakerRules, flowRules, isolationRules, systemRules } from './rules.ts'
import type { Machine } from './system.ts'

interface Given {
  readonly flow?: readonly object[]
  readonly breakers?: readonly object[]
  readonly isolation?: readonly object[]
  readonly system?: readonly object[]
  readonly machine?: Partial<Machine>
  readonly memory?: () => number
}

function guard({ flow, breakers, isolation, system, machine, memory = () => 0 }: Given) {
  const logger = recordingLogger()
  const made = new Guard(
    {
      flow: flowRules(flow, logger),
      breakers: breakerRules(breakers, logger),
      isolation: isolationRules(isolation, logger),
      system: systemRules(system, logger),
    },
    { load: () => 0, cpu: () => 0, close: () => {}, ...machine },
    memory,
  )
  return {
    enter: (now: number, name = 'a') => made.enter(name, now),
    /** Enters and leaves at once. */
    pass: (now: number, name = 'a') => {
      const entry = made.enter(name, now)
      if (typeof entry === 'string') return entry
      entry.exit(now + entry.waitMs, false)
      return entry.waitMs
    },
    /** Enters, takes a while, and leaves. */
    run: (now: number, ms: number, failed = false) => {
      const entry = made.enter('a', now)
      if (typeof entry === 'string') return entry
      entry.exit(now + ms, failed)
      return 'passed'
    },
  }
}

describe('flow rules', () => {
  test('let so many a second through, in a window that moves on by half a second', () => {
    const { pass } = guard({ flow: [{ resource: 'a', threshold: 2 }] })
    expect([pass(0), pass(100), pass(200), pass(999)]).toEqual([0, 0, 'a flow rule', 'a flow rule'])
    expect([pass(1000), pass(1001), pass(1002)]).toEqual([0, 0, 'a flow rule'])
    expect(pass(1200, 'other')).toBe(0)
  })

  test.each([500, 2000, 10_000, 60_000, 100, 1234])(
    'count within their own interval of %i ms',
    (statIntervalInMs) => {
      const { pass } = guard({ flow: [{ resource: 'a', threshold: 1, statIntervalInMs }] })
      expect([pass(0), pass(statIntervalInMs - 1), pass(statIntervalInMs)]).toEqual([0, 'a flow rule', 0])
    },
  )

  test('a threshold of zero lets nothing through', () => {
    expect(guard({ flow: [{ resource: 'a' }] }).pass(0)).toBe('a flow rule')
    expect(guard({ flow: [{ resource: 'a', controlBehavior: 1 }] }).pass(0)).toBe('a flow rule')
  })

  test('have requests wait for each other, as long as they may', () => {
    const { pass } = guard({
      flow: [{ resource: 'a', threshold: 10, controlBehavior: 1, maxQueueingTimeMs: 250 }],
    })
    expect([pass(0), pass(0), pass(0), pass(0)]).toEqual([0, 100, 200, 'a flow rule'])
    expect([pass(100), pass(1000)]).toEqual([200, 0])
  })

  test('begin slowly after a rest', () => {
    const { pass } = guard({
      flow: [{ resource: 'a', threshold: 100, tokenCalculateStrategy: 1, warmUpPeriodSec: 10 }],
    })
    const perSecond = (from: number): number => {
      let count = 0
      for (let now = from; now < from + 1000; now += 2) if (pass(now) === 0) count++
      return count
    }
    const rates = Array.from({ length: 20 }, (_, second) => perSecond(second * 1000))
    // A third at first, as the factor is 3 without one, and all of it when it is warm.
    expect(rates[0]).toBeLessThanOrEqual(35)
    expect(rates[0]).toBeGreaterThanOrEqual(32)
    expect(rates.at(-1)).toBe(100)
    for (const [index, rate] of rates.entries())
      expect(rate).toBeGreaterThanOrEqual((rates[index - 1] ?? 0) - 2)
    // After a long rest it is cold again.
    expect(perSecond(120_000)).toBeLessThanOrEqual(35)
  })

  test('let less through while much memory is used', () => {
    let memory = 0
    const { pass } = guard({
      memory: () => memory,
      flow: [
        {
          resource: 'a',
          tokenCalculateStrategy: 2,
          lowMemUsageThreshold: 4,
          highMemUsageThreshold: 2,
          memLowWaterMarkBytes: 100,
          memHighWaterMarkBytes: 200,
        },
      ],
    })
    const most = (now: number) => [1, 2, 3, 4, 5].filter(() => pass(now) === 0).length
    expect(most(0)).toBe(4)
    memory = 150
    expect(most(10_000)).toBe(3)
    memory = 500
    expect(most(20_000)).toBe(2)
  })

  test('depend on another resource', () => {
    const { pass } = guard({ flow: [{ resource: 'a', threshold: 2, relationStrategy: 1, refResource: 'b' }] })
    expect([pass(0), pass(0), pass(0)]).toEqual([0, 0, 0])
    pass(0, 'b')
    expect(pass(0)).toBe(0)
    pass(0, 'b')
    expect([pass(0), pass(0, 'b')]).toEqual(['a flow rule', 0])
  })
})

test('isolation rules let so many be under way', () => {
  const { enter } = guard({
    isolation: [
      { resource: 'a', threshold: 2 },
      { resource: 'a', threshold: 5 },
    ],
  })
  const first = enter(0) as Entry
  enter(0)
  expect(enter(0)).toBe('an isolation rule')
  first.exit(10, false)
  expect(enter(10)).toBeTypeOf('object')
})

describe('circuit breakers', () => {
  const rule = { resource: 'a', retryTimeoutMs: 1000, statIntervalMs: 1000, minRequestAmount: 2 }

  test('open for slow requests, try one after a while, and close when it is fast', () => {
    const { run, enter } = guard({ breakers: [{ ...rule, maxAllowedRtMs: 50, threshold: 0.5 }] })
    expect([run(0, 51), run(0, 50), run(100, 1)]).toEqual(['passed', 'passed', 'a circuit breaker'])
    expect(run(1049, 1)).toBe('a circuit breaker')
    const probe = enter(1051) as Entry
    expect(enter(1051)).toBe('a circuit breaker')
    probe.exit(1102, false)
    expect(run(1200, 1)).toBe('a circuit breaker')
    expect([run(2102, 1), run(2110, 51), run(2120, 51)]).toEqual(['passed', 'passed', 'passed'])
    expect(run(2200, 1)).toBe('a circuit breaker')
  })

  test.each([
    [1, 0.5, ['passed', 'passed', 'a circuit breaker']],
    [1, 0.6, ['passed', 'passed', 'passed']],
    [2, 1, ['passed', 'passed', 'a circuit breaker']],
    [2, 2, ['passed', 'passed', 'passed']],
  ])('open for errors by strategy %i at %d', (strategy, threshold, outcomes) => {
    const { run } = guard({ breakers: [{ ...rule, strategy, threshold }] })
    expect([run(0, 1, true), run(0, 1), run(100, 1)]).toEqual(outcomes)
  })

  test('forget what was before their interval', () => {
    const { run } = guard({
      breakers: [{ ...rule, strategy: 2, threshold: 2, statSlidingWindowBucketCount: 2 }],
    })
    expect([run(0, 1, true), run(1000, 1, true), run(1100, 1)]).toEqual(['passed', 'passed', 'passed'])
    expect([run(1200, 1, true), run(1300, 1)]).toEqual(['passed', 'a circuit breaker'])
  })

  test('may ask for several that are fast', () => {
    const { run } = guard({
      breakers: [{ ...rule, strategy: 2, threshold: 1, minRequestAmount: 1, probeNum: 2 }],
    })
    run(0, 1, true)
    expect([run(1001, 1), run(1002, 1), run(1003, 1)]).toEqual(['passed', 'passed', 'passed'])
    run(2000, 1, true)
    expect(run(2001, 1)).toBe('a circuit breaker')
  })

  test('that let one try do not wait for it for ever when another one refuses it', () => {
    const { run } = guard({
      breakers: [
        { ...rule, strategy: 2, threshold: 1, minRequestAmount: 1 },
        { ...rule, strategy: 2, threshold: 1, minRequestAmount: 1, retryTimeoutMs: 3000 },
      ],
    })
    run(0, 1, true)
    expect([run(1500, 1), run(3002, 1), run(3003, 1)]).toEqual(['a circuit breaker', 'passed', 'passed'])
  })
})

describe('system rules', () => {
  test.each([
    [{ metricType: 3, triggerCount: 2 }, 'a system rule (requests a second)'],
    [{ metricType: 2, triggerCount: 2 }, 'a system rule (concurrency)'],
  ])('%j', (rule, refusal) => {
    const { enter } = guard({ system: [rule] })
    expect([enter(0), enter(0, 'b')].every((entry) => typeof entry === 'object')).toBe(true)
    expect(enter(0, 'c')).toBe(refusal)
  })

  test('by the average time of the last second', () => {
    const { run } = guard({ system: [{ metricType: 1, triggerCount: 10 }] })
    expect([run(0, 5), run(10, 15), run(30, 1), run(2000, 1)]).toEqual([
      'passed',
      'passed',
      'a system rule (average time)',
      'passed',
    ])
  })

  test.each([
    [0, { load: () => 5 }, 'load'],
    [4, { cpu: () => 0.9 }, 'CPU'],
  ])('by the machine: %i', (metricType, machine, name) => {
    const trigger = metricType === 0 ? 4 : 0.8
    const plain = guard({ machine, system: [{ metricType, triggerCount: trigger }] })
    expect(plain.enter(0)).toBe(`a system rule (${name})`)
    expect(
      guard({ machine, system: [{ metricType, triggerCount: metricType === 0 ? 5 : 0.9 }] }).run(0, 1),
    ).toBe('passed')
    // With strategy 1, only while more are under way than it can carry.
    const adaptive = guard({ machine, system: [{ metricType, triggerCount: trigger, strategy: 1 }] })
    expect([typeof adaptive.enter(0), typeof adaptive.enter(0), adaptive.enter(0)]).toEqual([
      'object',
      'object',
      `a system rule (${name})`,
    ])
  })
})

describe('a rule that is none', () => {
  const logger = recordingLogger()
  test.each([
    [() => flowRules({}, logger), 'flowRules must be a list of rules in JSON'],
    [() => flowRules(['a'], logger), 'flowRules[0] must be a rule'],
    [() => flowRules([{ threshold: 1 }], logger), 'flowRules[0] needs a resource'],
    [() => flowRules([{ resource: 'a', threshold: '1' }], logger), 'flowRules[0].threshold must be a number'],
    [
      () => flowRules([{ resource: 'a', threshold: -1 }], logger),
      'flowRules[0].threshold must not be below zero',
    ],
    [() => flowRules([{ resource: 1 }], logger), 'flowRules[0].resource must be a text'],
    [
      () => flowRules([{ resource: 'a', controlBehavior: 2 }], logger),
      'flowRules[0].controlBehavior must be 0 or 1',
    ],
    [() => flowRules([{ resource: 'a', relationStrategy: 1 }], logger), 'flowRules[0] needs a refResource'],
    [
      () => flowRules([{ resource: 'a', tokenCalculateStrategy: 1 }], logger),
      'flowRules[0] needs a warmUpPeriodSec',
    ],
    [
      () => flowRules([{ resource: 'a', tokenCalculateStrategy: 2 }], logger),
      'flowRules[0].lowMemUsageThreshold',
    ],
    [
      () =>
        flowRules(
          Array.from({ length: 1001 }, () => ({ resource: 'a' })),
          logger,
        ),
      'more than 1000 rules',
    ],
    [() => breakerRules([{ resource: 'a' }], logger), 'circuitBreakerRules[0] needs a statIntervalMs'],
    [
      () => breakerRules([{ resource: 'a', statIntervalMs: 1 }], logger),
      'circuitBreakerRules[0] needs a retryTimeoutMs',
    ],
    [
      () => breakerRules([{ resource: 'a', statIntervalMs: 1, retryTimeoutMs: 1, threshold: 2 }], logger),
      'circuitBreakerRules[0].threshold is a ratio',
    ],
    [() => isolationRules([{ resource: 'a' }], logger), 'isolationRules[0] needs a threshold'],
    [() => systemRules([{ metricType: 5 }], logger), 'systemRules[0].metricType must be'],
    [
      () => systemRules([{ metricType: 4, triggerCount: 2 }], logger),
      'systemRules[0].triggerCount is a ratio',
    ],
  ])('%#', (read, message) => {
    expect(read).toThrow(message)
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_METADATA' }))
  })

  test('is warned of where a key means nothing; names are read without regard to case', () => {
    const own = recordingLogger()
    expect(flowRules([{ RESOURCE: 'a', Threshold: 3, id: 'x', qps: 1 }], own)[0]).toMatchObject({
      resource: 'a',
      threshold: 3,
    })
    expect(own.records.map(({ message }) => message)).toEqual([
      'flowRules[0].qps is not known and has no effect',
    ])
  })
})
