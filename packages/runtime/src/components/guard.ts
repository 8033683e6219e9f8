import { ComponentError, isComponentError, type OperationOptions } from '@outrigger/spec'
import { BreakerError } from '../resiliency/breaker.ts'
import {
  PolicyTimeoutError,
  whole,
  type Policy,
  type RunOptions,
  type Verdict,
} from '../resiliency/policy.ts'

/** The component works, and says that this request cannot be served: another try gets the same answer. */
const answers: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'ETAG_MISMATCH',
  'ETAG_INVALID',
  'UNSUPPORTED',
])
const written: ReadonlySet<string> = new Set(['ETAG_MISMATCH', 'ALREADY_EXISTS'])

const answered: Verdict = { final: true, answered: true }
const over: Verdict = { final: true }
const failed: Verdict = {}

/** How a policy takes the error of a component. */
export function judge(error: unknown): Verdict {
  if (!isComponentError(error) || error.retryable) return failed
  if (answers.has(error.code)) return answered
  return error.code === 'CLOSED' ? over : failed
}

/** The cause of an error that came after tries which failed and may have done their work all the same. */
export class EarlierTriesFailed extends Error {
  constructor(cause: unknown) {
    super('earlier tries of the same operation failed, and may have been carried out', { cause })
    this.name = 'EarlierTriesFailed'
  }
}

type Call<T> = (options: OperationOptions, number: number) => Promise<T>
type More<T> = Pick<RunOptions<T>, 'judge' | 'discard' | 'outcome'>

/** Carries out the operations of one component as its policy says; whatever stops it is a ComponentError. */
export class Guard {
  readonly #policy: Policy

  constructor(policy: Policy) {
    this.#policy = policy
  }

  async run<T>(options: OperationOptions, call: Call<T>, more?: More<T>): Promise<T> {
    let tries = 0
    try {
      return await this.#policy.run(
        (signal, number) => {
          tries = number
          return call(signal === options.signal ? options : { ...options, signal }, number)
        },
        { judge, outcome: whole, ...more, signal: options.signal },
      )
    } catch (error) {
      throw tries > 1 && judge(error).answered === true ? afterOthers(error) : asComponentError(error)
    }
  }
}

/** As a component would say it. */
export function asComponentError(error: unknown): unknown {
  if (error instanceof PolicyTimeoutError)
    return new ComponentError('DEADLINE_EXCEEDED', error.message, { cause: error })
  if (error instanceof BreakerError) return new ComponentError('UNAVAILABLE', error.message, { cause: error })
  return error
}

function afterOthers(error: unknown): unknown {
  if (!isComponentError(error)) return error
  const { code, message, metadata } = error
  const hint = written.has(code) ? ' (an earlier try of this request failed, and may have written it)' : ''
  const cause = new EarlierTriesFailed(error)
  return new ComponentError(code, message + hint, { cause, ...(metadata && { metadata }) })
}
