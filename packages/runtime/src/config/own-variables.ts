import { hostAddress, stablePort } from '../peer/address.ts'
import type { RuntimeOptions } from './options.ts'

/**
 * What Dapr puts into the environment of its own process, for `envRef` and secretstores.local.env to give out (those
 * that begin with `DAPR_` they do not) and for files of `--config`.
 */
export function ownVariables(options: RuntimeOptions, folder: string): Readonly<Record<string, string>> {
  const { appId, appPort, internalPort, metrics, profiling } = options
  return {
    APP_ID: appId,
    APP_PORT: String(appPort ?? 0),
    HOST_ADDRESS: options.hostAddress ?? hostAddress(),
    DAPR_PORT: String(internalPort ?? stablePort(appId, folder)),
    DAPR_HTTP_PORT: String(options.httpPort),
    DAPR_GRPC_PORT: String(options.grpcPort),
    DAPR_METRICS_PORT: String(metrics.port),
    DAPR_PROFILE_PORT: String(profiling.port),
  }
}
