import { isWireError } from '@outrigger/wire'
import { isRefused } from '../../overload/refused.ts'
import { BreakerError } from '../../resiliency/breaker.ts'
import { PolicyTimeoutError } from '../../resiliency/policy.ts'
import { ApiError } from '../api-error.ts'

/** Codes of gRPC that say more than that a call failed. */
const permissionDenied = 7

/** A failure of the way to an application, as an error of the API. */
export function invokeError(name: string, error: unknown, address: string | undefined): ApiError {
  if (error instanceof ApiError) return error
  const text = `failed to invoke, id: ${name}, err: ${errorText(error, address)}`
  if (isRefused(error)) return new ApiError('OVERLOADED', text, { cause: error })
  if ((error as { code?: unknown } | undefined)?.code === permissionDenied)
    return new ApiError('DIRECT_INVOKE_DENIED', text, { cause: error })
  const id = error instanceof PolicyTimeoutError ? 'DIRECT_INVOKE_TIMEOUT' : 'DIRECT_INVOKE'
  return new ApiError(id, text, { cause: error })
}

function errorText(error: unknown, address: string | undefined): string {
  const tooLarge = tooLargeOf(error)
  if (tooLarge !== undefined) return `${tooLarge.message}; raise the limit with --max-body-size`
  const text = error instanceof Error ? error.message : 'unknown'
  // A breaker stands before the way, and busy is said of the application by its name.
  return address === undefined || error instanceof BreakerError || isRefused(error)
    ? text
    : `${text} (${address})`
}

/** A body that was too large, however many have passed on that it was. */
function tooLargeOf(error: unknown): Error | undefined {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    if (isWireError(at, 'TOO_LARGE')) return at
    at = at.cause
  }
  return undefined
}
