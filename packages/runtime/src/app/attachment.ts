import type { Clock, Logger } from '@outrigger/spec'
import type { RuntimeOptions } from '../config/options.ts'
import type { InputBindings } from '../bindings/types.ts'
import type { PubSubEngine } from '../pubsub/types.ts'
import { readAppConfig, type AppConfig } from './app-config.ts'
import type { AppChannel } from './channel.ts'
import { createAppHealth, type AppHealth } from './health.ts'
import { waitForPort } from './wait-for-port.ts'

export interface AttachmentOptions {
  readonly options: Pick<
    RuntimeOptions,
    'appId' | 'appPort' | 'appChannelAddress' | 'appHealth' | 'disableInitEndpoints'
  >
  readonly channel: AppChannel | undefined
  /** Whether the application is a process that has to open its port first. */
  readonly overNetwork: boolean
  readonly engine: PubSubEngine
  readonly bindings: InputBindings
  readonly logger: Logger
  readonly clock: Clock
  /** Told when the application becomes well, or is not any more. */
  readonly onHealth?: ((healthy: boolean) => void) | undefined
}

/** What connects the application: waits for it, watches its health, and lets messages and events flow. */
export class Attachment {
  readonly #parts: AttachmentOptions
  readonly #ending = new AbortController()
  #health: AppHealth | undefined
  #config: AppConfig | undefined

  constructor(parts: AttachmentOptions) {
    this.#parts = parts
  }

  /** Whether calls may go to the application. */
  get healthy(): boolean {
    return this.#health?.healthy ?? true
  }

  /** What the application said about itself, once it did; only applications that speak HTTP are asked. */
  get config(): AppConfig | undefined {
    return this.#config
  }

  /**
   * Resolves when messages flow to the application, or when `stop` came first. Where its health is watched, they
   * flow while it is healthy, and are not waited for.
   */
  async start(): Promise<void> {
    const { options, channel, overNetwork, engine, bindings, logger, clock } = this.#parts
    const { signal } = this.#ending
    if (channel !== undefined && overNetwork) {
      const { appChannelAddress: host, appPort: port } = options
      if (!(await waitForPort({ host, port: port!, clock, signal, logger }))) return
      logger.info(`application discovered on port ${port}`)
    }
    if (signal.aborted) return
    if (channel !== undefined && options.appHealth.enabled) {
      this.#health = createAppHealth({
        channel,
        path: options.appHealth.path,
        intervalMs: options.appHealth.intervalMs,
        timeoutMs: options.appHealth.timeoutMs,
        threshold: options.appHealth.threshold,
        clock,
        logger,
        onHealthy: () => this.#flow(),
        onUnhealthy: () => this.#hold(),
      })
      // Not well before it was seen to be.
      this.#parts.onHealth?.(false)
      this.#health.start()
      return
    }
    // Nothing that flows depends on it, and an application may take its time.
    void this.#configure()
    await Promise.all([engine.start(signal), bindings.start(signal)])
  }

  /** Takes no more from brokers and sources, for good; what is under way may finish, and health is watched still. */
  takeNoMore(): void {
    const { engine, bindings } = this.#parts
    Promise.all([engine.stop(), bindings.stop()]).catch(this.#failed)
  }

  /** Takes no more from brokers and sources, and waits for what is under way until `signal` aborts. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#ending.abort()
    this.#health?.stop()
    const { engine, bindings } = this.#parts
    await Promise.all([engine.stop(signal), bindings.stop(signal)])
  }

  #flow(): void {
    this.#parts.onHealth?.(true)
    void this.#configure()
    this.#parts.bindings.resume()
    this.#parts.engine.resume().catch(this.#failed)
  }

  async #configure(): Promise<void> {
    const { options, channel, clock, logger } = this.#parts
    if (this.#config !== undefined || channel?.kind !== 'http') return
    if (options.disableInitEndpoints.includes('config')) return
    const { appId } = options
    this.#config = await readAppConfig({ channel, appId, clock, logger, signal: this.#ending.signal })
    const types = this.#config?.entities ?? []
    if (types.length > 0)
      logger.warn('the application hosts actors, which this version of Outrigger does not serve yet', {
        types,
      })
  }

  /** At once: a discovery that an application does not answer any more is given up with it. */
  #hold(): void {
    this.#parts.onHealth?.(false)
    this.#parts.bindings.pause()
    this.#parts.engine.pause().catch(this.#failed)
  }

  readonly #failed = (error: unknown): void => {
    this.#parts.logger.error('messages and events could not be let flow, or held', { error })
  }
}
