/**
 * Metadata by which a sidecar tells another that a call was turned away before the application saw anything of it,
 * and is welcome later, or elsewhere at once.
 */
export const refusedField = 'outrigger-refused'

/** When to try again, for callers. */
export const retryAfterSeconds = 1

/** Why work is refused while memory is short. */
export const noMemory = 'the sidecar is short of memory (memory-limit); try again later'

/** Whether another sidecar, or this one, turned a call away. Loads nothing, as errors of any kind come by. */
export function isRefused(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  if (error.name === 'AppBusyError') return true
  const { trailers } = error as { readonly trailers?: { has(name: string): boolean } }
  return error.name === 'GrpcError' && trailers?.has(refusedField) === true
}
