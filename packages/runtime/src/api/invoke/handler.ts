import { isWireError } from '@outrigger/wire'
import type { AppChannel, AppRequest, AppResponse } from '../../app/channel.ts'
import { ApiError } from '../api-error.ts'

export interface InvokeHandlerOptions {
  readonly appId: string
  readonly namespace: string
  readonly channel: AppChannel | undefined
  /** Whether calls may go to the application now (its health). */
  readonly appHealthy: () => boolean
}

/** Service invocation, for every face of the runtime: so far of the own application. */
export class InvokeHandler {
  readonly #options: InvokeHandlerOptions

  constructor(options: InvokeHandlerOptions) {
    this.#options = options
  }

  /** Any status of the application is an answer. */
  async invoke(target: string, request: AppRequest): Promise<AppResponse> {
    const { appId, namespace, channel, appHealthy } = this.#options
    if (target !== appId && target !== `${appId}.${namespace}`) {
      throw new ApiError(
        'API_UNIMPLEMENTED',
        `failed to invoke, id: ${target}, err: invocation of other applications is not available in this version of Outrigger yet; this sidecar serves ${appId}`,
      )
    }
    if (channel === undefined) {
      throw new ApiError(
        'DIRECT_INVOKE',
        `failed to invoke, id: ${target}, err: app channel is not initialized; start the sidecar with --app-port`,
      )
    }
    if (channel.kind === 'grpc') {
      throw new ApiError(
        'DIRECT_INVOKE',
        `failed to invoke, id: ${target}, err: invocation of applications that speak gRPC is not available yet`,
      )
    }
    if (!appHealthy()) {
      throw new ApiError(
        'DIRECT_INVOKE',
        `failed to invoke, id: ${target}, err: app is not in a healthy state`,
      )
    }
    try {
      return await channel.call(request)
    } catch (error) {
      if (isBusy(error)) {
        throw new ApiError('OVERLOADED', `failed to invoke, id: ${target}, err: ${error.message}`, {
          cause: error,
        })
      }
      const text = errorText(error, channel.address)
      throw new ApiError('DIRECT_INVOKE', `failed to invoke, id: ${target}, err: ${text}`, { cause: error })
    }
  }
}

function errorText(error: unknown, address: string): string {
  const cause = isWireError(error) ? error.cause : undefined
  if (isWireError(cause, 'TOO_LARGE')) return `${cause.message}; raise the limit with --max-body-size`
  return `${error instanceof Error ? error.message : 'unknown'} (${address})`
}

function isBusy(error: unknown): error is Error {
  return error instanceof Error && error.name === 'AppBusyError'
}
