import {
  ComponentError,
  type Clock,
  type OperationOptions,
  type Timer,
  type RegisteredInstance,
} from '@outrigger/spec'
import type { DecodedPacket } from 'dns-packet'
import { asksFor, encodeAnnouncement, type Announced } from './messages.ts'

/** One answer is for everybody who asks within this time, and for one who asks over two interfaces. */
const answerEveryMs = 100
/** An announcement is repeated once, in case it was lost (RFC 6762, section 8.3). */
const repeatAfterMs = 1000

interface Advertising {
  readonly clock: Clock
  readonly send: (message: Buffer) => Promise<void>
  readonly closed: () => void
}

/** An instance of this process: announced, and told to whoever asks, until it is closed. */
export class Advertisement implements RegisteredInstance {
  readonly #announced: Announced
  readonly #with: Advertising
  readonly #message: Buffer
  #healthy = true
  #closing: Promise<void> | undefined
  #repeat: Timer | undefined
  #answer: Timer | undefined
  #sentAt = Number.NEGATIVE_INFINITY
  #last: Promise<unknown> = Promise.resolve()

  constructor(announced: Announced, advertising: Advertising) {
    this.#announced = announced
    this.#with = advertising
    this.#message = encodeAnnouncement(announced)
  }

  /** Tells everybody, twice. */
  async announce(): Promise<void> {
    if (!this.#healthy || this.#closing !== undefined) return
    this.#repeat?.cancel()
    this.#repeat = this.#with.clock.schedule(repeatAfterMs, () => void this.#send())
    await this.#send()
  }

  receive(message: DecodedPacket): void {
    const { appId, instance } = this.#announced
    if (!this.#healthy || this.#closing !== undefined || this.#answer !== undefined) return
    if (!asksFor(message, appId, instance)) return
    const waitMs = Math.max(0, this.#sentAt + answerEveryMs - this.#with.clock.monotonic())
    this.#answer = this.#with.clock.schedule(waitMs, () => {
      this.#answer = undefined
      void this.#send()
    })
  }

  setHealthy(healthy: boolean, _options: OperationOptions): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#closing !== undefined) {
        throw new ComponentError('CLOSED', `the registration of ${this.#announced.appId} was closed`)
      }
      if (healthy === this.#healthy) return
      this.#healthy = healthy
      if (healthy) await this.announce()
      else await this.#leave()
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#inOrder(async () => {
      await this.#leave()
      this.#with.closed()
    })
    return this.#closing
  }

  async #send(): Promise<void> {
    if (!this.#healthy || this.#closing !== undefined) return
    this.#sentAt = this.#with.clock.monotonic()
    await this.#with.send(this.#message)
  }

  async #leave(): Promise<void> {
    this.#repeat?.cancel()
    this.#answer?.cancel()
    this.#answer = undefined
    await this.#with.send(encodeAnnouncement(this.#announced, true))
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}
