import { ComponentError, isComponentError, type ComponentErrorCode } from '@outrigger/spec'

/** Primary result codes of SQLite, https://www.sqlite.org/rescode.html. */
const result = {
  perm: 3,
  busy: 5,
  locked: 6,
  nomem: 7,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  protocol: 15,
  toobig: 18,
  constraint: 19,
  auth: 23,
  notadb: 26,
} as const

const meanings: Readonly<Record<number, readonly [ComponentErrorCode, string]>> = {
  [result.perm]: ['PERMISSION_DENIED', 'cannot be used with the rights of this process'],
  [result.busy]: ['UNAVAILABLE', 'is locked by another process'],
  [result.locked]: ['UNAVAILABLE', 'is locked by another connection'],
  [result.nomem]: ['RESOURCE_EXHAUSTED', 'needs more memory than there is'],
  [result.readonly]: ['PERMISSION_DENIED', 'cannot be written: the file or its folder is read-only'],
  [result.ioerr]: ['UNAVAILABLE', 'could not be read or written by the operating system'],
  [result.corrupt]: [
    'FAILED_PRECONDITION',
    'is damaged: restore it from a copy, or run "sqlite3 FILE .recover"',
  ],
  [result.full]: ['RESOURCE_EXHAUSTED', 'cannot grow: the disk is full'],
  [result.cantopen]: ['UNAVAILABLE', 'cannot be opened'],
  [result.protocol]: ['UNAVAILABLE', 'is locked by another process'],
  [result.toobig]: ['INVALID_ARGUMENT', 'cannot hold a value of that size'],
  [result.auth]: ['PERMISSION_DENIED', 'cannot be used with the rights of this process'],
  [result.notadb]: ['FAILED_PRECONDITION', 'is not a SQLite database (or is an encrypted one)'],
}

/** The primary result code, or `undefined` when the error is not one of SQLite. */
export function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined
}

/** Whether the error only says that somebody else holds a lock, so that it passes. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === result.busy || code === result.locked || code === result.protocol
}

export function isConstraint(error: unknown): boolean {
  return sqliteCode(error) === result.constraint
}

export function isCannotOpen(error: unknown): boolean {
  return sqliteCode(error) === result.cantopen
}

/** Turns what SQLite threw into a ComponentError that names the file. ComponentErrors pass as they are. */
export function databaseError(error: unknown, path: string): ComponentError {
  if (isComponentError(error)) return error
  const code = sqliteCode(error)
  const meaning = code === undefined ? undefined : meanings[code]
  const text = error instanceof Error ? error.message : String(error)
  if (meaning === undefined) {
    const message = code === undefined ? 'an operation failed' : `an operation failed: ${text}`
    return new ComponentError('INTERNAL', `SQLite database ${path}: ${message}`, { cause: error })
  }
  return new ComponentError(meaning[0], `SQLite database ${path} ${meaning[1]}`, { cause: error })
}
