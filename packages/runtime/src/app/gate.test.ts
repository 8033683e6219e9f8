import { seededRandom } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import { AppBusyError, type Place } from './channel.ts'
import { Gate } from './gate.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Enters and notes it under a name. */
function entering(gate: Gate, order: string[], source: string, name = source): Promise<Place> {
  return gate.enter(source).then((place) => {
    order.push(name)
    return place
  })
}

describe('one source', () => {
  it('is let in by so many, the others in their order', async () => {
    const gate = new Gate(2, 10)
    const order: string[] = []
    const [first, second] = [await gate.enter(''), await gate.enter('')]
    const waiting = ['a', 'b', 'c'].map((name) => entering(gate, order, '', name))
    await settled()
    expect(order).toEqual([])
    first.leave()
    const third = await waiting[0]!
    expect(order).toEqual(['a'])
    second.leave()
    third.leave()
    await Promise.all(waiting)
    expect(order).toEqual(['a', 'b', 'c'])
  })

  it('is refused when too many wait, and has room again when they left', async () => {
    const gate = new Gate(1, 1)
    const first = await gate.enter('')
    const waiting = gate.enter('')
    await expect(gate.enter('')).rejects.toBeInstanceOf(AppBusyError)
    first.leave()
    ;(await waiting).leave()
    await gate.enter('')
  })

  it('leaves a place once, however often it says so', async () => {
    const gate = new Gate(1, 10)
    const first = await gate.enter('')
    const waiting = [gate.enter(''), gate.enter('')]
    first.leave()
    first.leave()
    await waiting[0]
    const last = await Promise.race([waiting[1], settled().then(() => 'waits')])
    expect(last).toBe('waits')
  })

  it('forgets those that gave up', async () => {
    const gate = new Gate(1, 1)
    const first = await gate.enter('')
    const leaving = new AbortController()
    const gone = gate.enter('', leaving.signal)
    leaving.abort()
    await expect(gone).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(gate.enter('', AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
    const next = gate.enter('')
    first.leave()
    await next
  })
})

describe('several sources', () => {
  it('take turns, whatever the length of their lines', async () => {
    const gate = new Gate(1, 100)
    const order: string[] = []
    let place = await gate.enter('flood')
    const waiting = Array.from({ length: 6 }, (_, index) => entering(gate, order, 'flood', `flood ${index}`))
    waiting.push(
      entering(gate, order, 'a'),
      entering(gate, order, 'b'),
      entering(gate, order, 'a', 'a again'),
    )
    while (order.length < waiting.length) {
      const before = order.length
      place.leave()
      await settled()
      expect(order.length).toBe(before + 1)
      place = await waiting[names.indexOf(order.at(-1)!)]!
    }
    expect(order).toEqual([
      ...['flood 0', 'a', 'b', 'flood 1', 'a again', 'flood 2', 'flood 3', 'flood 4', 'flood 5'],
    ])
  })
  const names = [...Array.from({ length: 6 }, (_, index) => `flood ${index}`), 'a', 'b', 'a again']

  it('find room though one of them floods', async () => {
    const gate = new Gate(1, 100)
    await gate.enter('flood')
    const flood = Array.from({ length: 200 }, () => gate.enter('flood'))
    const refused = (await Promise.all(flood.map(isRefused))).filter((it) => it === true).length
    // Three quarters of the places for one.
    expect(refused).toBe(125)
    expect(await isRefused(gate.enter('a'))).toBe(false)
    expect(await isRefused(gate.enter('b'))).toBe(false)
    expect(await isRefused(gate.enter('flood'))).toBe(true)
  })

  it('let those wait who are patient, however many wait, in their turn', async () => {
    const gate = new Gate(1, 1)
    const first = await gate.enter('')
    const second = gate.enter('')
    const messages = Array.from({ length: 50 }, () => gate.enter('pubsub orders', undefined, true))
    await expect(gate.enter('')).rejects.toBeInstanceOf(AppBusyError)
    first.leave()
    ;(await second).leave()
    // Who is patient takes nothing of the room of the others.
    const third = gate.enter('')
    for (const message of messages.slice(0, 2)) (await message).leave()
    ;(await third).leave()
    for (const message of messages.slice(2)) (await message).leave()
    await gate.enter('')
  })
})

/** Whether it was refused, as far as that is known at once. */
function isRefused(entry: Promise<Place>): Promise<boolean> {
  return Promise.race([
    entry.then(
      () => false,
      (error: unknown) => {
        if (error instanceof AppBusyError) return true
        throw error
      },
    ),
    settled().then(() => false),
  ])
}

/** What a gate must do, said as simply as possible: lists, searched from the front. */
class Model {
  readonly inside = new Set<number>()
  readonly waiting: { id: number; source: string; patient: boolean }[] = []
  /** Sources that wait, whose turn it is first. */
  turns: string[] = []
  readonly refused: number[] = []
  readonly limit: number
  readonly maxWaiting: number

  constructor(limit: number, maxWaiting: number) {
    this.limit = limit
    this.maxWaiting = maxWaiting
  }

  enter(id: number, source: string, patient: boolean): void {
    const counted = this.waiting.filter((one) => !one.patient)
    const own = counted.filter((one) => one.source === source).length
    if (this.inside.size < this.limit) this.inside.add(id)
    else if (!patient && !(counted.length < this.maxWaiting && own < 3 * (this.maxWaiting - counted.length)))
      this.refused.push(id)
    else {
      this.waiting.push({ id, source, patient })
      if (!this.turns.includes(source)) this.turns.push(source)
    }
  }

  leave(id: number): void {
    this.inside.delete(id)
    const source = this.turns.shift()
    if (source === undefined) return
    const index = this.waiting.findIndex((one) => one.source === source)
    this.inside.add(this.waiting.splice(index, 1)[0]!.id)
    if (this.waiting.some((one) => one.source === source)) this.turns.push(source)
  }

  giveUp(id: number): void {
    const index = this.waiting.findIndex((one) => one.id === id)
    const { source } = this.waiting.splice(index, 1)[0]!
    if (!this.waiting.some((one) => one.source === source))
      this.turns = this.turns.filter((one) => one !== source)
  }
}

describe('any course of events', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('ends as the model says (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const upTo = (count: number): number => Math.floor(random.next() * count)
    const limit = 1 + upTo(4)
    const maxWaiting = 1 + upTo(20)
    const gate = new Gate(limit, maxWaiting)
    const model = new Model(limit, maxWaiting)
    const places = new Map<number, Place>()
    const aborts = new Map<number, AbortController>()
    const refused: number[] = []
    const gaveUp: number[] = []
    for (let id = 0; id < 400; id++) {
      const [inside, waiting] = [[...places.keys()], model.waiting.map((one) => one.id)]
      const dice = random.next()
      if (dice < 0.35 && inside.length > 0) {
        const one = inside[upTo(inside.length)]!
        places.get(one)!.leave()
        places.delete(one)
        model.leave(one)
      } else if (dice < 0.45 && waiting.length > 0) {
        const one = waiting[upTo(waiting.length)]!
        aborts.get(one)!.abort()
        model.giveUp(one)
      } else {
        const source = `source ${upTo(4)}`
        const patient = random.next() < 0.2
        const abort = new AbortController()
        aborts.set(id, abort)
        gate.enter(source, abort.signal, patient).then(
          (place) => places.set(id, place),
          (error: unknown) => void (error instanceof AppBusyError ? refused : gaveUp).push(id),
        )
        model.enter(id, source, patient)
      }
      await settled()
      expect(places.size).toBeLessThanOrEqual(limit)
      expect([...places.keys()].sort(byNumber)).toEqual([...model.inside].sort(byNumber))
      expect(refused).toEqual(model.refused)
    }
    // Nobody is forgotten: when everybody leaves, everybody was inside.
    while (places.size > 0) {
      const [id, place] = [...places][0]!
      places.delete(id)
      place.leave()
      model.leave(id)
      await settled()
      expect([...places.keys()].sort(byNumber)).toEqual([...model.inside].sort(byNumber))
    }
    expect(model.waiting).toEqual([])
    for (let count = 0; count < limit; count++)
      expect(await isRefused(gate.enter('')), 'all places are free').toBe(false)
  })
})

const byNumber = (a: number, b: number): number => a - b
