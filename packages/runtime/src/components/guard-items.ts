import { ComponentError, type OperationOptions } from '@outrigger/spec'
import { judge, type Guard } from './guard.ts'

/** Something of many that failed. */
interface ItemFailure {
  readonly error: Error
}

export interface Items<R, F extends ItemFailure> {
  readonly requests: readonly R[]
  readonly idOf: (request: R) => string
  readonly idOfFailure: (failure: F) => string
  readonly failure: (request: R, error: Error) => F
  /** Carries out some of the requests; resolves with those that failed. */
  readonly call: (requests: readonly R[], options: OperationOptions) => Promise<readonly F[]>
}

/** Some items failed, and may succeed at another try. */
class ItemsFailed<F> extends Error {
  readonly failures: readonly F[]

  constructor(failures: readonly F[]) {
    super(`${failures.length} items failed`)
    this.failures = failures
  }
}

/**
 * Carries out many requests at once: what failed is tried again, what succeeded is not, nor what would fail again.
 * Resolves with those that failed in the end; rejects when nothing is known of any of them.
 */
export async function guardItems<R, F extends ItemFailure>(
  guard: Guard,
  options: OperationOptions,
  { requests, idOf, idOfFailure, failure, call }: Items<R, F>,
): Promise<readonly F[]> {
  let left = requests
  const refused: F[] = []
  const once = async (own: OperationOptions): Promise<void> => {
    const failures = await call(left, own)
    // Too late: the next try has begun, or nobody waits any more.
    if (own.signal?.aborted === true) throw new ComponentError('CANCELLED', 'the operation was aborted')
    const again = failures.filter(({ error }) => judge(error).final !== true)
    for (const each of failures) if (judge(each.error).final === true) refused.push(each)
    if (again.length === 0) {
      left = []
      return
    }
    const ids = new Set(again.map(idOfFailure))
    const wanted = left.filter((request) => ids.has(idOf(request)))
    // A failure of none of them is one of all.
    if (wanted.length > 0) left = wanted
    throw new ItemsFailed(again)
  }
  try {
    await guard.run(options, once)
    return refused
  } catch (error) {
    if (error instanceof ItemsFailed) return [...refused, ...(error as ItemsFailed<F>).failures]
    if (refused.length === 0 && left.length === requests.length) throw error
    return [...refused, ...left.map((request) => failure(request, error as Error))]
  }
}
