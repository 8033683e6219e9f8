import { AppCallback, Dapr } from '@outrigger/proto/runtime'
import { reflectionRoutes, routesOf } from '@outrigger/proto/serve'
import type { Clock, Logger } from '@outrigger/spec'
import type { Handler, ServerRequest, ServerResponse } from '@outrigger/wire'
import { createGrpcHandler, GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { bindingsMethods } from '../api/bindings/grpc.ts'
import { configurationMethods } from '../api/configuration/grpc.ts'
import { cryptoMethods } from '../api/crypto/grpc.ts'
import { ApiError } from '../api/api-error.ts'
import type { DaprHandlers } from '../api/grpc-call.ts'
import { invokeMethods } from '../api/invoke/grpc.ts'
import { lockMethods } from '../api/lock/grpc.ts'
import { metadataMethods } from '../api/metadata/grpc.ts'
import { publishMethods } from '../api/publish/grpc.ts'
import { streamMethods } from '../api/publish/stream.ts'
import { secretsMethods } from '../api/secrets/grpc.ts'
import { stateAlphaMethods, stateMethods } from '../api/state/grpc.ts'
import { subtleCryptoMethods } from '../api/subtlecrypto/grpc.ts'
import type { Configuration } from '../config/configuration.ts'
import type { RuntimeOptions } from '../config/options.ts'
import type { RuntimeApi } from '../runtime.ts'
import { noMemory } from '../overload/refused.ts'
import { baggageProblem } from '../telemetry/baggage.ts'
import { toBinary, traceparentOf } from '../telemetry/trace-context.ts'
import { allows, type GrpcGroup } from './api-access.ts'
import { statusOf, withStatuses } from './grpc-errors.ts'
import { loggedGrpc } from './grpc-log.ts'
import { appProxy } from './grpc-proxy.ts'
import { ResponseWithFields } from './response-with-fields.ts'
import { tokenCheck } from './token.ts'

export interface GrpcApiParts {
  readonly options: RuntimeOptions
  readonly configuration: Configuration
  readonly api: RuntimeApi
  /** Whether new work is refused; absent without a memory limit. */
  readonly overload?: { readonly over: boolean } | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly onShutdownRequest: (force: boolean) => void
}

/** Take next to no memory: answered while there is none left for anything else. */
const light: ReadonlySet<string> = new Set(
  [Dapr.method.getMetadata, Dapr.method.setMetadata, Dapr.method.shutdown].map(pathOf),
)

const notOffered = 'requested endpoint is not available: spec.api of the Configuration does not offer it'

function pathOf({ name }: { readonly name: string }): string {
  return `/${Dapr.typeName}/${name}`
}

/** Whether a call is meant for the sidecar: what is not built yet must not reach an application instead. */
function isOwn({ path }: ServerRequest): boolean {
  return path.startsWith(`/${Dapr.typeName}/`)
}

/** The gRPC API that the application calls. Its modules are many: import this file when the first call comes. */
export function grpcApi(parts: GrpcApiParts): Handler {
  const { options, configuration, logger, overload } = parts
  const allowed = (group: GrpcGroup): boolean => allows(configuration.apiAccess, group, 'grpc')
  const handlers: DaprHandlers = {}
  const refused = new Set<string>()
  for (const [group, methods] of groups(parts)) {
    if (allowed(group)) Object.assign(handlers, methods)
    else for (const name of Object.keys(methods)) refused.add(pathOf(Dapr.method[name as keyof DaprHandlers]))
  }
  const checkToken = tokenCheck(options.apiToken)
  const pass = appProxy(parts.api.invoke)
  // Passing calls on is invocation too.
  const mayPass = allowed('v1/invoke')
  const handler = createGrpcHandler({
    routes: [...routesOf(Dapr, withStatuses(handlers)), ...reflectionRoutes([Dapr, AppCallback])],
    maxMessageBytes: options.maxBodyBytes,
    fallback: (request, response) => (mayPass && !isOwn(request) ? pass(request, response) : undefined),
    authorize(request) {
      if (!checkToken(request.fields.get('dapr-api-token'))) {
        throw new GrpcError(grpcStatus.UNAUTHENTICATED, 'invalid api token')
      }
      request.fields.delete('dapr-api-token')
      if (refused.has(request.path)) throw new GrpcError(grpcStatus.UNIMPLEMENTED, notOffered)
      if (overload?.over === true && !light.has(request.path))
        throw statusOf(new ApiError('OVERLOADED', noMemory))
      if (!request.fields.has('baggage')) return
      const problem = baggageProblem(request.fields.getAll('baggage'))
      if (problem !== undefined)
        throw new GrpcError(grpcStatus.INVALID_ARGUMENT, `invalid baggage header: ${problem}`)
    },
    onError: (error, path) => logger.error('a call failed for a reason that nobody foresaw', { path, error }),
  })
  const api: Handler = (request, response) =>
    handler(request, isOwn(request) ? withTrace(request, response) : response)
  return (options.enableApiLogging ?? configuration.apiLogging.enabled) ? loggedGrpc(api, parts) : api
}

/** Longest field of a trace that is sent back. */
const longestTraceField = 8192

/** The trace context and baggage that came are sent back with the answer, unless it has its own. */
function withTrace({ fields }: ServerRequest, response: ServerResponse): ServerResponse {
  const binary = toBinary(traceparentOf(fields))
  const baggage = fields.get('baggage')
  const extra = binary === undefined ? [] : ['grpc-trace-bin', binary]
  if (baggage !== undefined && baggage.length <= longestTraceField) extra.push('baggage', baggage)
  return extra.length === 0 ? response : new ResponseWithFields(response, extra)
}

/** The methods of each building block, under the name and version that access lists know it by. */
function groups({
  api,
  options,
  logger,
  onShutdownRequest,
}: GrpcApiParts): readonly (readonly [GrpcGroup, DaprHandlers])[] {
  const { bulkPublishEventAlpha1, ...publish } = publishMethods(api.publish)
  const { unlockAlpha1, ...lock } = lockMethods(api.lock)
  const {
    getConfigurationAlpha1,
    subscribeConfigurationAlpha1,
    unsubscribeConfigurationAlpha1,
    ...configuration
  } = configurationMethods(api.configuration)
  return [
    ['v1/state', stateMethods(api.state)],
    ['v1alpha1/state', stateAlphaMethods(api.state)],
    ['v1/publish', publish],
    ['v1alpha1/publish', { bulkPublishEventAlpha1 }],
    ['v1alpha1/subscribe', streamMethods(api.publish, logger)],
    ['v1/bindings', bindingsMethods(api.bindings, options.maxBodyBytes)],
    ['v1/secrets', secretsMethods(api.secrets)],
    ['v1/configuration', configuration],
    [
      'v1alpha1/configuration',
      { getConfigurationAlpha1, subscribeConfigurationAlpha1, unsubscribeConfigurationAlpha1 },
    ],
    ['v1alpha1/lock', lock],
    ['v1alpha1/unlock', { unlockAlpha1 }],
    ['v1alpha1/crypto', cryptoMethods(api.crypto)],
    ['v1alpha1/subtlecrypto', subtleCryptoMethods(api.subtleCrypto)],
    ['v1/invoke', invokeMethods(api.invoke, options.maxBodyBytes)],
    ['v1/metadata', metadataMethods(api.metadata)],
    [
      'v1/shutdown',
      {
        shutdown(_request, call) {
          const force = call.metadata.get('dapr-force-shutdown')
          onShutdownRequest(force === 'true' || force === '1')
          return {}
        },
      },
    ],
  ]
}
