import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@outrigger/services'
import type { Random } from '@outrigger/spec'
import { seededRandom, waitFor } from '@outrigger/testkit'
import { expect, onTestFailed, onTestFinished } from 'vitest'
import type { Consumer, Sidecar } from '../../src/index.ts'
import { counts } from './brokers.ts'

/** Only ends what hangs. */
const deadlineMs = 40_000

/** Something that is killed now and then. */
export interface Mortal {
  readonly name: string
  kill(): Promise<unknown>
  revive(): Promise<unknown>
}

export const application = (consumer: Consumer): Mortal => ({
  name: 'application',
  kill: () => consumer.kill(),
  revive: () => consumer.restart(),
})

export const sidecarProcess = (sidecar: Sidecar): Mortal => ({
  name: 'sidecar',
  kill: () => sidecar.kill(),
  revive() {
    sidecar.start()
    return sidecar.ready()
  },
})

export const server = (service: Service): Mortal => ({
  name: 'broker',
  kill: () => service.kill(),
  revive: () => service.restart(),
})

/** The seed of a course, another one by OUTRIGGER_SEED; a test that fails says which it was. */
export function seedOf(otherwise: number): number {
  const seed = Number(process.env['OUTRIGGER_SEED'] ?? otherwise)
  if (!Number.isSafeInteger(seed)) throw new Error('OUTRIGGER_SEED must be a whole number')
  onTestFailed(() => console.log(`the same course again: OUTRIGGER_SEED=${seed}`))
  return seed
}

/** What came of a course, as the application has it. */
export interface Seen {
  /** Every delivery. */
  readonly got: readonly string[]
  /** What is over and done with, each as often as it was. */
  readonly done: readonly string[]
}

/** Messages that flow while this and that is killed, all by one seed, and the count of them. */
export class Course {
  readonly seed: number
  readonly random: Random
  readonly acknowledged: string[] = []
  /** All that was tried: what was not acknowledged may come or not. */
  readonly published: string[] = []
  /** Publishes that came to nothing, or nobody knows. */
  failed = 0
  readonly #kills = new Map<string, number>()
  readonly #publishers: Promise<void>[] = []
  #limit = 0
  #underWay = 0
  #over = false

  /** @param otherwise the seed, where none is chosen */
  constructor(otherwise: number) {
    this.seed = seedOf(otherwise)
    this.random = seededRandom(this.seed)
    onTestFinished(() => void (this.#over = true))
  }

  /** A whole number from 0 to `end`, without it. */
  below(end: number): number {
    return Math.floor(this.random.next() * end)
  }

  /** The same for a message of this course, whenever it is asked: a whole number from 0 to `end`, without it. */
  fate(id: string, end: number): number {
    const [key, number] = place(id)
    return Math.floor(seededRandom(this.seed + 7919 * (Number(key) + 1) * (number + 1)).next() * end)
  }

  /** Begins to publish: each publisher has a key of its own, `<key>-<number>`, and sends one message after the other. */
  publish(send: (id: string) => Promise<boolean>, publishers = 4): void {
    for (let key = 0; key < publishers; key++) this.#publishers.push(this.#publisher(key, send))
  }

  async #publisher(key: number, send: (id: string) => Promise<boolean>): Promise<void> {
    for (let number = 0; !this.#over;) {
      if (this.acknowledged.length + this.#underWay >= this.#limit) {
        await sleep(2)
        continue
      }
      const id = `${key}-${number++}`
      this.published.push(id)
      this.#underWay++
      const taken = await send(id).catch(() => false)
      this.#underWay--
      if (taken) {
        this.acknowledged.push(id)
      } else {
        this.failed++
        await sleep(20)
      }
    }
  }

  /** Lets messages flow until so many more are acknowledged; publishing goes on for a few. */
  async flow(count: number): Promise<void> {
    const enough = this.acknowledged.length + count
    this.#limit = enough + 15
    await waitFor(() => this.acknowledged.length >= enough, { deadlineMs, what: `${enough} publishes` })
  }

  /** Kills something in the middle of the flow, lets `meanwhile` pass, and brings all of it back in this order. */
  async kill(mortals: readonly Mortal[], meanwhile?: () => Promise<unknown>): Promise<void> {
    await this.flow(10 + this.below(30))
    await Promise.all(mortals.map((mortal) => mortal.kill()))
    for (const { name } of mortals) this.#kills.set(name, this.killed(name) + 1)
    await meanwhile?.()
    for (const mortal of mortals) await mortal.revive()
  }

  /** How often something of this name was killed. */
  killed(name: string): number {
    return this.#kills.get(name) ?? 0
  }

  /**
   * Ends publishing and waits until everything that was acknowledged is over and done with; prints what came of it.
   * Throws when something is lost, or when something came that nobody published.
   */
  async finish(look: () => Seen): Promise<void> {
    await this.flow(10)
    this.#over = true
    await Promise.all(this.#publishers)
    const missing = (): string[] => {
      const done = new Set(look().done)
      return this.acknowledged.filter((id) => !done.has(id))
    }
    const inTime = await waitFor(() => missing().length === 0, { deadlineMs, everyMs: 20 }).catch(() => false)
    const lost = missing()
    this.#print(look(), lost.length)
    expect(lost, `lost (seed ${this.seed})`).toEqual([])
    expect(inTime).toBe(true)
    const published = new Set(this.published)
    expect(look().got.filter((id) => !published.has(id))).toEqual([])
  }

  #print({ got, done }: Seen, lost: number): void {
    const { published, acknowledged, failed, seed } = this
    const kills = Array.from(this.#kills, ([name, count]) => `${count} of ${name}`).join(', ')
    const redelivered = got.length - counts(got).size
    const distinct = counts(done)
    const known = new Set(acknowledged)
    const unsure = Array.from(distinct.keys()).filter((id) => !known.has(id)).length
    console.log(
      `${published.length} published, ${acknowledged.length} acknowledged, ${distinct.size - unsure} of these processed, ` +
        `${lost} lost; of ${failed} not acknowledged ${unsure} processed; ${got.length} deliveries, ` +
        `${redelivered} of them again, ${done.length - distinct.size} done again; kills: ${kills || 'none'}; seed ${seed}`,
    )
  }
}

/** Key and number of a message. */
function place(id: string): readonly [key: string, number: number] {
  const at = id.indexOf('-')
  return [id.slice(0, at), Number(id.slice(at + 1))]
}

/** Messages that came for the first time when a later one of their key had come already. */
export function overtaken(ids: readonly string[]): string[] {
  const seen = new Set<string>()
  const last = new Map<string, number>()
  return ids.filter((id) => {
    if (seen.has(id)) return false
    seen.add(id)
    const [key, number] = place(id)
    const late = number < (last.get(key) ?? -1)
    if (!late) last.set(key, number)
    return late
  })
}

/** Deliveries, first or not, that came when a later one of their key had come already. */
export function backwards(ids: readonly string[]): string[] {
  const last = new Map<string, number>()
  return ids.filter((id) => {
    const [key, number] = place(id)
    const back = number < (last.get(key) ?? -1)
    if (!back) last.set(key, number)
    return back
  })
}
