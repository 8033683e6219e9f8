import { isComponentError, type ComponentErrorCode } from '@outrigger/spec'
import { expect } from 'vitest'

/** Options of an operation without a signal. */
export const plain = Object.freeze({})

/** The rejection must be a ComponentError with one of these codes. */
export async function expectCode(
  promise: Promise<unknown>,
  ...codes: readonly ComponentErrorCode[]
): Promise<void> {
  let error: unknown
  try {
    await promise
  } catch (thrown) {
    error = thrown
  }
  expectError(error, ...codes)
}

/** The value must be a ComponentError with one of these codes. */
export function expectError(error: unknown, ...codes: readonly ComponentErrorCode[]): void {
  if (error === undefined) throw new Error(`expected an error ${codes.join(' or ')}, but there was none`)
  if (!isComponentError(error)) {
    throw new Error(`expected a ComponentError ${codes.join(' or ')}, got ${String(error)}`, { cause: error })
  }
  if (!codes.includes(error.code)) {
    throw new Error(`expected ${codes.join(' or ')}, got ${error.code}: ${error.message}`, { cause: error })
  }
}

/** Byte for byte. Shows text where that helps, lengths where it is long. */
export function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual).toBeInstanceOf(Uint8Array)
  if (Buffer.compare(actual!, expected) === 0) return
  const show = (bytes: Uint8Array): string =>
    bytes.length > 200 ? `${bytes.length} bytes` : `${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`
  throw new Error(`expected ${show(expected)}, got ${show(actual!)}`)
}

/** A signal that was aborted already. */
export function aborted(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.abort(new Error('the caller left')) }
}

/** Bytes that no text has: every value, NULs first and last. */
export function everyByte(): Uint8Array {
  return Uint8Array.from({ length: 513 }, (_, index) => index % 256)
}

/** A reproducible 1 MiB. */
export function mebibyte(): Uint8Array {
  const bytes = new Uint8Array(1024 * 1024)
  let state = 1
  for (let index = 0; index < bytes.length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}
