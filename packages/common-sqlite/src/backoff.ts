import type { BackoffOptions } from '@outrigger/kit'

/** Transactions here last milliseconds, so a lock is soon free again. */
export const lockBackoff: BackoffOptions = { initialMs: 1, maxMs: 25, factor: 1.6, jitter: 0.8 }
