import type { Clock, Logger } from '@outrigger/spec'
import type { Handler } from '@outrigger/wire'
import { bindingsRoutes } from '../api/bindings/http.ts'
import { ApiError } from '../api/api-error.ts'
import { configurationRoutes } from '../api/configuration/http.ts'
import { cryptoRoutes } from '../api/crypto/http.ts'
import { healthRoutes, type HealthSource } from '../api/health/http.ts'
import { invokeRoutes } from '../api/invoke/http.ts'
import { lockRoutes } from '../api/lock/http.ts'
import { metadataRoutes } from '../api/metadata/http.ts'
import { publishRoutes } from '../api/publish/http.ts'
import { secretsRoutes } from '../api/secrets/http.ts'
import { shutdownRoutes } from '../api/shutdown/http.ts'
import { stateRoutes } from '../api/state/http.ts'
import { subtleCryptoRoutes } from '../api/subtlecrypto/http.ts'
import { unbuiltRoutes } from '../api/unbuilt/http.ts'
import type { Configuration } from '../config/configuration.ts'
import type { RuntimeOptions } from '../config/options.ts'
import type { ServerPipeline } from '../middleware/server-pipeline.ts'
import type { RuntimeApi } from '../runtime.ts'
import { Cors } from './cors.ts'
import { httpApi } from './http-api.ts'
import type { HttpRoute } from './router.ts'
import { allows, idleRules } from './api-access.ts'

export interface ApiParts {
  readonly options: RuntimeOptions
  readonly configuration: Configuration
  readonly api: RuntimeApi
  /** Middleware before the HTTP API. */
  readonly pipeline?: ServerPipeline | undefined
  /** Whether new work is refused; absent without a memory limit. */
  readonly overload?: { readonly over: boolean } | undefined
  readonly health: HealthSource
  readonly logger: Logger
  readonly clock: Clock
  readonly onShutdownRequest: (force: boolean) => void
}

/** The HTTP API that the application calls. */
export function sidecarApi(parts: ApiParts): Handler {
  const { options, configuration, api, logger, clock } = parts
  const invoke = invokeRoutes(api.invoke)
  const known = [
    ...stateRoutes(api.state),
    ...publishRoutes(api.publish),
    ...bindingsRoutes(api.bindings),
    ...secretsRoutes(api.secrets),
    ...configurationRoutes(api.configuration),
    ...lockRoutes(api.lock),
    ...cryptoRoutes(api.crypto),
    ...subtleCryptoRoutes(api.subtleCrypto),
    ...invoke.routes,
    ...metadataRoutes(api.metadata),
    ...shutdownRoutes(parts.onShutdownRequest),
    ...unbuiltRoutes(),
  ]
  for (const { name, version } of idleRules(
    configuration.apiAccess,
    known.map(({ path }) => path),
  )) {
    const rule = version === undefined ? name : `${name} of version ${version}`
    logger.warn(
      `spec.api of the Configuration has a rule for ${rule}, which is no API that it could decide about`,
    )
  }
  const routes = known.filter((route) => allows(configuration.apiAccess, route.path))
  const logCalls = options.enableApiLogging ?? configuration.apiLogging.enabled
  // What serves every other path is invocation too, and must not serve it where that is not offered.
  const mayInvoke = invoke.routes.every((route) => allows(configuration.apiAccess, route.path))
  return httpApi({
    routes: [...routes, ...healthRoutes(parts.health)],
    fallback: mayInvoke
      ? invoke.fallback
      : noRoute('there is no such route, and spec.api does not offer invocation'),
    apiToken: options.apiToken,
    cors: options.allowedOrigins.length === 0 ? undefined : new Cors(options.allowedOrigins),
    pipeline: parts.pipeline,
    overload: parts.overload,
    logCalls: logCalls
      ? {
          obfuscateUrls: configuration.apiLogging.obfuscateUrls,
          omitHealthChecks: configuration.apiLogging.omitHealthChecks,
        }
      : undefined,
    logger,
    clock,
  })
}

/** What no route takes goes nowhere. */
function noRoute(message: string): HttpRoute {
  return {
    name: 'NotFound',
    methods: [],
    path: '*',
    handle() {
      throw new ApiError('DIRECT_INVOKE_NO_APP_ID', message)
    },
  }
}

/** Health and metadata alone, without a token: for probes from outside. */
export function publicApi(parts: ApiParts): Handler {
  return httpApi({
    routes: [...healthRoutes(parts.health), ...metadataRoutes(parts.api.metadata)],
    fallback: noRoute('the public server offers health and metadata only'),
    apiToken: undefined,
    cors: undefined,
    logCalls: undefined,
    logger: parts.logger,
    clock: parts.clock,
  })
}
