import type { Binding, BindingReader, BindingReply, DeliverEvent } from '@outrigger/spec'
import { neverReached, type AppChannel } from '../app/channel.ts'
import { HeldPlace } from '../app/held-place.ts'
import { whilePending, withDeadline } from '../app/time.ts'
import type { Live } from '../components/live.ts'
import { Calm } from '../pubsub/calm.ts'
import { BreakerError } from '../resiliency/breaker.ts'
import { deliverByPolicy } from './by-policy.ts'
import { declaredDirections } from './direction.ts'
import type { EventDoor } from './events.ts'
import { httpEvents } from './http-events.ts'
import type { InputBindings, InputBindingsOptions } from './types.ts'

/** Creates the reading side of the bindings; nothing is read before `start`. */
export function createInputBindings(options: InputBindingsOptions): InputBindings {
  return new Inputs(options)
}

class Inputs implements InputBindings {
  private readonly options: InputBindingsOptions
  private readonly calm: Calm
  private door: EventDoor | undefined
  private readonly readers = new Map<string, BindingReader>()
  /** Those of which it is known whether the application wants them. */
  private readonly decided = new Set<string>()
  private readonly closing = new AbortController()
  private readonly cut = new AbortController()
  /** Aborts when no further tries are wanted: the application is not healthy, or all ends. */
  private halt = new AbortController()
  private turn: Promise<void> = Promise.resolve()
  private paused = false

  constructor(options: InputBindingsOptions) {
    this.options = options
    this.calm = new Calm(options.clock, options.random)
  }

  list(): readonly string[] {
    return [...this.readers.keys()]
  }

  start(signal?: AbortSignal): Promise<void> {
    const { channel, bindings } = this.options
    if (channel === undefined) return Promise.resolve()
    const until = AbortSignal.any([this.closing.signal, ...(signal === undefined ? [] : [signal])])
    this.turn = this.turn.then(async () => {
      const door = (this.door ??= await this.doorOf(channel))
      await Promise.all(Array.from(bindings.values(), (live) => this.open(live, door, until)))
    })
    return this.turn
  }

  pause(): void {
    this.paused = true
    this.halt.abort()
  }

  resume(): void {
    this.paused = false
    if (!this.closing.signal.aborted) this.halt = new AbortController()
    // Those that could not be asked before.
    void this.start()
  }

  async stop(signal?: AbortSignal): Promise<void> {
    const giveUp = (): void => this.cut.abort(signal?.reason)
    if (signal?.aborted) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
    this.closing.abort()
    this.halt.abort()
    await this.turn
    const { logger } = this.options
    await Promise.all(
      Array.from(this.readers, async ([name, reader]) => {
        try {
          await reader.close(signal)
        } catch (error) {
          logger.warn(`input binding ${name} did not close well`, { problem: messageOf(error) })
        }
      }),
    )
    this.readers.clear()
    signal?.removeEventListener('abort', giveUp)
    this.cut.abort()
  }

  private async doorOf(channel: AppChannel): Promise<EventDoor> {
    const { responder, logger, maxReplyBytes = 4 * 1024 * 1024 } = this.options
    if (channel.kind === 'http') return httpEvents(channel, responder, maxReplyBytes)
    const { grpcEvents } = await import('./grpc-events.ts')
    return grpcEvents(channel, responder, logger)
  }

  private async open(live: Live<Binding>, door: EventDoor, signal: AbortSignal): Promise<void> {
    const { logger } = this.options
    const { name, instance: binding } = live
    if (this.decided.has(name) || signal.aborted) return
    if (!binding.capabilities.has('input') || binding.read === undefined) return
    const wanted = await this.isWanted(live, door, signal)
    if (wanted === undefined || signal.aborted) return
    this.decided.add(name)
    if (!wanted) {
      logger.info(`the application has not subscribed to binding ${name}`)
      return
    }
    try {
      const deliver = this.delivery(live, door)
      const reader = await whilePending(signal, (pending) => binding.read!(deliver, { signal: pending }))
      this.readers.set(name, reader)
      const ended = (error: unknown): void => {
        this.readers.delete(name)
        if (error !== undefined) logger.error(`input binding ${name} ended`, { problem: messageOf(error) })
      }
      // It never rejects, says the contract; one that does must not end the process.
      void reader.ended.then(ended, ended)
    } catch (error) {
      logger.error(`input binding ${name} cannot be read`, { problem: messageOf(error) })
    }
  }

  /** `undefined` when the application did not answer. */
  private async isWanted(
    live: Live<Binding>,
    door: EventDoor,
    parent: AbortSignal,
  ): Promise<boolean | undefined> {
    const directions = declaredDirections(live.properties)
    if (directions !== undefined) return directions.has('input')
    const { clock, logger, optionsTimeoutMs = 3000 } = this.options
    try {
      return await withDeadline(clock, optionsTimeoutMs, parent, (signal) => door.wants(live, signal))
    } catch (error) {
      if (!parent.aborted) {
        logger.warn(
          `the application did not say whether it wants binding ${live.name}: ${door.question(live)}`,
          { problem: messageOf(error) },
        )
      }
      return undefined
    }
  }

  private delivery(live: Live<Binding>, door: EventDoor): DeliverEvent {
    const policy = this.options.policyOf?.(live.name)
    const source = `binding ${live.name}`
    return async (event, options) => {
      let held: HeldPlace | undefined
      try {
        if (this.paused) return await this.refuse(new Error('the application is not healthy'))
        const { overload } = this.options
        if (overload?.over === true) {
          await overload.turn(this.closing.signal)
          if (this.closing.signal.aborted) return await this.refuse(new Error('the sidecar is stopping'))
        }
        const { signal } = options
        const until = signal === undefined ? this.cut.signal : AbortSignal.any([this.cut.signal, signal])
        const own = { ...options, signal: until }
        held = door.place && new HeldPlace(door.place, source, until)
        if (policy === undefined && held !== undefined) await held.next()
        const { reply, respond } =
          policy === undefined
            ? await door.deliver(live, event, { ...own, place: held?.current })
            : await deliverByPolicy(policy, door, live, event, own, this.halt.signal, held)
        await respond?.(own)
        this.calm.succeeded()
        return reply
      } catch (error) {
        this.options.logger.warn(`an event of binding ${live.name} was not processed`, {
          problem: messageOf(error),
        })
        const failure = error instanceof Error ? error : new Error(String(error))
        if (neverReached(error) || error instanceof BreakerError) return this.refuse(failure)
        this.calm.succeeded()
        return { settlement: 'nack', error: failure }
      } finally {
        held?.leave()
      }
    }
  }

  /** Gives an event back, not at once, so that its source does not spin. */
  private async refuse(error: Error): Promise<BindingReply> {
    await this.calm.wait(this.closing.signal)
    return { settlement: 'nack', error }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
