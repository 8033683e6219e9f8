import { formatHostPort } from '@outrigger/kit'
import {
  ComponentError,
  type Clock,
  type Logger,
  type OperationOptions,
  type Timer,
  type RegisteredInstance,
  type Registration,
} from '@outrigger/spec'
import type { HostRow, HostTable } from './hosts.ts'

interface Keeping {
  readonly hosts: HostTable
  readonly clock: Clock
  readonly logger: Logger
  readonly renewEveryMs: number
  /** Tells this process's own watches, who do not see their own connection's writes. */
  readonly changed: () => void
  readonly closed: () => void
}

/** A row of this process, renewed until it is closed. Everything that touches the row is done in order. */
export class KeptInstance implements RegisteredInstance {
  readonly #row: HostRow
  readonly #keeping: Keeping
  #healthy = true
  #closing: Promise<void> | undefined
  #timer: Timer | undefined
  #last: Promise<unknown> = Promise.resolve()
  /** What the last renewal met, so that a lasting trouble is told once. */
  #trouble: string | undefined

  constructor(registration: Registration, id: string, keeping: Keeping) {
    const { appId, namespace, host, port } = registration
    this.#row = { id, address: formatHostPort(host, port), appId, namespace }
    this.#keeping = keeping
  }

  start(signal: AbortSignal | undefined): Promise<void> {
    return this.#inOrder(async () => {
      await this.#keeping.hosts.put(this.#row, signal)
      this.#keeping.changed()
      this.#arm()
    })
  }

  setHealthy(healthy: boolean, _options: OperationOptions): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#closing !== undefined) {
        throw new ComponentError('CLOSED', `the registration of ${this.#row.address} was closed`)
      }
      if (healthy === this.#healthy) return
      if (healthy) await this.#keeping.hosts.put(this.#row)
      else await this.#keeping.hosts.remove(this.#row.id)
      this.#healthy = healthy
      this.#keeping.changed()
    })
  }

  /** Renews the row at once, or puts it back. */
  async restore(): Promise<void> {
    await this.#inOrder(() => this.#renew())
    this.#keeping.changed()
  }

  close(): Promise<void> {
    this.#timer?.cancel()
    this.#closing ??= this.#inOrder(async () => {
      this.#timer?.cancel()
      await this.#keeping.hosts.remove(this.#row.id)
      this.#keeping.changed()
      this.#keeping.closed()
    })
    return this.#closing
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  #arm(): void {
    if (this.#closing !== undefined) return
    this.#timer = this.#keeping.clock.schedule(this.#keeping.renewEveryMs, () => {
      void this.#inOrder(() => this.#renew()).then(() => this.#arm())
    })
  }

  async #renew(): Promise<void> {
    if (!this.#healthy || this.#closing !== undefined) return
    const { address } = this.#row
    try {
      const holder = await this.#keeping.hosts.renew(this.#row)
      this.#tell(
        holder === undefined
          ? undefined
          : `another instance, of "${holder}", has registered the same address`,
      )
    } catch (error) {
      this.#tell(`the registration of ${address} could not be renewed`, error)
    }
  }

  #tell(trouble: string | undefined, error?: unknown): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    const fields = { address: this.#row.address, path: this.#keeping.hosts.path }
    if (trouble === undefined) this.#keeping.logger.info('the registration is renewed again', fields)
    else this.#keeping.logger.warn(trouble, error === undefined ? fields : { ...fields, error })
  }
}
