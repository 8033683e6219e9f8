import type { Clock, Logger, Random, NameResolver, RegisteredInstance } from '@outrigger/spec'
import { createServer, type BoundAddress, type Server, type ServerRequest } from '@outrigger/wire'
import type { Security } from '@outrigger/security'
import type { Caller } from '../api/invoke/serve-peer.ts'
import type { AppChannel } from '../app/channel.ts'
import type { LoadedComponent } from '../components/live.ts'
import { defaultTrustDomain } from '../config/access-control.ts'
import type { Configuration } from '../config/configuration.ts'
import type { RuntimeOptions } from '../config/options.ts'
import { StartupError } from '../config/startup-error.ts'
import type { RemoteApps } from '../invoke/remote.ts'
import type { Remote } from '../invoke/router.ts'
import { lazily } from '../server/lazily.ts'
import { listenOn } from '../server/listen.ts'
import { hostAddress, stablePort } from './address.ts'

export interface NeighboursOptions {
  readonly options: RuntimeOptions
  readonly configuration: Configuration
  readonly env: Readonly<Record<string, string | undefined>>
  /** Creates the name resolver. @throws Error that says what is wrong with it */
  readonly loadResolver: () => Promise<LoadedComponent<NameResolver>>
  readonly channel: () => AppChannel | undefined
  readonly appHealthy: () => boolean
  /** Whether new work is refused; absent without a memory limit. */
  readonly overload?: { readonly over: boolean } | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** Metadata of calls may be larger than --read-buffer-size. */
const maxHeaderBytes = 64 * 1024
/** Refused callers are told of once in this time. */
const quietMs = 10_000
const unspecified: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]', ''])

/** The other sidecars: how they find this one and reach it, and how it finds and reaches them. */
export class Neighbours {
  readonly #options: NeighboursOptions
  #security: Security | undefined
  #server: Server | undefined
  #address: BoundAddress | undefined
  #resolver: Promise<LoadedComponent<NameResolver>> | undefined
  #remote: Promise<Remote> | undefined
  #registered: RegisteredInstance | undefined
  #healthy = true
  #quietUntil = -Infinity

  constructor(options: NeighboursOptions) {
    this.#options = options
  }

  /** Where other sidecars reach this one. */
  get port(): number | undefined {
    return this.#address?.port
  }

  /**
   * Creates the name resolver that is asked for, and gets an identity where connections are to be secured. Until
   * then nothing may be opened.
   */
  async prepare(signal: AbortSignal): Promise<void> {
    if (this.#options.configuration.nameResolution !== undefined) await this.#load()
    await this.#secure(signal)
  }

  async #secure(signal: AbortSignal): Promise<void> {
    const { options, configuration, env, logger, clock, random } = this.#options
    const { mtls } = options
    if (!mtls.enabled && configuration.mtls?.enabled !== true) return
    const sentryAddress = mtls.sentryAddress ?? configuration.mtls?.sentryAddress
    if (sentryAddress === undefined) {
      const text =
        'mutual TLS is on, and nobody signs certificates: give the address of sentry with --sentry-address'
      throw new StartupError([text])
    }
    const { openSecurity, securityFromEnvironment } = await import('@outrigger/security')
    try {
      this.#security = await openSecurity({
        ...securityFromEnvironment(env),
        sentryAddress,
        appId: options.appId,
        namespace: options.namespace,
        trustDomain: configuration.accessControl?.trustDomain ?? defaultTrustDomain,
        controlPlaneTrustDomain: configuration.mtls?.controlPlaneTrustDomain ?? mtls.controlPlaneTrustDomain,
        controlPlaneNamespace: mtls.controlPlaneNamespace,
        jwtAudiences: mtls.jwtAudiences,
        // Whoever is named may come in; what he may call is for the access control to say.
        trustDomains: configuration.accessControl?.policies.map((policy) => policy.trustDomain),
        // Where most applications are; those of other trust domains call them as well.
        serverTrustDomains: [defaultTrustDomain],
        kubernetes: options.mode === 'kubernetes',
        clock,
        random,
        logger,
        signal,
      })
    } catch (error) {
      if (signal.aborted) throw error
      const text = error instanceof Error ? error.message : String(error)
      throw new StartupError([`mutual TLS is on, and there is no identity: ${text}`], { cause: error })
    }
  }

  /** Opens the port for other sidecars. */
  async listen(): Promise<void> {
    const { options, configuration, logger } = this.#options
    const security = this.#security
    const tls = security?.serverTls()
    const access = configuration.accessControl
    if (tls === undefined && access !== undefined && access.policies.length > 0) {
      logger.warn(
        `accessControl has policies, and mutual TLS is off: nobody proves who he is, and for all calls its defaultAction counts (${access.defaultAction})`,
      )
    }
    const server = createServer(
      {
        maxHeaderBytes,
        protocols: tls === undefined ? ['h2c'] : ['h2'],
        ...(tls !== undefined && { tls, onTlsFailure: this.#refused }),
        maxBodyBytes: options.maxBodyBytes,
      },
      lazily(async () => {
        const [{ internalApi }, authorize] = await Promise.all([
          import('./internal-api.ts'),
          this.#authorize(),
        ])
        const { appHealthy, channel, overload } = this.#options
        const { appId, namespace, maxBodyBytes } = options
        const identify =
          security === undefined
            ? undefined
            : (request: ServerRequest): Caller => security.identify(request.peerCertificate)
        const common = { appId, namespace, maxBodyBytes, appHealthy, overload, logger }
        return internalApi({ ...common, channel: channel(), identify, authorize })
      }),
    )
    this.#server = server
    security?.onChange(() => server.replaceTls(security.serverTls()))
    const what = {
      api: 'the API for other sidecars',
      flag: 'dapr-internal-grpc-port',
      addressFlag: 'dapr-internal-grpc-listen-address',
    }
    const host = await this.#listenAddress()
    if (options.internalPort !== undefined) {
      this.#address = (await listenOn(server, what, [host], options.internalPort, logger))[0]
      return
    }
    const wanted = stablePort(options.appId, process.cwd())
    try {
      this.#address = (await listenOn(server, what, [host], wanted, logger))[0]
    } catch {
      // Another instance of the same application has it.
      this.#address = (await listenOn(server, what, [host], 0, logger))[0]
    }
  }

  /** Says who was not let in, and does not let him fill the log. */
  readonly #refused = (reason: string, address: string | undefined): void => {
    const { clock, logger } = this.#options
    const now = clock.monotonic()
    if (now < this.#quietUntil) return
    this.#quietUntil = now + quietMs
    logger.warn(`a caller at ${address ?? 'an unknown address'} was refused: mutual TLS is on, and ${reason}`)
  }

  /** Lets others find this instance, as far as there is a way. */
  async announce(): Promise<void> {
    const { options, configuration, logger } = this.#options
    if (this.#address === undefined) return
    let resolver: LoadedComponent<NameResolver>
    try {
      resolver = await this.#load()
    } catch (error) {
      if (configuration.nameResolution !== undefined) throw error
      logger.debug(`others cannot find this sidecar by its name: ${textOf(error)}`)
      return
    }
    const { instance } = resolver
    if (instance.register === undefined || !instance.capabilities.has('register')) return
    const { appId, namespace, appPort, httpPort } = options
    const registration = {
      appId,
      namespace,
      host: this.#host(instance),
      port: this.#address.port!,
      ...(appPort !== undefined && { appPort }),
      ...(httpPort !== 0 && { httpPort }),
      metadata: {},
    }
    try {
      this.#registered = await instance.register(registration, {})
      if (!this.#healthy) await this.#registered.setHealthy(false, {})
    } catch (error) {
      const text = `others cannot find this sidecar: ${resolver.definition.type} did not take it in: ${textOf(error)}`
      if (configuration.nameResolution !== undefined) throw new StartupError([text], { cause: error })
      logger.warn(text)
    }
  }

  /** Others leave this instance while its application is not well. */
  follow(healthy: boolean): void {
    if (this.#healthy === healthy) return
    this.#healthy = healthy
    this.#registered?.setHealthy(healthy, {}).catch((error: unknown) => {
      this.#options.logger.warn('others were not told of the health of the application', { error })
    })
  }

  /** The way to other applications, opened with the first call of one. */
  readonly apps = async (): Promise<RemoteApps> => {
    this.#remote ??= this.#open()
    return (await this.#remote).apps
  }

  /** Nobody finds this instance any more. */
  async leave(): Promise<void> {
    await this.#registered?.close().catch((error: unknown) => {
      this.#options.logger.warn('this sidecar was not taken out of the name resolution', { error })
    })
  }

  /** Takes no more calls of others and lets those that are under way finish. */
  async stopListening(signal: AbortSignal): Promise<void> {
    await this.#server?.close(signal)
  }

  async close(): Promise<void> {
    await this.#remote?.then((remote) => remote.close()).catch(() => {})
    await this.#resolver?.then(({ instance }) => instance.close()).catch(() => {})
    this.#security?.close()
  }

  #load(): Promise<LoadedComponent<NameResolver>> {
    this.#resolver ??= this.#options.loadResolver()
    return this.#resolver
  }

  async #open(): Promise<Remote> {
    const { openRemote } = await import('../invoke/router.ts')
    const { options, clock, logger } = this.#options
    return openRemote({
      resolver: async () => (await this.#load()).instance,
      security: this.#security,
      internalPort: () => this.port,
      maxBodyBytes: options.maxBodyBytes,
      clock,
      logger,
    })
  }

  /** Where only this machine can find it, only this machine shall reach it. */
  async #listenAddress(): Promise<string | undefined> {
    const { options, configuration } = this.#options
    const { internalListenAddress, hostAddress: given } = options
    if (internalListenAddress !== undefined || given !== undefined) return internalListenAddress
    if (configuration.nameResolution === undefined) return undefined
    const { instance } = await this.#load()
    return instance.capabilities.has('local') ? '127.0.0.1' : undefined
  }

  /** Instances that only this machine can see are found where no network can be missing. */
  #host(resolver: NameResolver): string {
    const { hostAddress: given, internalListenAddress } = this.#options.options
    if (given !== undefined) return given
    if (!unspecified.has(internalListenAddress ?? '')) return internalListenAddress!.replace(/^\[|\]$/g, '')
    return resolver.capabilities.has('local') ? '127.0.0.1' : hostAddress()
  }

  async #authorize() {
    const { options, configuration } = this.#options
    if (configuration.accessControl === undefined) return undefined
    const { accessControl } = await import('../invoke/access-control.ts')
    const overHttp = !options.appProtocol.startsWith('grpc')
    return accessControl(configuration.accessControl, options.appId, overHttp)
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
