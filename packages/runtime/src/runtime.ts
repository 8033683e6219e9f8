import {
  createHealth,
  createLifecycle,
  systemClock,
  systemRandom,
  type Lifecycle,
  type Part,
} from '@outrigger/host'
import type { Clock, ComponentDefinition, Logger, Random } from '@outrigger/spec'
import type { BoundAddress, Server } from '@outrigger/wire'
import { AppResponses } from './api/bindings/app-response.ts'
import { BindingsHandler } from './api/bindings/handler.ts'
import { ConfigurationHandler } from './api/configuration/handler.ts'
import { CryptoHandler } from './api/crypto/handler.ts'
import { InvokeHandler } from './api/invoke/handler.ts'
import { LockHandler } from './api/lock/handler.ts'
import { MetadataHandler } from './api/metadata/handler.ts'
import { PublishHandler } from './api/publish/handler.ts'
import { SecretsHandler } from './api/secrets/handler.ts'
import { StateHandler } from './api/state/handler.ts'
import { SubtleCryptoHandler } from './api/subtlecrypto/handler.ts'
import { Attachment } from './app/attachment.ts'
import type { AppChannel } from './app/channel.ts'
import { openChannel } from './app/open-channel.ts'
import { createInProcessChannel, type InProcessApp } from './app/in-process-channel.ts'
import { createInputBindings } from './bindings/input.ts'
import { capabilityNames, createRegistry, type Registry } from './components/registry.ts'
import type { Configuration } from './config/configuration.ts'
import type { RuntimeOptions } from './config/options.ts'
import { StartupError } from './config/startup-error.ts'
import { loadMiddleware } from './middleware/load.ts'
import type { ServerPipeline } from './middleware/server-pipeline.ts'
import { openGuard, type MemoryGuard, type ProcessMemory } from './overload/guard.ts'
import { HttpEndpoints } from './invoke/endpoints.ts'
import type { Outbox } from './outbox/outbox.ts'
import { outboxSettings } from './outbox/settings.ts'
import { forwardedFields, hostAddress } from './peer/address.ts'
import { Neighbours } from './peer/neighbours.ts'
import { createPubSubEngine } from './pubsub/engine.ts'
import { Resiliency } from './resiliency/provider.ts'
import { openApis } from './server/open-apis.ts'
import { load, unload, type Loaded } from './startup.ts'
import { offerMetrics } from './telemetry/offer-metrics.ts'
import { resiliencyMetrics } from './telemetry/resiliency-metrics.ts'
import { version } from './version.ts'

/** What surrounds a runtime; everything has a default that is fit for production. */
export interface Surroundings {
  readonly logger: Logger
  readonly clock?: Clock
  readonly random?: Random
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Resources as objects or YAML text, besides those of `resourcesPaths`. */
  readonly resources?: readonly unknown[]
  /** Definitions that are there already: no package is looked for where one of these has the type. */
  readonly definitions?: readonly ComponentDefinition[]
  /** An application in this process; without it, one is reached at `appPort`. */
  readonly app?: InProcessApp
  /** Of this process, whose owner the runtime is then; without it memory is not watched. */
  readonly memory?: ProcessMemory
  /** Whether to open ports. */
  readonly listen: boolean
  /** Whether to offer metrics where no port for them was asked for. */
  readonly offerMetrics?: boolean
  /** A caller of the API asked for the end. */
  readonly onShutdownRequest?: (force: boolean) => void
}

/** The operations of the building blocks, free of any protocol. */
export interface RuntimeApi {
  readonly state: StateHandler
  readonly publish: PublishHandler
  readonly bindings: BindingsHandler
  readonly secrets: SecretsHandler
  readonly configuration: ConfigurationHandler
  readonly lock: LockHandler
  readonly crypto: CryptoHandler
  readonly subtleCrypto: SubtleCryptoHandler
  readonly invoke: InvokeHandler
  readonly metadata: MetadataHandler
}

/** Builds every part in order, and takes them down in reverse. */
export class RuntimeCore {
  readonly #options: RuntimeOptions
  readonly #around: Surroundings
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #random: Random
  readonly #servers: Server[] = []
  readonly #guard: MemoryGuard | undefined
  #loaded: Loaded | undefined
  #channel: AppChannel | undefined
  #attachment: Attachment | undefined
  #attaching: Promise<void> = Promise.resolve()
  #outbox: Outbox | undefined
  #pipeline: ServerPipeline | undefined
  #neighbours: Neighbours | undefined
  #endpoints: HttpEndpoints | undefined
  #resiliency: Resiliency | undefined
  #api: RuntimeApi | undefined
  #http: readonly BoundAddress[] = []
  #grpcPort: number | undefined
  readonly #health = createHealth()
  /** Components and API can be used; the application may be missing still. */
  readonly #outbound = this.#health.target('outbound')
  readonly #application = this.#health.target('application', 'not connected yet')
  #outboundReady = false
  /** Leaves for good: whatever becomes ready now does not count. */
  #leaving = false
  readonly #lifecycle: Lifecycle

  constructor(options: RuntimeOptions, around: Surroundings) {
    this.#options = options
    this.#around = around
    this.#logger = around.logger
    this.#clock = around.clock ?? systemClock
    this.#random = around.random ?? systemRandom
    const tools = { clock: this.#clock, logger: this.#logger }
    this.#guard = openGuard(options.memoryLimitBytes, around.memory, tools)
    this.#lifecycle = createLifecycle({
      parts: this.#parts(),
      clock: this.#clock,
      logger: this.#logger,
      stopTimeoutMs: options.gracefulShutdownMs || Infinity,
    })
  }

  get api(): RuntimeApi {
    if (this.#api === undefined) throw new Error('the runtime is not started: await start() first')
    return this.#api
  }

  get addresses(): { readonly http: readonly BoundAddress[]; readonly grpcPort: number | undefined } {
    return { http: this.#http, grpcPort: this.#grpcPort }
  }

  /** Names of what is not ready; empty when everything is, the application included. */
  get unready(): readonly string[] {
    return this.#health.unready()
  }

  /**
   * Loads the components and opens the ports; the application is waited for afterwards, see `ready`.
   * @throws StartupError that says everything that is wrong; nothing is left behind then
   */
  async start(): Promise<void> {
    const startedAt = this.#clock.monotonic()
    this.#logger.info(`starting Outrigger ${version} for ${this.#options.appId}`)
    for (const warning of this.#options.warnings) this.#logger.warn(warning)
    try {
      await this.#lifecycle.start()
    } catch (error) {
      // The lifecycle says which part failed; what was wrong with it says more.
      throw error instanceof Error && error.cause instanceof StartupError ? error.cause : error
    }
    const elapsed = Math.round(this.#clock.monotonic() - startedAt)
    this.#logger.info(`dapr initialized. Status: Running. Init Elapsed ${elapsed}ms`)
  }

  /** Resolves when the application is connected and messages flow. */
  ready(): Promise<void> {
    return this.#attaching
  }

  /**
   * Puts the end off for the time that was asked for, or until the application is unhealthy or `atOnce` aborts. It can use
   * the API meanwhile; messages and events do not come any more.
   */
  async blockShutdown(atOnce: AbortSignal): Promise<void> {
    const { blockShutdownMs } = this.#options
    if (blockShutdownMs === undefined || this.#attachment === undefined || atOnce.aborted) return
    this.#leaving = true
    this.#application.notReady('the sidecar is leaving')
    this.#attachment.takeNoMore()
    this.#logger.info(
      `the shutdown is put off for ${blockShutdownMs} ms or until the application is unhealthy`,
    )
    const end = this.#clock.monotonic() + blockShutdownMs
    while (this.#attachment.healthy && !atOnce.aborted && this.#clock.monotonic() < end) {
      await new Promise<void>((resolve) => this.#clock.schedule(Math.min(100, blockShutdownMs), resolve))
    }
  }

  /**
   * Takes no more work, lets what is under way finish within `gracefulShutdownMs`, and closes everything.
   * May be called twice, and while it is starting.
   * @returns whether everything ended in time and without error
   */
  stop(): Promise<boolean> {
    this.#outbound.notReady('stopping')
    return this.#lifecycle.stop()
  }

  /** In the order of starting; they are stopped in reverse. */
  #parts(): readonly Part[] {
    return [
      {
        name: 'the components',
        start: async (signal) => {
          const { logger } = this.#around
          const tools = { logger, clock: this.#clock, random: this.#random, signal }
          this.#loaded = await load(this.#options, this.#around, tools)
        },
        stop: async () => {
          if (this.#loaded !== undefined) await unload(this.#loaded, this.#logger)
        },
      },
      {
        name: 'the building blocks',
        start: () => {
          const loaded = this.#loaded!
          const tools = { clock: this.#clock, random: this.#random, logger: this.#logger }
          const resiliency = new Resiliency(loaded.resiliency, tools)
          this.#resiliency = resiliency
          const registry = createRegistry(loaded.components, this.#options, resiliency)
          return this.#compose(registry, loaded, resiliency)
        },
        stop: async () => {
          this.#channel?.close()
          this.#endpoints?.close()
          await this.#neighbours?.close()
        },
      },
      {
        // Nothing is served before there is one where connections are to be secured.
        name: 'the identity',
        start: (signal) => this.#neighbours!.prepare(signal),
      },
      {
        name: 'the outbox',
        start: (signal) => this.#outbox?.start(signal),
        stop: (signal) => this.#outbox?.stop(signal),
      },
      {
        name: 'the API',
        start: async () => {
          this.#guard?.start()
          if (this.#around.listen) {
            await this.#listen(this.#loaded!.configuration)
            await this.#neighbours!.listen()
            await this.#offerMetrics()
          }
          this.#outboundReady = true
          this.#outbound.ready()
        },
        stop: async (signal) => {
          const servers = this.#servers.map((server) => server.close(signal))
          await Promise.all([...servers, this.#neighbours?.stopListening(signal)])
          this.#guard?.stop()
        },
      },
      {
        name: 'the application',
        // It may come later: the sidecar serves it from now on.
        start: () => {
          this.#attaching = this.#attach()
          this.#attaching.catch((error: unknown) => {
            this.#logger.error('the application could not be connected', { error })
          })
        },
        stop: async (signal) => {
          // First of all: others shall go elsewhere.
          await this.#neighbours?.leave()
          await Promise.all([this.#attachment?.stop(signal), this.#api?.configuration.stop()])
        },
      },
    ]
  }

  async #offerMetrics(): Promise<void> {
    const { appId, namespace, metrics } = this.#options
    const wanted = this.#around.offerMetrics === true || metrics.portGiven
    if (!wanted || !metrics.enabled || !this.#loaded!.configuration.metricsEnabled) return
    const gather = () => resiliencyMetrics(this.#resiliency!, appId, namespace)
    const server = await offerMetrics(metrics, gather, this.#logger)
    if (server !== undefined) this.#servers.push(server)
  }

  async #attach(): Promise<void> {
    await this.#attachment!.start()
    // Found by others when there is something to be found.
    await this.#neighbours!.announce()
    if (!this.#leaving) this.#application.ready()
  }

  async #compose(registry: Registry, loaded: Loaded, resiliency: Resiliency): Promise<void> {
    const options = this.#options
    const { appId, compat, namespace } = options
    const logger = this.#logger
    const clock = this.#clock
    const random = this.#random
    const { app } = this.#around
    const middleware = await loadMiddleware(loaded.configuration, loaded.components, logger)
    this.#pipeline = middleware.server
    const channel = middleware.before(
      app === undefined
        ? await openChannel(options)
        : createInProcessChannel(app, { maxConcurrency: options.appMaxConcurrency }),
    )
    this.#channel = channel
    const soleBroker = compat.has('early-publish')
      ? { pubsubName: registry.pubsub.size === 1 ? [...registry.pubsub.keys()][0] : undefined }
      : undefined
    const engine = createPubSubEngine({
      soleBroker: compat.has('early-subscriptions'),
      pubsubs: registry.pubsub,
      channel,
      appId,
      namespace,
      subscriptions: loaded.subscriptions,
      discover: !options.disableInitEndpoints.includes('subscribe'),
      logger,
      clock,
      random,
      policyOf: (name) => resiliency.component(name, 'Pubsub', 'Inbound'),
      overload: this.#guard,
    })
    if ([...registry.state.values()].some((store) => outboxSettings(store) !== undefined)) {
      const { Outbox } = await import('./outbox/outbox.ts')
      const { state: stores, pubsub: pubsubs } = registry
      this.#outbox = new Outbox({ stores, pubsubs, engine, appId, namespace, logger, clock, random })
    }
    const state = new StateHandler(registry.state, appId, logger, {
      outbox: this.#outbox,
      retryPolicies: compat.has('early-retries') ? { clock } : undefined,
    })
    const outputs = new BindingsHandler(
      registry.bindings,
      logger,
      random,
      compat.has('early-bindings') ? 'create' : '',
    )
    const bindings = createInputBindings({
      bindings: registry.bindings,
      channel,
      responder: new AppResponses(state, outputs, registry.bindings.values(), logger),
      logger,
      clock,
      random,
      optionsTimeoutMs: options.appBindingOptionsTimeoutMs,
      maxReplyBytes: options.maxBodyBytes,
      policyOf: (name) => resiliency.component(name, 'Binding', 'Inbound'),
      overload: this.#guard,
    })
    const attachment = new Attachment({
      options,
      channel,
      overNetwork: app === undefined,
      engine,
      bindings,
      logger,
      clock,
      onHealth: (healthy) => this.#neighbours?.follow(healthy),
    })
    this.#attachment = attachment
    const neighbours = new Neighbours({
      options,
      configuration: loaded.configuration,
      env: this.#around.env ?? {},
      loadResolver: loaded.nameResolver,
      channel: () => channel,
      appHealthy: () => attachment.healthy,
      overload: this.#guard,
      logger,
      clock,
      random,
    })
    this.#neighbours = neighbours
    this.#endpoints = new HttpEndpoints(loaded.endpoints)
    const components = registry.all.map((component) => ({
      name: component.resource.name,
      type: component.definition.type,
      version: component.version,
      capabilities: capabilityNames(component),
    }))
    this.#api = {
      state,
      publish: new PublishHandler(engine, appId, logger, random, soleBroker),
      bindings: outputs,
      secrets: new SecretsHandler(registry.secretstores, loaded.configuration.secretScopes, logger),
      configuration: new ConfigurationHandler({
        stores: registry.configuration,
        channel,
        clock,
        random,
        logger,
        policyOf: (name) => resiliency.component(name, 'Configuration', 'Inbound'),
      }),
      lock: new LockHandler(registry.lock, logger),
      crypto: new CryptoHandler(registry.crypto, logger),
      subtleCrypto: new SubtleCryptoHandler(registry.crypto, logger),
      invoke: new InvokeHandler({
        appId,
        namespace,
        channel,
        appHealthy: () => attachment.healthy,
        maxBodyBytes: options.maxBodyBytes,
        remote: neighbours.apps,
        endpoints: this.#endpoints,
        resiliency,
        forwarded: forwardedFields(options.hostAddress ?? hostAddress()),
        random,
      }),
      metadata: new MetadataHandler({
        appId,
        version,
        enabledFeatures: loaded.configuration.features,
        components: () => components,
        subscriptions: () => engine.subscriptions(),
        httpEndpoints: this.#endpoints.names,
        resiliency,
        app:
          options.appPort === undefined
            ? undefined
            : {
                port: options.appPort,
                protocol: options.appProtocol,
                channelAddress: options.appChannelAddress,
                maxConcurrency: options.appMaxConcurrency,
                health: options.appHealth.enabled ? options.appHealth : undefined,
              },
      }),
    }
  }

  async #listen(configuration: Configuration): Promise<void> {
    const options = this.#options
    const parts = {
      options,
      configuration,
      api: this.api,
      pipeline: this.#pipeline,
      overload: this.#guard,
      health: {
        appId: options.appId,
        unready: () => this.unready,
        outboundReady: () => this.#outboundReady,
      },
      logger: this.#logger,
      clock: this.#clock,
      onShutdownRequest: (force: boolean) => this.#around.onShutdownRequest?.(force),
    }
    const { http, grpcPort } = await openApis(parts, (server) => this.#servers.push(server))
    this.#http = http
    this.#grpcPort = grpcPort
  }
}
