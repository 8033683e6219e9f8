import type { Clock, Random, Timer, Instance, InstanceWatch } from '@outrigger/spec'
import type { DecodedPacket } from 'dns-packet'
import { asksFor, encodeQuery, readInstances } from './messages.ts'

/** When it is asked, counted from the beginning of a search: messages get lost. */
const askAtMs = [0, 250, 700]
/** The longest that somebody waits for a first answer, and for more after it. */
const searchMs = 1000
const settleMs = 60
/** How often those that are known are asked for again. */
const refreshEveryMs = 10_000
/** Where nobody is, it is asked less and less often, down to this: whoever comes says so. */
const slowestRefreshMs = 80_000
/** An instance that has not been heard of for so long is gone: it missed three refreshments. */
const believeMs = 35_000
/** An application that nobody has asked for in this time is forgotten. */
const idleMs = 300_000
const mostInstances = 1000

interface Known {
  readonly instance: Instance
  readonly namespace: string | undefined
  expiresAt: number
}

interface Watch {
  readonly namespace: string
  readonly onChange: (instances: readonly Instance[]) => void
  readonly end: () => void
  told: string
}

export interface Browsing {
  readonly clock: Clock
  readonly random: Random
  readonly send: (message: Buffer) => Promise<void>
  /** Nobody needs it any more. */
  readonly idle: () => void
}

/** What is known of the instances of one application. It listens, asks now and then, and believes what it hears for a while. */
export class Browser {
  readonly #appId: string
  readonly #with: Browsing
  readonly #known = new Map<string, Known>()
  readonly #watches = new Set<Watch>()
  #usedAt: number
  #askedAt = Number.NEGATIVE_INFINITY
  #searchedAt = Number.NEGATIVE_INFINITY
  #search: Promise<void> | undefined
  #endSearch: (() => void) | undefined
  #heard: (() => void) | undefined
  #refresh: Timer | undefined
  #refreshMs = refreshEveryMs
  #closed = false

  constructor(appId: string, browsing: Browsing) {
    this.#appId = appId
    this.#with = browsing
    this.#usedAt = browsing.clock.monotonic()
    this.#armRefresh()
  }

  get watched(): boolean {
    return this.#watches.size > 0
  }

  get usedAt(): number {
    return this.#usedAt
  }

  /** All instances in a namespace. Waits only where none is known and none was looked for just now. */
  async find(namespace: string): Promise<Instance[]> {
    const { clock } = this.#with
    this.#usedAt = clock.monotonic()
    const known = this.#list(namespace)
    // While the first search goes on, those that answer a little later are waited for.
    if (this.#search !== undefined) await this.#search
    else if (known.length === 0 && clock.monotonic() - this.#searchedAt >= searchMs) await this.#startSearch()
    else return known
    return this.#list(namespace)
  }

  async watch(namespace: string, onChange: (instances: readonly Instance[]) => void): Promise<InstanceWatch> {
    const first = await this.find(namespace)
    const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
    const watch: Watch = { namespace, onChange, told: JSON.stringify(first), end: () => resolve(undefined) }
    onChange(first)
    if (this.#closed) watch.end()
    else this.#watches.add(watch)
    const close = (): Promise<void> => {
      this.#watches.delete(watch)
      watch.end()
      return Promise.resolve()
    }
    return { close, ended }
  }

  receive(message: DecodedPacket): void {
    const now = this.#with.clock.monotonic()
    // Everybody hears the answer to what somebody asks.
    if (asksFor(message, this.#appId)) this.#askedAt = now
    const { alive, gone } = readInstances(message, this.#appId)
    for (const name of gone) this.#known.delete(name.toLowerCase())
    for (const { instance: name, namespace, host, port, ttlMs } of alive) {
      const key = name.toLowerCase()
      for (const [other, { instance }] of this.#known) {
        // One that came back on its address, and could not say that it had left.
        if (other !== key && instance.host === host && instance.port === port) this.#known.delete(other)
      }
      if (!this.#known.has(key) && this.#known.size >= mostInstances) continue
      const expiresAt = now + Math.min(ttlMs, believeMs)
      this.#known.set(key, { instance: { host, port }, namespace, expiresAt })
    }
    if (alive.length > 0) {
      this.#heard?.()
      if (this.#refreshMs > refreshEveryMs) {
        this.#refreshMs = refreshEveryMs
        this.#refresh?.cancel()
        this.#armRefresh()
      }
    }
    if (alive.length + gone.length > 0) this.#tell()
  }

  /** Asks again at once: there is another way out. */
  ask(): Promise<void> {
    return this.#with.send(encodeQuery(this.#appId))
  }

  close(): void {
    this.#closed = true
    this.#refresh?.cancel()
    this.#endSearch?.()
    for (const watch of this.#watches) watch.end()
    this.#watches.clear()
  }

  #startSearch(): Promise<void> {
    const { clock } = this.#with
    const { promise, resolve } = Promise.withResolvers<void>()
    const timers = askAtMs.map((delayMs) => clock.schedule(delayMs, () => void this.ask()))
    const end = (): void => {
      for (const timer of timers) timer.cancel()
      this.#searchedAt = clock.monotonic()
      this.#search = undefined
      this.#endSearch = undefined
      this.#heard = undefined
      resolve()
    }
    // What has arrived while this process was busy is read before its time is over.
    const endSoon = (): void => void timers.push(clock.schedule(0, end))
    timers.push(clock.schedule(searchMs, endSoon))
    this.#heard = () => {
      this.#heard = undefined
      timers.push(clock.schedule(settleMs, endSoon))
    }
    this.#endSearch = end
    this.#search = promise
    return promise
  }

  #armRefresh(): void {
    const { clock, random } = this.#with
    // Not all at the same time: one question is enough for everybody.
    this.#refresh = clock.schedule(this.#refreshMs * (0.75 + 0.5 * random.next()), () => {
      const now = clock.monotonic()
      for (const [name, { expiresAt }] of this.#known) if (expiresAt <= now) this.#known.delete(name)
      this.#tell()
      if (!this.watched && now - this.#usedAt > idleMs) {
        this.#with.idle()
        return
      }
      this.#refreshMs =
        this.#known.size > 0 ? refreshEveryMs : Math.min(this.#refreshMs * 2, slowestRefreshMs)
      this.#armRefresh()
      if (now - this.#askedAt >= refreshEveryMs / 2) void this.ask()
    })
  }

  #list(namespace: string): Instance[] {
    const now = this.#with.clock.monotonic()
    return [...this.#known.values()]
      .filter((known) => known.expiresAt > now)
      .filter((known) => known.namespace === undefined || known.namespace === namespace)
      .map(({ instance }) => instance)
      .toSorted((a, b) => (a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1))
  }

  #tell(): void {
    for (const watch of this.#watches) {
      const instances = this.#list(watch.namespace)
      const told = JSON.stringify(instances)
      if (told === watch.told) continue
      watch.told = told
      watch.onChange(instances)
    }
  }
}
