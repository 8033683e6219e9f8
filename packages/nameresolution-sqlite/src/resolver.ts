import type { Database } from '@outrigger/common-sqlite'
import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type Clock,
  type Logger,
  type OperationOptions,
  type Random,
  type Timer,
  type Instance,
  type InstanceWatch,
  type NameResolutionCapability,
  type NameResolver,
  type RegisteredInstance,
  type Registration,
  type ResolveRequest,
  type ResolveResult,
} from '@outrigger/spec'
import type { HostTable } from './hosts.ts'
import { KeptInstance } from './registration.ts'
import { Watches } from './watches.ts'

export const capabilities = [
  'register',
  'watch',
  'local',
] as const satisfies readonly NameResolutionCapability[]

interface Context {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metadata: {
    readonly updateIntervalMs: number
    readonly timeoutMs: number
    readonly cleanupIntervalMs: number
  }
}

/** Instances in a table of a file that all sidecars of a machine share. */
export class SqliteResolver implements NameResolver {
  readonly capabilities: ReadonlySet<NameResolutionCapability> = new Set(capabilities)
  readonly #hosts: HostTable
  readonly #context: Context
  readonly #watches: Watches
  readonly #registered = new Set<KeptInstance>()
  #sweep: Timer | undefined
  readonly #ends: (() => void)[] = []
  #closing: Promise<void> | undefined

  constructor(hosts: HostTable, context: Context) {
    this.#hosts = hosts
    this.#context = context
    this.#watches = new Watches(hosts, context)
    this.#armSweep()
  }

  /** Another file is used from now on: what is registered here belongs into it, too. @returns the one before */
  use(database: Database): Database {
    const before = this.#hosts.use(database)
    for (const kept of this.#registered) void kept.restore()
    this.#watches.changed()
    return before
  }

  /** Ends something else together with this. */
  onClose(end: () => void): void {
    this.#ends.push(end)
  }

  async resolve(request: ResolveRequest, { signal }: OperationOptions): Promise<ResolveResult> {
    this.#check(request.appId, signal)
    return { instances: await this.#hosts.find(request, signal) }
  }

  async register(registration: Registration, { signal }: OperationOptions): Promise<RegisteredInstance> {
    this.#check(registration.appId, signal)
    const { clock, logger, random, metadata } = this.#context
    const { updateIntervalMs, timeoutMs } = metadata
    const kept: KeptInstance = new KeptInstance(registration, random.uuid(), {
      hosts: this.#hosts,
      clock,
      logger,
      // Seconds are whole, so up to one is lost; a renewal that has to wait must still be in time.
      renewEveryMs: Math.max(500, Math.min(updateIntervalMs / 2, updateIntervalMs - timeoutMs) - 500),
      changed: () => this.#watches.changed(),
      closed: () => void this.#registered.delete(kept),
    })
    this.#registered.add(kept)
    try {
      await kept.start(signal)
    } catch (error) {
      this.#registered.delete(kept)
      throw error
    }
    return kept
  }

  async watch(
    request: ResolveRequest,
    onChange: (instances: readonly Instance[]) => void,
    { signal }: OperationOptions,
  ): Promise<InstanceWatch> {
    this.#check(request.appId, signal)
    return this.#watches.add(request, onChange, signal)
  }

  async ping({ signal }: OperationOptions): Promise<void> {
    throwIfAborted(signal)
    await this.#hosts.version()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#sweep?.cancel()
    for (const end of this.#ends) end()
    this.#watches.close()
    const closed = await Promise.allSettled([...this.#registered].map((each) => each.close()))
    await this.#hosts.close()
    const failed = closed.find((each) => each.status === 'rejected')
    if (failed !== undefined) {
      this.#context.logger.warn('a registration could not be removed; it grows old by itself', {
        error: failed.reason as unknown,
      })
    }
  }

  #armSweep(): void {
    const { clock, random, logger, metadata } = this.#context
    const { cleanupIntervalMs } = metadata
    // Sidecars that were started together do not all clean up together.
    this.#sweep = clock.schedule(cleanupIntervalMs * (0.9 + 0.2 * random.next()), () => {
      void this.#hosts
        .sweep(cleanupIntervalMs)
        .catch((error: unknown) => {
          if (this.#closing === undefined) logger.warn('old registrations could not be removed', { error })
        })
        .then(() => {
          if (this.#closing === undefined) this.#armSweep()
        })
    })
  }

  #check(appId: string, signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw new ComponentError('CLOSED', 'the name resolver was closed')
    throwIfAborted(signal)
    if (appId === '') throw new ComponentError('INVALID_ARGUMENT', 'the id of the application is empty')
  }
}
