import { whole, type Policy, type Verdict } from '../resiliency/policy.ts'
import type { Failure, Outcome } from './reply.ts'
import { callFailure, type SubscriptionLife } from './settle.ts'

/** An outcome that asks for another try: to a policy, that is an error. */
class NotProcessed extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.reason)
    this.failure = failure
  }
}

function judge(error: unknown): Verdict {
  return error instanceof NotProcessed ? error.failure : {}
}

/** Delivers as often as the policy says. When the subscription stops there are no further tries; never rejects. */
export async function deliverByPolicy(
  policy: Policy,
  life: SubscriptionLife,
  deliver: (signal: AbortSignal) => Promise<Outcome>,
  ready?: () => Promise<void>,
): Promise<Outcome> {
  try {
    return await policy.run(
      async (signal = life.cut) => {
        const outcome = await deliver(signal)
        if (outcome.kind === 'retry') throw new NotProcessed(outcome)
        return outcome
      },
      { signal: life.cut, until: life.closing, ready, judge, outcome: whole },
    )
  } catch (error) {
    return error instanceof NotProcessed ? error.failure : callFailure(error)
  }
}

/** As `deliverByPolicy`, for several at once: only those that want another try are delivered again. */
export async function deliverBulkByPolicy<E extends { readonly entryId: string }>(
  policy: Policy,
  life: SubscriptionLife,
  entries: readonly E[],
  deliver: (entries: readonly E[], signal: AbortSignal) => Promise<(entryId: string) => Outcome>,
  ready?: () => Promise<void>,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  let left = entries
  const once = async (signal = life.cut): Promise<void> => {
    const outcomeOf = await deliver(left, signal)
    // Too late: the next try has begun, or nothing counts any more.
    if (signal.aborted) throw new Error('the delivery was aborted')
    let failure: Failure | undefined
    left = left.filter(({ entryId }) => {
      const outcome = outcomeOf(entryId)
      outcomes.set(entryId, outcome)
      if (outcome.kind === 'retry') failure ??= outcome
      return outcome.kind === 'retry'
    })
    if (failure !== undefined) throw new NotProcessed(failure)
  }
  try {
    await policy.run(once, { signal: life.cut, until: life.closing, ready, judge, outcome: whole })
  } catch (error) {
    if (!(error instanceof NotProcessed))
      for (const { entryId } of left) outcomes.set(entryId, callFailure(error))
  }
  return outcomes
}
