import type { Metadata } from './operation.ts'

/**
 * The closed list of reasons for which a component operation can fail.
 * A runtime treats a code that it does not know as `INTERNAL`.
 */
export const componentErrorCodes = [
  /** The request cannot be served as it is, whatever the state of the component. */
  'INVALID_ARGUMENT',
  /** The component's own configuration is wrong. Thrown by `create` only. */
  'INVALID_METADATA',
  /** What the request names does not exist (a bucket, a topic, a key version). Absent state is `undefined` instead. */
  'NOT_FOUND',
  'ALREADY_EXISTS',
  /** The ETag is well formed and is not the current one, or a first write came second. */
  'ETAG_MISMATCH',
  /** The ETag cannot be one of this store (a letter where a number is needed). */
  'ETAG_INVALID',
  /** The component, or its version, cannot do this. */
  'UNSUPPORTED',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  /** A limit or quota of the service was met. */
  'RESOURCE_EXHAUSTED',
  /** The state of the service does not allow it now and a repetition will not help by itself. */
  'FAILED_PRECONDITION',
  /** The service could not be reached or asks to come back. */
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  /** The caller's signal was aborted. */
  'CANCELLED',
  /** The component was closed. */
  'CLOSED',
  'INTERNAL',
] as const

export type ComponentErrorCode = (typeof componentErrorCodes)[number]

export interface ComponentErrorOptions {
  readonly cause?: unknown
  /** Whether the same call may succeed later. Without it, the code decides: UNAVAILABLE, DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED may. */
  readonly retryable?: boolean
  /** Of an output binding: what the service answered besides, shown to the caller as the metadata of an answer is. Never a secret. */
  readonly metadata?: Metadata
}

const brand: unique symbol = Symbol.for('outrigger.ComponentError') as never

const retryableCodes: ReadonlySet<ComponentErrorCode> = new Set([
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
])

/**
 * The only error that a component throws. Its message is shown to the caller, so it never holds a secret;
 * its cause stays in the log.
 */
export class ComponentError extends Error {
  readonly code: ComponentErrorCode
  readonly retryable: boolean
  readonly metadata: Metadata | undefined

  constructor(code: ComponentErrorCode, message: string, options: ComponentErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ComponentError'
    this.code = code
    this.retryable = options.retryable ?? retryableCodes.has(code)
    this.metadata = options.metadata
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Recognises a ComponentError of any copy of this package: `instanceof` fails when two copies are installed. */
export function isComponentError(error: unknown): error is ComponentError {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[brand] === true
}
