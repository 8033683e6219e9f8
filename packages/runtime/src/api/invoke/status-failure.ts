import type { AppResponse } from '../../app/channel.ts'
import type { PeerAnswer } from '../../peer/call.ts'
import type { Failure } from '../../resiliency/retry.ts'

/** An answer whose status stands for a failure, on its way through policies; the caller gets it as an answer. */
export class StatusFailure<A extends AppResponse | PeerAnswer = AppResponse> extends Error {
  readonly answer: A
  readonly verdict: Failure

  constructor(answer: A, verdict: Failure) {
    super(`the application answered with status ${verdict.http ?? verdict.grpc}`)
    this.name = 'StatusFailure'
    this.answer = answer
    this.verdict = verdict
  }
}

/** What policies take for a failure among statuses of HTTP. */
export function httpFailure(status: number): Failure | undefined {
  return status < 200 || status > 399 ? { http: status } : undefined
}

/** The same of an answer of another sidecar, whose status is one of HTTP or a code of gRPC. */
export function peerFailure({ head: { status } }: PeerAnswer): Failure | undefined {
  if (status >= firstHttpStatus) return httpFailure(status)
  return status === 0 ? undefined : { grpc: status }
}

/** Statuses below are codes of gRPC. */
export const firstHttpStatus = 100
