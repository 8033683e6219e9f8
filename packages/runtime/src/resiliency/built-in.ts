import type { BuiltIn, RetryPolicy } from './model.ts'

const constant = { kind: 'constant', maxWaitMs: 60_000, maxElapsedMs: Infinity } as const
const exponential = { kind: 'exponential' } as const
const every = { httpCodes: undefined, grpcCodes: undefined }

/** The retries that the runtime makes where no policy says otherwise; figures are Dapr's. */
export const builtIn: Readonly<Record<BuiltIn, RetryPolicy>> = {
  DaprBuiltInServiceRetries: {
    ...constant,
    ...every,
    name: 'DaprBuiltInServiceRetries',
    waitMs: 1000,
    maxRetries: 3,
  },
  DaprBuiltInActorRetries: {
    ...constant,
    ...every,
    name: 'DaprBuiltInActorRetries',
    waitMs: 1000,
    maxRetries: 3,
  },
  DaprBuiltInActorReminderRetries: {
    ...exponential,
    ...every,
    name: 'DaprBuiltInActorReminderRetries',
    waitMs: 500,
    maxWaitMs: 60_000,
    maxElapsedMs: 15 * 60_000,
    maxRetries: Infinity,
  },
  DaprBuiltInInitializationRetries: {
    ...exponential,
    ...every,
    name: 'DaprBuiltInInitializationRetries',
    waitMs: 500,
    maxWaitMs: 1000,
    maxElapsedMs: 10_000,
    maxRetries: 3,
  },
  DaprBuiltInActorNotFoundRetries: {
    ...constant,
    ...every,
    name: 'DaprBuiltInActorNotFoundRetries',
    waitMs: 1000,
    maxRetries: 5,
  },
}

/** Built-in retries are tried this often at least, whoever overrides them. */
export const fewestRetries = 3

/** The one that cannot be overridden. */
export const protectedPolicy: BuiltIn = 'DaprBuiltInActorNotFoundRetries'
