import { virtualClock } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import { Instances } from './instances.ts'

function three(): { instances: Instances; clock: ReturnType<typeof virtualClock> } {
  const clock = virtualClock()
  const instances = new Instances(clock)
  instances.update(['a:1', 'b:1', 'c:1'])
  return { instances, clock }
}

describe('the instances of an application', () => {
  it('are asked in turn while all are equal', () => {
    const { instances } = three()
    const picked = Array.from({ length: 6 }, () => instances.pick()!.address)
    expect(picked).toEqual(['a:1', 'b:1', 'c:1', 'a:1', 'b:1', 'c:1'])
  })

  it('get the next call when they have the fewest under way', () => {
    const { instances } = three()
    for (let call = 0; call < 30; call++) instances.pick()!.running++
    const busy = instances.pick()!
    busy.running += 5
    const next = Array.from({ length: 10 }, () => instances.pick()!.address)
    expect(next).not.toContain(busy.address)
  })

  it('rest after a refusal, longer each time, and are asked when all rest', async () => {
    const { instances, clock } = three()
    const bad = instances.pick()!
    instances.refused(bad)
    const seen = (): Set<string> => new Set(Array.from({ length: 9 }, () => instances.pick()!.address))
    expect(seen()).toEqual(new Set(['b:1', 'c:1']))
    await clock.advance(1000)
    expect(seen()).toContain(bad.address)
    instances.refused(bad)
    await clock.advance(1500)
    expect(seen()).not.toContain(bad.address)
    await clock.advance(500)
    expect(seen()).toContain(bad.address)
    for (let count = 0; count < 3; count++) instances.refused(instances.pick()!)
    expect(instances.pick()).toBeDefined()
  })

  it('are as before once they answer', async () => {
    const { instances } = three()
    const bad = instances.pick()!
    instances.refused(bad)
    instances.answered(bad)
    const picked = Array.from({ length: 3 }, () => instances.pick()!.address)
    expect(picked).toContain(bad.address)
    expect(bad.refusals).toBe(0)
  })

  it('are each tried once', () => {
    const { instances } = three()
    const tried = new Set<NonNullable<ReturnType<Instances['pick']>>>()
    for (let one = instances.pick(tried); one !== undefined; one = instances.pick(tried)) tried.add(one)
    expect([...tried].map(({ address }) => address).sort()).toEqual(['a:1', 'b:1', 'c:1'])
  })

  it('keep what is known of them when others come and go', () => {
    const { instances } = three()
    const first = instances.pick()!
    first.running = 3
    instances.update([first.address, 'd:1', 'd:1'])
    expect(instances.size).toBe(2)
    expect(instances.pick(new Set())?.address).toBe('d:1')
    instances.update([])
    expect(instances.pick()).toBeUndefined()
  })
})
