import { readFile } from 'node:fs/promises'
import {
  createHealth,
  createLifecycle,
  type Clock,
  type Health,
  type Logger,
  type Part,
  type Random,
} from '@outrigger/host'
import { CA, SignCertificateRequest_TokenValidator as Kind } from '@outrigger/proto/sentry'
import { reflectionRoutes, routesOf } from '@outrigger/proto/serve'
import { spiffeId } from '@outrigger/security'
import type { Authority } from '@outrigger/security/authority'
import { createServer, type BoundAddress, type Server } from '@outrigger/wire'
import { createGrpcHandler } from '@outrigger/wire/grpc'
import { loadAuthority } from './authority/store.ts'
import { FileWatch } from './authority/watch.ts'
import type { Address, SentryOptions } from './config/options.ts'
import { healthServer, metricsServer } from './endpoints.ts'
import { Metrics } from './metrics.ts'
import { oidcServer } from './oidc/server.ts'
import { ServerCertificate } from './server-certificate.ts'
import { Signer } from './signing/signer.ts'
import { TokenIssuer } from './tokens/issuer.ts'
import { loadTokenKeys } from './tokens/keys.ts'
import { jwksValidator } from './validators/jwks.ts'
import { openKeySource } from './validators/key-source.ts'
import { insecureValidator, type Validator } from './validators/validator.ts'

export interface SentryContext {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Which flag names the port of which listener. */
const portFlags: Readonly<Record<keyof SentryAddresses, string>> = {
  grpc: 'port',
  healthz: 'healthz-port',
  metrics: 'metrics-port',
  oidc: 'oidc-server-listen-port',
}

/** Where it listens, once it was started. */
export interface SentryAddresses {
  readonly grpc: BoundAddress
  readonly healthz: BoundAddress | undefined
  readonly metrics: BoundAddress | undefined
  readonly oidc: BoundAddress | undefined
}

/** A certificate authority. */
export interface Sentry {
  readonly health: Health
  readonly addresses: SentryAddresses
  /** Resolves when certificates can be asked for. */
  start(): Promise<void>
  /** Lets running requests finish. @returns whether all stopped in time and without error */
  stop(): Promise<boolean>
}

const stopTimeoutMs = 5_000
const largestRequest = 256 * 1024

/** Creates a certificate authority; nothing is read or served before it is started. */
export function createSentry(options: SentryOptions, context: SentryContext): Sentry {
  return new Composition(options, context)
}

class Composition implements Sentry {
  readonly health = createHealth()
  private readonly options: SentryOptions
  private readonly context: SentryContext
  private readonly metrics = new Metrics()
  private readonly lifecycle
  private readonly bound = new Map<keyof SentryAddresses, BoundAddress>()
  private authority: Authority | undefined
  private tokens: TokenIssuer | undefined
  private readonly validators = new Map<Kind, Validator>()
  private watch: FileWatch | undefined
  private certificate: ServerCertificate | undefined
  private server: Server | undefined
  private oidc: Server | undefined

  constructor(options: SentryOptions, context: SentryContext) {
    this.options = options
    this.context = context
    const { clock, logger } = context
    const { healthz, metrics, oidc } = options
    const parts = [
      healthz && this.listening('healthz', healthz, () => healthServer(this.health)),
      metrics && this.listening('metrics', metrics, () => metricsServer(this.metrics)),
      { name: 'the authority', start: () => this.load(), stop: () => this.watch?.close() },
      { name: 'the validators', start: () => this.openValidators(), stop: () => this.closeValidators() },
      this.listening('grpc', options.listen, () => this.makeServer()),
      oidc && this.listening('oidc', oidc.listen, () => this.makeOidc()),
    ]
    this.lifecycle = createLifecycle({
      parts: parts.filter((part) => part !== undefined),
      clock,
      logger,
      stopTimeoutMs,
    })
  }

  get addresses(): SentryAddresses {
    const grpc = this.bound.get('grpc')
    if (grpc === undefined) throw new Error('sentry was not started')
    const { bound } = this
    return { grpc, healthz: bound.get('healthz'), metrics: bound.get('metrics'), oidc: bound.get('oidc') }
  }

  start(): Promise<void> {
    return this.lifecycle.start()
  }

  stop(): Promise<boolean> {
    return this.lifecycle.stop()
  }

  private listening(
    name: keyof SentryAddresses,
    address: Address,
    make: () => Server | Promise<Server>,
  ): Part {
    const target = this.health.target(`sentry-${name}`)
    let server: Server | undefined
    return {
      name: `the listener ${name}`,
      start: async () => {
        server = await make()
        const bound = await server.listen(address).catch((cause: Error) => {
          throw new Error(`${cause.message}: choose another with --${portFlags[name]}`)
        })
        this.bound.set(name, bound)
        this.context.logger.info(`Listening for ${name} on port ${bound.port} of ${bound.host}`)
        target.ready()
      },
      stop: async (signal) => {
        target.notReady('stopping')
        if (name === 'grpc') this.certificate?.close()
        await server?.close(signal)
      },
    }
  }

  /** The files, and what is watched of them. */
  private async load(): Promise<void> {
    const { options, context } = this
    const { files, tokens, oidc } = options
    const watched = [
      ...Object.values(files),
      ...(tokens === undefined ? [] : [tokens.keyFile, tokens.keySetFile]),
      ...(oidc?.tls === undefined ? [] : [oidc.tls.certFile, oidc.tls.keyFile]),
    ]
    this.watch = await FileWatch.open({ files: watched, ...context, reload: () => this.reload() })
    const before = await loadAuthority({ ...options, ...context }, true)
    this.useAuthority(before)
    if (tokens !== undefined) this.tokens = await this.issuer(true)
    // What was made just now is no change.
    await this.watch.reset()
    this.watch.start()
  }

  /** All is read before anything is replaced. */
  private async reload(): Promise<void> {
    const { options, context, metrics } = this
    const authority = await loadAuthority({ ...options, ...context }, false)
    const tokens = options.tokens === undefined ? undefined : await this.issuer(false)
    const oidcTls = await this.oidcTls()
    this.useAuthority(authority)
    this.tokens = tokens
    await this.certificate?.renew()
    if (oidcTls !== undefined) this.oidc?.replaceTls(oidcTls)
    metrics.issuerChanges++
    context.logger.info(
      'The files of the authority have changed: what is signed from now on comes from the new ones',
    )
  }

  private useAuthority(authority: Authority): void {
    this.authority = authority
    this.metrics.issuerExpiresAt = Math.floor(authority.expiresAt / 1000)
    const roots = authority.anchors.length
    this.context.logger.info(
      `The issuer is valid until ${new Date(authority.expiresAt).toISOString()}; ${roots} root${roots === 1 ? '' : 's'} to trust`,
    )
  }

  private async issuer(make: boolean): Promise<TokenIssuer> {
    const { tokens, allowedClockSkewMs: clockSkewMs } = this.options
    const { issuer, ttlMs } = tokens!
    const keys = await loadTokenKeys(tokens!, make)
    return new TokenIssuer({ keys, issuer, ttlMs, clockSkewMs, clock: this.context.clock })
  }

  private async openValidators(): Promise<void> {
    const { options, context, health } = this
    const { jwks, trustDomain, namespace } = options
    if (jwks === undefined) {
      this.validators.set(Kind.INSECURE, insecureValidator)
      context.logger.info(
        'No validator is configured: whoever can reach this port gets the identity he asks for',
      )
      return
    }
    const audience = spiffeId(trustDomain, namespace, 'dapr-sentry').uri
    const keys = await openKeySource(jwks, { ...context, health: health.target('sentry-jwks-validator') })
    this.validators.set(Kind.JWKS, jwksValidator({ keys, audience, clock: context.clock }))
    context.logger.info(`Tokens must be meant for ${audience}`)
  }

  private closeValidators(): void {
    for (const validator of this.validators.values()) validator.close()
  }

  private async makeServer(): Promise<Server> {
    const { options, context, metrics } = this
    const { trustDomain, namespace, workloadCertTtlMs, allowedClockSkewMs, jwks } = options
    const signer = new Signer({
      ...context,
      authority: () => this.authority!,
      tokens: () => this.tokens,
      home: { trustDomain, namespace },
      validators: this.validators,
      defaultValidator: jwks === undefined ? Kind.INSECURE : Kind.UNKNOWN,
      workloadCertTtlMs,
      allowedClockSkewMs,
      metrics,
    })
    const handler = createGrpcHandler({
      routes: [
        ...routesOf(CA, { signCertificate: (request, call) => signer.sign(request, call.remoteAddress) }),
        ...reflectionRoutes([CA]),
      ],
      maxMessageBytes: largestRequest,
      onError: (error, path) => context.logger.error(`${path} failed`, { error }),
    })
    this.certificate = new ServerCertificate({
      ...context,
      id: spiffeId(trustDomain, namespace, 'dapr-sentry'),
      authority: () => this.authority!,
      ttlMs: workloadCertTtlMs,
      clockSkewMs: allowedClockSkewMs,
      metrics,
      use: (tls) => {
        if (this.server === undefined) this.server = createServer({ tls, protocols: ['h2'] }, handler)
        else this.server.replaceTls(tls)
      },
    })
    await this.certificate.renew()
    return this.server!
  }

  private async makeOidc(): Promise<Server> {
    const { oidc, tokens } = this.options
    const tls = await this.oidcTls()
    this.oidc = oidcServer({ ...oidc!, tls, issuer: tokens?.issuer, keys: () => this.tokens!.keys })
    return this.oidc
  }

  private async oidcTls(): Promise<{ cert: string; key: string } | undefined> {
    const files = this.options.oidc?.tls
    if (files === undefined) return undefined
    const [cert, key] = await Promise.all([readFile(files.certFile, 'utf8'), readFile(files.keyFile, 'utf8')])
    return { cert, key }
  }
}
