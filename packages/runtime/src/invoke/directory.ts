import {
  isComponentError,
  type Clock,
  type Logger,
  type Instance,
  type InstanceWatch,
  type NameResolver,
} from '@outrigger/spec'
import type { Client } from '@outrigger/wire'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { Instances } from './instances.ts'

export interface DirectoryOptions {
  /** The resolver; it is asked for when the first application is called. @throws Error that says how to get one */
  readonly resolver: () => Promise<NameResolver>
  /** A client that accepts nobody but this application. */
  readonly connect: (appId: string, namespace: string) => Connection
  /** Port of the internal API where names do not tell. */
  readonly internalPort: () => number | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** The way to the instances of one application. */
export interface Connection {
  readonly scheme: 'http' | 'https'
  readonly client: Client
  close(): void
}

/** What was found out about one application. */
export interface Peer {
  readonly appId: string
  readonly namespace: string
  readonly scheme: 'http' | 'https'
  readonly client: Client
  readonly instances: Instances
}

/** Applications that are remembered at once; names come from callers. */
const mostPeers = 1000
const longestTtlMs = 5 * 60_000
/** How long nobody is asked who had no answer, or none that helps. */
const shortMs = 1000
const noMetadata = Object.freeze({})

/** Finds the instances of applications by their names, and remembers them as long as the resolver allows. */
export class Directory {
  readonly #options: DirectoryOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: DirectoryOptions) {
    this.#options = options
  }

  /**
   * The application of this name, with its instances as they are now.
   * @throws GrpcError NOT_FOUND when there is none, FAILED_PRECONDITION when nobody could be asked, INVALID_ARGUMENT
   * when it cannot be a name
   */
  async find(appId: string, namespace: string): Promise<Peer> {
    const entry = this.#entry(appId, namespace)
    if (!entry.fresh(this.#options.clock.monotonic())) await entry.refresh()
    if (entry.peer!.instances.size === 0) {
      const text = `couldn't find service: ${appId}: no instance of ${appId} in namespace ${namespace} is registered`
      throw new GrpcError(grpcStatus.NOT_FOUND, text)
    }
    return entry.peer!
  }

  /** What is remembered of an application may be wrong: the next call asks anew. */
  doubt(appId: string, namespace: string): void {
    this.#entries.get(`${appId}.${namespace}`)?.doubt()
  }

  async close(): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.all(entries.map((entry) => entry.close()))
  }

  #entry(appId: string, namespace: string): Entry {
    const key = `${appId}.${namespace}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      if (this.#entries.size >= mostPeers) this.#forgetOne()
      entry = new Entry(appId, namespace, this.#options)
    } else this.#entries.delete(key)
    // The one that was asked for last is the last to be forgotten.
    this.#entries.set(key, entry)
    return entry
  }

  #forgetOne(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.peer?.instances.busy === true) continue
      this.#entries.delete(key)
      return void entry.close()
    }
  }
}

class Entry {
  readonly #appId: string
  readonly #namespace: string
  readonly #options: DirectoryOptions
  peer: Peer | undefined
  #expiresMs = -Infinity
  #refreshing: Promise<void> | undefined
  #watch: InstanceWatch | undefined
  #connection: Connection | undefined
  #closed = false

  constructor(appId: string, namespace: string, options: DirectoryOptions) {
    this.#appId = appId
    this.#namespace = namespace
    this.#options = options
  }

  fresh(nowMs: number): boolean {
    if (this.peer === undefined) return false
    return this.#watch !== undefined || nowMs < this.#expiresMs
  }

  doubt(): void {
    this.#expiresMs = -Infinity
  }

  /** Those who ask at the same time share one answer. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined))
    return this.#refreshing
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#connection?.close()
    await this.#watch?.close().catch(() => {})
  }

  async #refresh(): Promise<void> {
    const { clock, connect, internalPort, logger } = this.#options
    const appId = this.#appId
    const namespace = this.#namespace
    const resolver = await this.#options.resolver()
    if (this.peer === undefined) {
      this.#connection = connect(appId, namespace)
      const { client, scheme } = this.#connection
      this.peer = { appId, namespace, client, scheme, instances: new Instances(clock) }
    }
    const { instances } = this.peer
    const request = { appId, namespace, port: internalPort(), metadata: noMetadata }
    try {
      if (resolver.watch !== undefined && resolver.capabilities.has('watch')) {
        const watch = await resolver.watch(request, (found) => instances.update(found.map(addressOf)), {})
        if (this.#closed) return await watch.close()
        this.#watch = watch
        void watch.ended.then((error) => {
          this.#watch = undefined
          if (error !== undefined) logger.warn(`the watch of ${appId} ended`, { error })
        })
        return
      }
      const { instances: found, ttlMs = 0 } = await resolver.resolve(request, {})
      instances.update(found.map(addressOf))
      const longestMs = found.length === 0 ? shortMs : longestTtlMs
      this.#expiresMs = clock.monotonic() + Math.min(ttlMs, longestMs)
    } catch (error) {
      const text = isComponentError(error) ? error.message : 'unexpected error of the name resolution'
      if (instances.size > 0) {
        // Better those that were there a moment ago than none.
        logger.warn(`${appId} could not be looked up; its last known instances are used: ${text}`)
        this.#expiresMs = clock.monotonic() + shortMs
        return
      }
      if (!isComponentError(error)) logger.error(`${appId} could not be looked up`, { error })
      const wrong = isComponentError(error) && error.code === 'INVALID_ARGUMENT'
      const code = wrong ? grpcStatus.INVALID_ARGUMENT : grpcStatus.FAILED_PRECONDITION
      throw new GrpcError(code, text, { cause: error })
    }
  }
}

function addressOf({ host, port }: Instance): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`
}
