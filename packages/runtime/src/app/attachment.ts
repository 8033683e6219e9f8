import type { Clock, Logger } from '@outrigger/spec'
import type { RuntimeOptions } from '../config/options.ts'
import type { InputBindings } from '../bindings/types.ts'
import type { PubSubEngine } from '../pubsub/types.ts'
import type { AppChannel } from './channel.ts'
import { createAppHealth, type AppHealth } from './health.ts'
import { waitForPort } from './wait-for-port.ts'

export interface AttachmentOptions {
  readonly options: Pick<RuntimeOptions, 'appPort' | 'appChannelAddress' | 'appHealth'>
  readonly channel: AppChannel | undefined
  /** Whether the application is a process that has to open its port first. */
  readonly overNetwork: boolean
  readonly engine: PubSubEngine
  readonly bindings: InputBindings
  readonly logger: Logger
  readonly clock: Clock
}

/** What connects the application: waits for it, watches its health, and lets messages and events flow. */
export class Attachment {
  readonly #parts: AttachmentOptions
  readonly #ending = new AbortController()
  #health: AppHealth | undefined
  #attached = false
  /** Health changes are applied one after the other. */
  #applied: Promise<void> = Promise.resolve()

  constructor(parts: AttachmentOptions) {
    this.#parts = parts
  }

  /** Whether calls may go to the application. */
  get healthy(): boolean {
    return this.#health?.healthy ?? true
  }

  /** Whether there is no application, or it was reached. */
  get attached(): boolean {
    return this.#attached
  }

  /** Resolves when messages flow to the application, or when `stop` came first. */
  async start(): Promise<void> {
    const { options, channel, overNetwork, logger, clock } = this.#parts
    const { signal } = this.#ending
    if (channel !== undefined && overNetwork) {
      const { appChannelAddress: host, appPort: port } = options
      if (!(await waitForPort({ host, port: port!, clock, signal, logger }))) return
      logger.info(`application discovered on port ${port}`)
    }
    if (channel !== undefined && options.appHealth.enabled) {
      this.#health = createAppHealth({
        channel,
        path: options.appHealth.path,
        intervalMs: options.appHealth.intervalMs,
        timeoutMs: options.appHealth.timeoutMs,
        threshold: options.appHealth.threshold,
        clock,
        logger,
        onHealthy: () => this.#apply(() => this.#flow(signal)),
        onUnhealthy: () => this.#apply(() => this.#hold()),
      })
      this.#health.start()
    } else {
      await this.#flow(signal)
    }
    this.#attached = true
  }

  /** Takes no more from brokers and sources, and waits for what is under way until `signal` aborts. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#ending.abort()
    this.#health?.stop()
    const { engine, bindings } = this.#parts
    await Promise.all([engine.stop(signal), bindings.stop(signal)])
    await this.#applied
  }

  #started = false

  async #flow(signal: AbortSignal): Promise<void> {
    const { engine, bindings } = this.#parts
    if (this.#started) {
      await engine.resume()
      bindings.resume()
      return
    }
    this.#started = true
    await Promise.all([engine.start(signal), bindings.start(signal)])
  }

  async #hold(): Promise<void> {
    this.#parts.bindings.pause()
    await this.#parts.engine.pause()
  }

  #apply(change: () => Promise<void>): void {
    this.#applied = this.#applied.then(change).catch((error: unknown) => {
      this.#parts.logger.error('could not follow the health of the application', { error })
    })
  }
}
