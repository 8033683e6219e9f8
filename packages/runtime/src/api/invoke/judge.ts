import { isRefused } from '../../overload/refused.ts'
import type { Verdict } from '../../resiliency/policy.ts'
import { ApiError } from '../api-error.ts'
import { StatusFailure } from './status-failure.ts'

const unavailable = 14
const unauthenticated = 16
const final: Verdict = { final: true }
const repeat: Verdict = {}

/** How a policy takes a failed invocation. A request that cannot be sent again is not; a failed way has no status. */
export function judge(error: unknown, replayable: boolean): Verdict {
  if (!replayable || error instanceof ApiError) return final
  return error instanceof StatusFailure ? error.verdict : repeat
}

/** The same of a call whose status is that of an error. */
export function judgeCall(error: unknown, replayable: boolean): Verdict {
  const code = codeOf(error)
  return code === undefined || !replayable ? judge(error, replayable) : { grpc: code }
}

/** The runtime itself repeats only what failed on its way to the other sidecar, and not what all instances turned away. */
export function judgeTransport(error: unknown, replayable: boolean): Verdict {
  if (isRefused(error)) return final
  const code = codeOf(error)
  return replayable && (code === unavailable || code === unauthenticated) ? repeat : final
}

/** The code of a GrpcError, without loading what speaks gRPC. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== 'GrpcError') return undefined
  const { code } = error as Error & { code?: unknown }
  return typeof code === 'number' ? code : undefined
}
