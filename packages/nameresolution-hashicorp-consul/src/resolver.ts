import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type Clock,
  type Logger,
  type OperationOptions,
  type Random,
  type Instance,
  type InstanceWatch,
  type NameResolutionCapability,
  type NameResolver,
  type RegisteredInstance,
  type Registration,
  type ResolveRequest,
  type ResolveResult,
} from '@outrigger/spec'
import type { Agent } from './agent.ts'
import { KeptService } from './registration.ts'
import { readInstances, serviceBody } from './service.ts'
import type { RegistrationSettings, Settings } from './settings.ts'
import { type Seen, startWatch } from './watch.ts'

/** How long a question waits for a change; Consul adds up to a sixteenth. */
const defaultWaitMs = 60_000

interface Context {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Instances in the catalogue of Consul. */
export class ConsulResolver implements NameResolver {
  readonly capabilities: ReadonlySet<NameResolutionCapability>
  /** Only where this instance is to be registered from here. */
  readonly register?: (registration: Registration, options: OperationOptions) => Promise<RegisteredInstance>
  readonly #agent: Agent
  readonly #settings: Settings
  readonly #context: Context
  readonly #registered = new Set<KeptService>()
  readonly #watches = new Set<InstanceWatch>()
  #closing: Promise<void> | undefined

  constructor(agent: Agent, settings: Settings, context: Context) {
    this.#agent = agent
    this.#settings = settings
    this.#context = context
    const { registration } = settings
    this.capabilities = new Set(registration === undefined ? ['watch'] : ['register', 'watch'])
    if (registration !== undefined) {
      this.register = (request, options) => this.#register(request, registration, options)
    }
  }

  async resolve(request: ResolveRequest, { signal }: OperationOptions): Promise<ResolveResult> {
    this.#check(request.appId, signal)
    const { instances } = await this.#ask(request, undefined, signal)
    return { instances }
  }

  async watch(
    request: ResolveRequest,
    onChange: (instances: readonly Instance[]) => void,
    { signal }: OperationOptions,
  ): Promise<InstanceWatch> {
    this.#check(request.appId, signal)
    const ask = (index: number | undefined, each: AbortSignal): Promise<Seen> =>
      this.#ask(request, index ?? 0, each)
    const watch = await startWatch({ ...this.#context, ask, onChange }, signal)
    this.#watches.add(watch)
    void watch.ended.then(() => this.#watches.delete(watch))
    if (this.#closing !== undefined) await watch.close()
    return watch
  }

  async ping({ signal }: OperationOptions): Promise<void> {
    throwIfAborted(signal)
    const { body } = await this.#agent.request('GET', '/v1/status/leader', {}, { signal })
    if (body === '') throw new ComponentError('UNAVAILABLE', 'the Consul cluster has no leader')
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.close()))
    const closed = await Promise.allSettled([...this.#registered].map((each) => each.close()))
    this.#agent.close()
    const failed = closed.find((each) => each.status === 'rejected')
    if (failed !== undefined) {
      this.#context.logger.warn('this instance could not be taken out of Consul', {
        error: failed.reason as unknown,
      })
    }
  }

  async #register(
    request: Registration,
    settings: RegistrationSettings,
    { signal }: OperationOptions,
  ): Promise<RegisteredInstance> {
    this.#check(request.appId, signal)
    const kept: KeptService = new KeptService(serviceBody(request, settings, this.#settings.portKey), {
      agent: this.#agent,
      clock: this.#context.clock,
      logger: this.#context.logger,
      deregister: this.#settings.deregister,
      closed: () => void this.#registered.delete(kept),
    })
    this.#registered.add(kept)
    try {
      await kept.start(signal)
    } catch (error) {
      // It may be half there.
      await kept.close().catch(() => undefined)
      throw error
    }
    return kept
  }

  /** With an index the question waits for a change; with 0 it is answered at once, and never from the agent's cache. */
  async #ask(
    request: ResolveRequest,
    index: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Seen> {
    const { query, portKey } = this.#settings
    const { appId, namespace } = request
    const waitMs = query.waitTimeMs ?? this.#agent.waitTimeMs ?? defaultWaitMs
    const waits = index !== undefined && index > 0
    const answer = await this.#agent.request(
      'GET',
      `/v1/health/service/${encodeURIComponent(appId)}`,
      {
        ...query.query,
        passing: '1',
        ...(index === undefined ? query.immediate : {}),
        ...(waits ? { index: String(index), wait: `${Math.ceil(waitMs)}ms` } : {}),
      },
      {
        signal,
        token: query.token,
        ...(index === undefined ? { cacheControl: query.cacheControl } : {}),
        ...(waits ? { timeoutMs: waitMs * 1.0625 + 10_000 } : {}),
      },
    )
    return { instances: readInstances(answer.body, appId, namespace, portKey), index: answer.index }
  }

  #check(appId: string, signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw new ComponentError('CLOSED', 'the name resolver was closed')
    throwIfAborted(signal)
    // The agent reads an escaped slash as a slash, and dots as steps: another path.
    if (appId === '' || appId === '.' || appId === '..' || appId.includes('/') || appId.length > 255) {
      throw new ComponentError(
        'INVALID_ARGUMENT',
        `the id ${JSON.stringify(appId.slice(0, 100))} cannot be a service`,
      )
    }
  }
}
