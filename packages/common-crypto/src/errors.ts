import { ComponentError } from '@outrigger/spec'

/** The request does not fit the key or the algorithm. */
export function invalid(message: string, cause?: unknown): ComponentError {
  return new ComponentError('INVALID_ARGUMENT', message, { cause })
}

/** One answer for whatever is wrong with key, tag or padding: more would help those who guess. */
export function undecryptable(): ComponentError {
  return invalid('the message cannot be decrypted with this key')
}
