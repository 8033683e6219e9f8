/**
 * What went wrong on the wire. A closed list:
 * - `CONNECT` no connection could be made; nothing was sent
 * - `RESET` the connection broke
 * - `TIMEOUT` one of the configured times ran out
 * - `ABORTED` the caller's signal, or the peer that asked, gave up
 * - `PROTOCOL` one side broke the protocol, or this API was used wrongly
 * - `TOO_LARGE` a limit was exceeded, see `limit`
 * - `OVERLOADED` the process is short of memory, see `shedBodies`
 * - `LISTEN` a server could not take its address
 */
export type WireErrorCode =
  | 'CONNECT'
  | 'RESET'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'PROTOCOL'
  | 'TOO_LARGE'
  | 'OVERLOADED'
  | 'LISTEN'

export interface WireErrorOptions {
  readonly cause?: unknown
  readonly sent?: boolean
  readonly limit?: number
  readonly resetCode?: number
}

const brand: unique symbol = Symbol.for('outrigger.wire.error') as never

/** The only error this package throws or rejects with. Recognise it with {@link isWireError}. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code: WireErrorCode
  /** Whether any byte of the request may have reached the peer. `false` means that a retry is safe. */
  readonly sent: boolean
  /** The limit in bytes that was exceeded, with code `TOO_LARGE`. */
  readonly limit: number | undefined
  /** Why the peer broke this stream off, as an error code of HTTP/2 (RFC 9113, section 7). */
  readonly resetCode: number | undefined
  readonly [brand] = true

  constructor(code: WireErrorCode, message: string, options?: WireErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.sent = options?.sent ?? false
    this.limit = options?.limit
    this.resetCode = options?.resetCode
  }
}

/** Tells a {@link WireError}, also one of another copy of this package; with `code`, one of that code. */
export function isWireError(error: unknown, code?: WireErrorCode): error is WireError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || (error as WireError).code === code
}

/** A body is given up as memory is short. */
export function overloaded(): WireError {
  return new WireError('OVERLOADED', 'there is no memory for the rest of the body', { sent: true })
}
