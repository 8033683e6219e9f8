import type {
  Binding,
  BindingEvent,
  BindingReader,
  BindingReply,
  DeliverEvent,
  OperationOptions,
} from '@outrigger/spec'
import { neverReached, type AppResponse, type HttpAppChannel } from '../app/channel.ts'
import { asField, metadataFields } from '../app/fields.ts'
import { whilePending, withDeadline } from '../app/time.ts'
import type { Live } from '../components/live.ts'
import { Calm } from '../pubsub/calm.ts'
import { metadataValue } from '../pubsub/metadata.ts'
import { declaredDirections } from './direction.ts'
import type { InputBindings, InputBindingsOptions } from './types.ts'

/** Creates the reading side of the bindings; nothing is read before `start`. */
export function createInputBindings(options: InputBindingsOptions): InputBindings {
  return new Inputs(options)
}

class Inputs implements InputBindings {
  private readonly options: InputBindingsOptions
  private readonly calm: Calm
  private readonly readers = new Map<string, BindingReader>()
  /** Those of which it is known whether the application wants them. */
  private readonly decided = new Set<string>()
  private readonly closing = new AbortController()
  private readonly cut = new AbortController()
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
    if (channel?.kind !== 'http') return Promise.resolve()
    const until = AbortSignal.any([this.closing.signal, ...(signal === undefined ? [] : [signal])])
    this.turn = this.turn.then(async () => {
      await Promise.all(Array.from(bindings, ([name, live]) => this.open(name, live, channel, until)))
    })
    return this.turn
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    // Those that could not be asked before.
    void this.start()
  }

  async stop(signal?: AbortSignal): Promise<void> {
    const giveUp = (): void => this.cut.abort(signal?.reason)
    if (signal?.aborted) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
    this.closing.abort()
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

  private async open(
    name: string,
    live: Live<Binding>,
    channel: HttpAppChannel,
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.options
    const binding = live.instance
    if (this.decided.has(name) || signal.aborted) return
    if (!binding.capabilities.has('input') || binding.read === undefined) return
    const path = `/${(metadataValue(live.properties, 'route') ?? name).trim().replace(/^\/+/, '')}`
    const wanted = await this.isWanted(name, live, channel, path, signal)
    if (wanted === undefined || signal.aborted) return
    this.decided.add(name)
    if (!wanted) {
      logger.info(`the application has not subscribed to binding ${name}`)
      return
    }
    try {
      const deliver = this.delivery(name, path, channel)
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
    name: string,
    live: Live<Binding>,
    channel: HttpAppChannel,
    path: string,
    parent: AbortSignal,
  ): Promise<boolean | undefined> {
    const directions = declaredDirections(live.properties)
    if (directions !== undefined) return directions.has('input')
    const { clock, logger, optionsTimeoutMs = 3000 } = this.options
    try {
      return await withDeadline(clock, optionsTimeoutMs, parent, async (signal) => {
        const fields = ['content-type', 'application/json']
        const response = await channel.call({ method: 'OPTIONS', path, fields, signal })
        response.body.cancel()
        return isOk(response.status) || response.status === 405
      })
    } catch (error) {
      if (!parent.aborted) {
        const problem = messageOf(error)
        logger.warn(`the application did not say whether it wants binding ${name}: OPTIONS ${path}`, {
          problem,
        })
      }
      return undefined
    }
  }

  private delivery(name: string, path: string, channel: HttpAppChannel): DeliverEvent {
    return async (event, options) => {
      try {
        if (this.paused) return await this.refuse(new Error('the application is not healthy'))
        return await this.deliver(name, path, channel, event, options)
      } catch (error) {
        this.options.logger.warn(`an event of binding ${name} was not processed`, {
          problem: messageOf(error),
        })
        const failure = error instanceof Error ? error : new Error(String(error))
        if (neverReached(error)) return this.refuse(failure)
        return { settlement: 'nack', error: failure }
      }
    }
  }

  private async deliver(
    name: string,
    path: string,
    channel: HttpAppChannel,
    event: BindingEvent,
    options: OperationOptions,
  ): Promise<BindingReply> {
    const fields = ['content-type', asField(event.contentType ?? 'application/json')]
    metadataFields('', event.metadata, fields)
    if (options.traceparent !== undefined) fields.push('traceparent', options.traceparent)
    if (options.tracestate !== undefined) fields.push('tracestate', options.tracestate)
    const signal =
      options.signal === undefined ? this.cut.signal : AbortSignal.any([this.cut.signal, options.signal])
    const response = await channel.call({ method: 'POST', path, fields, body: event.data, signal })
    this.calm.succeeded()
    const data = await this.read(response)
    if (!isOk(response.status))
      throw new Error(`the application answered ${response.status} to binding ${name}`)
    return { settlement: 'ack', data, contentType: response.fields.get('content-type') }
  }

  private async read(response: AppResponse): Promise<Uint8Array> {
    try {
      return await response.body.bytes(this.options.maxReplyBytes ?? 4 * 1024 * 1024)
    } catch (error) {
      response.body.cancel()
      throw error
    }
  }

  /** Gives an event back, not at once, so that its source does not spin. */
  private async refuse(error: Error): Promise<BindingReply> {
    await this.calm.wait(this.closing.signal)
    return { settlement: 'nack', error }
  }
}

function isOk(status: number): boolean {
  return status >= 200 && status <= 299
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
