import { formatDuration } from '@outrigger/host'
import { ActorRuntime_ActorRuntimeStatus, PubsubSubscriptionType } from '@outrigger/proto/runtime'
import type { DaprHandlers } from '../grpc-call.ts'
import type { MetadataHandler } from './handler.ts'

/** The metadata methods of the gRPC API. */
export function metadataMethods(
  handler: MetadataHandler,
): Required<Pick<DaprHandlers, 'getMetadata' | 'setMetadata'>> {
  return {
    getMetadata() {
      const described = handler.describe()
      const { appId, version, enabledFeatures, components, subscriptions, extended, app } = described
      const { httpEndpoints, resiliencies, resiliencyTargets } = described
      return {
        id: appId,
        runtimeVersion: version,
        enabledFeatures: [...enabledFeatures],
        registeredComponents: components.map((component) => ({
          ...component,
          capabilities: [...component.capabilities],
        })),
        // The message has no place for the state of resiliency: it is here, in the form that it has over HTTP.
        extendedMetadata:
          resiliencyTargets.length === 0
            ? extended
            : { ...extended, resiliencyTargets: JSON.stringify(resiliencyTargets) },
        resiliencies: resiliencies.map((name) => ({ name })),
        httpEndpoints: httpEndpoints.map((name) => ({ name })),
        subscriptions: subscriptions.map((info) => ({
          pubsubName: info.pubsubName,
          topic: info.topic,
          metadata: { ...info.metadata },
          rules: { rules: info.rules.map(({ match, path }) => ({ match, path })) },
          deadLetterTopic: info.deadLetterTopic ?? '',
          type: PubsubSubscriptionType[info.type],
        })),
        ...(app !== undefined && {
          appConnectionProperties: {
            port: app.port,
            protocol: app.protocol,
            channelAddress: app.channelAddress,
            maxConcurrency: app.maxConcurrency ?? 0,
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
        actorRuntime: {
          runtimeStatus: ActorRuntime_ActorRuntimeStatus.DISABLED,
          hostReady: false,
          placement: 'placement: disconnected',
        },
      }
    },
    setMetadata({ key, value }) {
      handler.set(key, value)
      return {}
    },
  }
}
