/** What an error says beside code and text. Each part is there only where the sidecar sent it. */
export interface ErrorDetails {
  /** More about the cause, by name (google.rpc.ErrorInfo). */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** What it is about: a component, as a rule. */
  readonly resource?: { readonly type: string; readonly name: string } | undefined
  /** Fields of the request that are wrong. */
  readonly violations?: readonly { readonly field: string; readonly description: string }[] | undefined
  readonly help?: readonly { readonly description: string; readonly url: string }[] | undefined
}

/**
 * Failures that this package finds by itself, before the sidecar answered or instead of it:
 * - `ERR_CLIENT_ARGUMENT` a call that cannot be made like this
 * - `ERR_CLIENT_UNSUPPORTED` this transport cannot do it, another can
 * - `ERR_CLIENT_UNAVAILABLE` the sidecar cannot be reached, or the connection broke
 * - `ERR_CLIENT_TIMEOUT` no answer in time, by `timeoutMs` or a signal of `AbortSignal.timeout`
 * - `ERR_CLIENT_CANCELLED` the caller's signal
 * - `ERR_CLIENT_CLOSED` the client is closed
 * - `ERR_CLIENT_TOO_LARGE` the answer is larger than `maxBodyBytes`
 * - `ERR_CLIENT_ANSWER` an answer that nobody can understand
 */
export type ClientErrorCode =
  | 'ERR_CLIENT_ARGUMENT'
  | 'ERR_CLIENT_UNSUPPORTED'
  | 'ERR_CLIENT_UNAVAILABLE'
  | 'ERR_CLIENT_TIMEOUT'
  | 'ERR_CLIENT_CANCELLED'
  | 'ERR_CLIENT_CLOSED'
  | 'ERR_CLIENT_TOO_LARGE'
  | 'ERR_CLIENT_ANSWER'

export interface ErrorInit {
  readonly message: string
  readonly status: number
  readonly grpcStatus: string
  readonly errorCode?: string | undefined
  readonly reason?: string | undefined
  readonly details?: ErrorDetails | undefined
  readonly cause?: unknown
}

const brand: unique symbol = Symbol.for('outrigger.client.error') as never

/** The only error that calls of a client reject with; the same whatever the transport. Recognise it with `isOutriggerError`. */
export class OutriggerError extends Error {
  override readonly name = 'OutriggerError'
  /** HTTP status. */
  readonly status: number
  /** Name of the gRPC status: `INVALID_ARGUMENT`. */
  readonly grpcStatus: string
  /** As in Dapr's documentation, `ERR_STATE_GET`, or a `ClientErrorCode`. Absent where the answer names none. */
  readonly errorCode: string | undefined
  /** Which of the errors with this code, as in google.rpc.ErrorInfo: `DAPR_STATE_NOT_FOUND`. Else the code. */
  readonly reason: string | undefined
  readonly details: ErrorDetails
  readonly [brand] = true

  constructor(init: ErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause })
    this.status = init.status
    this.grpcStatus = init.grpcStatus
    this.errorCode = init.errorCode
    this.reason = init.reason ?? init.errorCode
    this.details = init.details ?? {}
  }

  /**
   * Whether the failure is one of the moment, so that the same call may succeed a little later. Whether it may be made
   * twice is for the caller to know: it may have been carried out.
   */
  get retryable(): boolean {
    return this.grpcStatus === 'UNAVAILABLE'
  }
}

/** Tells an OutriggerError, also one of another copy of this package; with `errorCode`, one of that code. */
export function isOutriggerError(error: unknown, errorCode?: string): error is OutriggerError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return errorCode === undefined || (error as OutriggerError).errorCode === errorCode
}

const clientErrors: Readonly<Record<ClientErrorCode, readonly [status: number, grpcStatus: string]>> = {
  ERR_CLIENT_ARGUMENT: [400, 'INVALID_ARGUMENT'],
  ERR_CLIENT_UNSUPPORTED: [501, 'UNIMPLEMENTED'],
  ERR_CLIENT_UNAVAILABLE: [503, 'UNAVAILABLE'],
  ERR_CLIENT_TIMEOUT: [504, 'DEADLINE_EXCEEDED'],
  ERR_CLIENT_CANCELLED: [499, 'CANCELLED'],
  ERR_CLIENT_CLOSED: [400, 'FAILED_PRECONDITION'],
  ERR_CLIENT_TOO_LARGE: [413, 'RESOURCE_EXHAUSTED'],
  ERR_CLIENT_ANSWER: [502, 'INTERNAL'],
}

export function clientError(errorCode: ClientErrorCode, message: string, cause?: unknown): OutriggerError {
  const [status, grpcStatus] = clientErrors[errorCode]
  return new OutriggerError({ message, status, grpcStatus, errorCode, cause })
}

/** A call that its caller gave up, by whatever reason the signal has. */
export function givenUp(signal: AbortSignal, cause: unknown = signal.reason): OutriggerError {
  const reason: unknown = signal.reason
  const late = reason instanceof Error && reason.name === 'TimeoutError'
  return late
    ? clientError('ERR_CLIENT_TIMEOUT', 'the time that the signal allowed is over', cause)
    : clientError('ERR_CLIENT_CANCELLED', 'the call was cancelled by its signal', cause)
}

export const closed = (): OutriggerError => clientError('ERR_CLIENT_CLOSED', 'the client is closed')
