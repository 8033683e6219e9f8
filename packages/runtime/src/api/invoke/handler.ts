import { Fields, isWireError } from '@outrigger/wire'
import type { AppChannel, AppRequest, AppResponse } from '../../app/channel.ts'
import { ApiError } from '../api-error.ts'
import { callApp } from './call-app.ts'

export interface InvokeHandlerOptions {
  readonly appId: string
  readonly namespace: string
  readonly channel: AppChannel | undefined
  /** Whether calls may go to the application now (its health). */
  readonly appHealthy: () => boolean
  /** Of a request to an application that speaks gRPC, where it is one message. */
  readonly maxBodyBytes: number
}

/** Who calls whom; nobody but a sidecar may say so. */
const callerId = 'dapr-caller-app-id'
const callerNamespace = 'dapr-caller-namespace'
const calleeId = 'dapr-callee-app-id'

/** Service invocation, for every face of the runtime: so far of the own application. */
export class InvokeHandler {
  readonly #options: InvokeHandlerOptions

  constructor(options: InvokeHandlerOptions) {
    this.#options = options
  }

  /** Whether a name means the own application. */
  isOwn(target: string): boolean {
    const { appId, namespace } = this.#options
    return target === appId || target === `${appId}.${namespace}`
  }

  /** The application of this name, if it is there and, unless that does not matter, healthy. @throws ApiError API_UNIMPLEMENTED, DIRECT_INVOKE */
  reach(target: string, { healthy = true } = {}): AppChannel {
    const { appId, channel, appHealthy } = this.#options
    if (!this.isOwn(target)) {
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
    if (healthy && !appHealthy()) {
      throw new ApiError(
        'DIRECT_INVOKE',
        `failed to invoke, id: ${target}, err: app is not in a healthy state`,
      )
    }
    return channel
  }

  /** Any status of the application is an answer. One that speaks gRPC gets the request as `OnInvoke`. Takes its fields over. */
  async invoke(target: string, request: AppRequest): Promise<AppResponse> {
    const channel = this.reach(target)
    const fields = this.identify(request.fields)
    const identified = fields === request.fields ? request : { ...request, fields }
    try {
      return await callApp(channel, identified, this.#options.maxBodyBytes)
    } catch (error) {
      throw this.failed(target, channel, error)
    }
  }

  /** Puts the names of caller and callee into fields or metadata: changes `fields` when they are a Fields. */
  identify(init: AppRequest['fields']): Fields {
    const { appId, namespace } = this.#options
    const fields = init instanceof Fields ? init : new Fields([...(init ?? [])])
    return fields.set(callerId, appId).set(callerNamespace, namespace).set(calleeId, appId)
  }

  /** A failure of the way to the application, as an error of the API. */
  failed(target: string, channel: AppChannel, error: unknown): ApiError {
    if (error instanceof ApiError) return error
    if (isBusy(error)) {
      return new ApiError('OVERLOADED', `failed to invoke, id: ${target}, err: ${error.message}`, {
        cause: error,
      })
    }
    const text = errorText(error, channel.address)
    return new ApiError('DIRECT_INVOKE', `failed to invoke, id: ${target}, err: ${text}`, { cause: error })
  }
}

function errorText(error: unknown, address: string): string {
  const tooLarge = [error, (error as { cause?: unknown }).cause].find((it) => isWireError(it, 'TOO_LARGE'))
  if (tooLarge !== undefined) return `${(tooLarge as Error).message}; raise the limit with --max-body-size`
  return `${error instanceof Error ? error.message : 'unknown'} (${address})`
}

function isBusy(error: unknown): error is Error {
  return error instanceof Error && error.name === 'AppBusyError'
}
