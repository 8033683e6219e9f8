import {
  ComponentError,
  type Clock,
  type Logger,
  type Timer,
  type Instance,
  type InstanceWatch,
  type ResolveRequest,
} from '@outrigger/spec'
import type { HostTable } from './hosts.ts'

/** How often it is looked whether somebody has written: a changed file is seen within a second. */
const lookEveryMs = 200
/** How often rows are read even so: a row that is not renewed grows old without a write. */
const readEveryMs = 1000

interface Watch {
  readonly request: ResolveRequest
  readonly onChange: (instances: readonly Instance[]) => void
  readonly end: () => void
  /** What was told last. */
  told: string | undefined
}

/** Looks into the file for as long as somebody watches. */
export class Watches {
  readonly #hosts: HostTable
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #watches = new Set<Watch>()
  #timer: Timer | undefined
  #looking = false
  /** Something was written here while it was looked. */
  #again = false
  #version = -1
  #readAt = Number.NEGATIVE_INFINITY
  #failed = false
  #closed = false

  constructor(hosts: HostTable, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#hosts = hosts
    this.#clock = clock
    this.#logger = logger
  }

  async add(
    request: ResolveRequest,
    onChange: (instances: readonly Instance[]) => void,
    signal: AbortSignal | undefined,
  ): Promise<InstanceWatch> {
    const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>()
    const watch: Watch = { request, onChange, told: undefined, end: () => resolve(undefined) }
    this.#tell(watch, await this.#hosts.find(request, signal))
    if (this.#closed) throw new ComponentError('CLOSED', 'the name resolver was closed')
    this.#watches.add(watch)
    // What was written since it was read above is seen at the next look.
    this.#readAt = Number.NEGATIVE_INFINITY
    this.#arm(lookEveryMs)
    const close = (): Promise<void> => {
      this.#remove(watch)
      return Promise.resolve()
    }
    return { close, ended }
  }

  /** Looks at once: something was written here. */
  changed(): void {
    this.#again = this.#looking
    this.#readAt = Number.NEGATIVE_INFINITY
    this.#timer?.cancel()
    this.#timer = undefined
    this.#arm(0)
  }

  close(): void {
    this.#closed = true
    for (const watch of this.#watches) this.#remove(watch)
  }

  #remove(watch: Watch): void {
    this.#watches.delete(watch)
    watch.end()
    if (this.#watches.size === 0) {
      this.#timer?.cancel()
      this.#timer = undefined
    }
  }

  #arm(delayMs: number): void {
    if (this.#timer !== undefined || this.#looking || this.#watches.size === 0) return
    this.#timer = this.#clock.schedule(delayMs, () => {
      this.#timer = undefined
      this.#looking = true
      void this.#look().then(() => {
        this.#looking = false
        this.#arm(this.#again ? 0 : lookEveryMs)
        this.#again = false
      })
    })
  }

  async #look(): Promise<void> {
    try {
      const version = await this.#hosts.version()
      const now = this.#clock.monotonic()
      if (version === this.#version && now - this.#readAt < readEveryMs) return
      this.#version = version
      this.#readAt = now
      this.#again = false
      for (const watch of this.#watches) {
        const instances = await this.#hosts.find(watch.request)
        if (this.#watches.has(watch)) this.#tell(watch, instances)
      }
      this.#failed = false
    } catch (error) {
      if (!this.#failed && !this.#closed) {
        this.#logger.warn('instances could not be read; those that were read last are used', { error })
      }
      this.#failed = true
    }
  }

  #tell(watch: Watch, instances: readonly Instance[]): void {
    const told = JSON.stringify(instances)
    if (told === watch.told) return
    watch.told = told
    watch.onChange(instances)
  }
}
