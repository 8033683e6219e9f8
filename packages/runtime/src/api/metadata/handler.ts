import { formatDuration } from '@outrigger/host'
import type { SubscriptionInfo } from '../../pubsub/types.ts'
import type { PolicyStatus, Resiliency } from '../../resiliency/provider.ts'
import { ApiError } from '../api-error.ts'

export interface MetadataSource {
  readonly appId: string
  readonly version: string
  readonly enabledFeatures: readonly string[]
  components(): readonly {
    readonly name: string
    readonly type: string
    readonly version: string
    readonly capabilities: readonly string[]
  }[]
  subscriptions(): readonly SubscriptionInfo[]
  /** Names of HTTPEndpoint resources. */
  readonly httpEndpoints?: readonly string[]
  readonly resiliency?: Pick<Resiliency, 'names' | 'status'> | undefined
  readonly app:
    | {
        readonly port: number
        readonly protocol: string
        readonly channelAddress: string
        readonly maxConcurrency: number | undefined
        readonly health:
          | {
              readonly path: string
              readonly intervalMs: number
              readonly timeoutMs: number
              readonly threshold: number
            }
          | undefined
      }
    | undefined
}

export interface Description extends Pick<MetadataSource, 'appId' | 'version' | 'enabledFeatures' | 'app'> {
  /** Names of the Resiliency resources. */
  readonly resiliencies: readonly string[]
  /** What has a policy, with its breakers and what it did since the start. */
  readonly resiliencyTargets: readonly PolicyStatus[]
  readonly httpEndpoints: readonly string[]
  readonly components: ReturnType<MetadataSource['components']>
  readonly subscriptions: readonly SubscriptionInfo[]
  readonly extended: Record<string, string>
}

/** Of targets that have a policy, so many are shown. */
const mostTargets = 1000
/** Bounds what callers can make the sidecar keep. */
const mostExtended = 1000
const longestExtended = 64 * 1024

/** What the runtime tells of itself. */
export class MetadataHandler {
  readonly #source: MetadataSource
  readonly #extended = new Map<string, string>()

  constructor(source: MetadataSource) {
    this.#source = source
  }

  /** Sets one attribute of `extended`. */
  set(key: string, value: string): void {
    if (key.length + value.length > longestExtended) {
      throw new ApiError(
        'MALFORMED_REQUEST',
        `metadata ${key.slice(0, 40)} is longer than ${longestExtended} bytes`,
      )
    }
    if (!this.#extended.has(key) && this.#extended.size >= mostExtended) {
      throw new ApiError(
        'MALFORMED_REQUEST',
        `there are ${mostExtended} attributes already, which is the most`,
      )
    }
    this.#extended.set(key, value)
  }

  /** What there is to tell now. */
  describe(): Description {
    const { appId, version, enabledFeatures, app, resiliency } = this.#source
    return {
      appId,
      version,
      enabledFeatures,
      app,
      components: this.#source.components(),
      subscriptions: this.#source.subscriptions(),
      httpEndpoints: this.#source.httpEndpoints ?? [],
      resiliencies: resiliency?.names ?? [],
      resiliencyTargets: resiliency?.status().slice(0, mostTargets) ?? [],
      extended: { ...Object.fromEntries(this.#extended), daprRuntimeVersion: version },
    }
  }

  /** The document of GET /v1.0/metadata. Empty lists are left out, as in Dapr. */
  get(): Record<string, unknown> {
    const described = this.describe()
    const { appId, version, enabledFeatures, app, components, subscriptions, extended } = described
    const { httpEndpoints, resiliencies, resiliencyTargets } = described
    return {
      id: appId,
      runtimeVersion: version,
      ...(enabledFeatures.length > 0 && { enabledFeatures }),
      ...(components.length > 0 && { components }),
      extended,
      ...(subscriptions.length > 0 && { subscriptions: subscriptions.map(subscription) }),
      ...(resiliencies.length > 0 && { resiliencies: resiliencies.map((name) => ({ name })) }),
      // Not in Dapr.
      ...(resiliencyTargets.length > 0 && { resiliencyTargets }),
      ...(app !== undefined && {
        appConnectionProperties: {
          port: app.port,
          protocol: app.protocol,
          channelAddress: app.channelAddress,
          ...(app.maxConcurrency !== undefined && { maxConcurrency: app.maxConcurrency }),
          ...(app.health !== undefined && {
            health: {
              healthCheckPath: app.health.path,
              healthProbeInterval: formatDuration(app.health.intervalMs),
              healthProbeTimeout: formatDuration(app.health.timeoutMs),
              healthThreshold: app.health.threshold,
            },
          }),
        },
      }),
      ...(httpEndpoints.length > 0 && { httpEndpoints: httpEndpoints.map((name) => ({ name })) }),
      actorRuntime: { runtimeStatus: 'DISABLED', hostReady: false, placement: 'placement: disconnected' },
    }
  }
}

function subscription(info: SubscriptionInfo): Record<string, unknown> {
  return {
    pubsubname: info.pubsubName,
    topic: info.topic,
    ...(Object.keys(info.metadata).length > 0 && { metadata: info.metadata }),
    rules: info.rules.map(({ match, path }) => ({ ...(match !== '' && { match }), path })),
    deadLetterTopic: info.deadLetterTopic ?? '',
    type: info.type,
  }
}
