import type { Metadata } from './operation.ts'

export type LogFields = Readonly<Record<string, unknown>>

/** A structured log. Messages and fields never hold secrets. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** A timer that was started. */
export interface Timer {
  cancel(): void
}

/** Time comes in from outside, so that engines run on virtual time in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since some start, never going back. */
  monotonic(): number
  /** Calls `callback` once, `delayMs` from now. A timer does not keep the process alive. */
  schedule(delayMs: number, callback: () => void): Timer
}

/** Chance comes in from outside, so that a run can be repeated from its seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A version 4 UUID. */
  uuid(): string
}

/** What `create` receives. `M` is what the version's metadata fields parse to. */
export interface ComponentContext<M> {
  /** The resource's name. */
  readonly name: string
  /** The resource's type, lower-cased: `state.redis`. */
  readonly type: string
  /** The resource's version: `v1`. */
  readonly version: string
  readonly appId: string
  readonly namespace: string
  /** The parsed metadata. */
  readonly metadata: M
  /** The metadata as written, secrets resolved, every value a string. */
  readonly properties: Metadata
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** Folder that relative paths of the metadata are relative to: the working folder of the process. */
  readonly baseDirectory: string
  /** Aborts creation only (initTimeout, shutdown while starting). */
  readonly initSignal: AbortSignal
}
