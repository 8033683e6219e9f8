import type { Metadata, OperationOptions, StateBulkFailure } from '@outrigger/spec'
import { inParallel } from '../../components/parallel.ts'
import { ApiError } from '../api-error.ts'
import type { SaveItem } from './handler.ts'
import { parseRetryPolicy, retrySchedule } from './retry-policy.ts'

/** How many calls a bulk operation makes at a time where the store has none of its own. */
export const bulkParallelism = 10

/** Carries out many writes, at once where the store can. Resolves with those that failed. */
export async function writeAll<R extends { readonly key: string }>(
  requests: readonly R[],
  options: OperationOptions,
  one: (request: R, options: OperationOptions) => Promise<void>,
  bulk:
    | ((requests: readonly R[], options: OperationOptions) => Promise<readonly StateBulkFailure[]>)
    | undefined,
): Promise<readonly StateBulkFailure[]> {
  if (requests.length === 0) return []
  const single = async (request: R): Promise<StateBulkFailure | undefined> => {
    try {
      await one(request, options)
      return undefined
    } catch (error) {
      return { key: request.key, error: error as Error }
    }
  }
  if (requests.length === 1) {
    const failure = await single(requests[0]!)
    return failure === undefined ? [] : [failure]
  }
  if (bulk === undefined) {
    const outcomes = await inParallel(requests, bulkParallelism, single)
    return outcomes.filter((outcome) => outcome !== undefined)
  }
  try {
    return await bulk(requests, options)
  } catch (error) {
    return [{ key: '', error: error as Error }]
  }
}

export function hasRetryPolicy({ retryPolicy }: SaveItem): boolean {
  return retryPolicy !== undefined && retryPolicy !== null
}

/** The waits of an item's own policy. @throws ApiError MALFORMED_REQUEST */
export function scheduleOf(item: SaveItem): readonly number[] {
  if (!hasRetryPolicy(item)) return []
  try {
    return retrySchedule(parseRetryPolicy(item.retryPolicy))
  } catch (error) {
    throw new ApiError('MALFORMED_REQUEST', `key ${item.key}: ${(error as Error).message}`)
  }
}

/** Reads `ttlInSeconds`: zero and below mean that the value never expires. */
export function ttlOf(metadata: Metadata): number | 'never' | undefined {
  const text = metadata['ttlInSeconds']
  if (text === undefined || text === '') return undefined
  const seconds = /^[+-]?\d{1,20}$/.test(text) ? Number(text) : Number.NaN
  if (!(Math.abs(seconds) <= 2 ** 31)) {
    throw new ApiError(
      'MALFORMED_REQUEST',
      `ttlInSeconds must be a whole number of seconds, got ${JSON.stringify(text)}`,
    )
  }
  return seconds > 0 ? seconds : 'never'
}
