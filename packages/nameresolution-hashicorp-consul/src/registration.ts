import {
  ComponentError,
  isComponentError,
  type Clock,
  type Logger,
  type OperationOptions,
  type Timer,
  type RegisteredInstance,
} from '@outrigger/spec'
import type { Agent } from './agent.ts'
import type { ServiceBody } from './service.ts'

/** How often it is looked whether the agent still knows the instance: one that was started anew may have forgotten it. */
const lookEveryMs = 10_000

interface Keeping {
  readonly agent: Agent
  readonly clock: Clock
  readonly logger: Logger
  readonly deregister: boolean
  readonly closed: () => void
}

/** An instance that an agent keeps. An unhealthy one is in maintenance, which Consul has for this. */
export class KeptService implements RegisteredInstance {
  readonly #body: ServiceBody
  readonly #keeping: Keeping
  #healthy = true
  #closing: Promise<void> | undefined
  #timer: Timer | undefined
  #last: Promise<unknown> = Promise.resolve()
  #failed = false

  constructor(body: ServiceBody, keeping: Keeping) {
    this.#body = body
    this.#keeping = keeping
  }

  start(signal: AbortSignal | undefined): Promise<void> {
    return this.#inOrder(async () => {
      await this.#register(signal)
      this.#arm()
    })
  }

  setHealthy(healthy: boolean, { signal }: OperationOptions): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#closing !== undefined) {
        throw new ComponentError('CLOSED', `the registration of ${this.#body.Name} was closed`)
      }
      if (healthy === this.#healthy) return
      await this.#maintain(!healthy, signal)
      this.#healthy = healthy
    })
  }

  close(): Promise<void> {
    this.#timer?.cancel()
    this.#closing ??= this.#inOrder(async () => {
      this.#timer?.cancel()
      this.#keeping.closed()
      if (!this.#keeping.deregister) return
      try {
        await this.#keeping.agent.request('PUT', this.#path('deregister'), {})
      } catch (error) {
        if (!isUnknown(error)) throw error
      }
    })
    return this.#closing
  }

  async #register(signal?: AbortSignal): Promise<void> {
    const query = { 'replace-existing-checks': 'true' }
    await this.#keeping.agent.request('PUT', '/v1/agent/service/register', query, {
      body: this.#body,
      signal,
    })
    // One that was unhealthy when it was killed has left its maintenance behind.
    await this.#maintain(!this.#healthy, signal)
  }

  async #maintain(enable: boolean, signal?: AbortSignal): Promise<void> {
    const query = { enable: String(enable), reason: 'the application is unhealthy' }
    await this.#keeping.agent.request('PUT', this.#path('maintenance'), query, { signal })
  }

  #path(action: string): string {
    return `/v1/agent/service/${action}/${encodeURIComponent(this.#body.ID)}`
  }

  #arm(): void {
    if (this.#closing !== undefined) return
    this.#timer = this.#keeping.clock.schedule(lookEveryMs, () => {
      void this.#inOrder(() => this.#look()).then(() => this.#arm())
    })
  }

  async #look(): Promise<void> {
    if (this.#closing !== undefined) return
    const { agent, logger } = this.#keeping
    try {
      await agent.request('GET', `/v1/agent/service/${encodeURIComponent(this.#body.ID)}`, {})
      this.#failed = false
    } catch (error) {
      if (isUnknown(error)) {
        logger.warn('the Consul agent does not know this instance any more; it is registered again', {
          id: this.#body.ID,
        })
        await this.#register().catch((again: unknown) => this.#tell(again))
      } else this.#tell(error)
    }
  }

  #tell(error: unknown): void {
    // A token may be allowed to register and not to read.
    if (this.#failed || (isComponentError(error) && error.code === 'PERMISSION_DENIED')) return
    this.#failed = true
    this.#keeping.logger.warn('the Consul agent could not be asked for this instance', { error })
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

function isUnknown(error: unknown): boolean {
  return isComponentError(error) && error.code === 'NOT_FOUND'
}
