import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { backoffDelayMs, sleep, throwIfAborted } from '@outrigger/kit'
import { ComponentError, type Clock, type Logger, type Random } from '@outrigger/spec'
import { parseConnectionString } from './connection-string.ts'
import { Database } from './database.ts'
import { databaseError, isBusy, isCannotOpen } from './errors.ts'
import { lockBackoff } from './backoff.ts'

/** What `openDatabase` needs of a ComponentContext whose metadata has the `databaseFields`. */
export interface DatabaseContext {
  readonly metadata: {
    readonly connectionString: string
    readonly timeoutMs: number
    readonly busyTimeoutMs: number
    readonly disableWAL: boolean
    readonly synchronous: 'normal' | 'full'
  }
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly baseDirectory: string
  readonly initSignal: AbortSignal
}

/** Bytes that the write-ahead log keeps on disk between checkpoints. */
const journalSizeLimit = 64 * 1024 * 1024

async function explainCannotOpen(path: string, cause: unknown): Promise<ComponentError> {
  const failed = (code: 'INVALID_METADATA' | 'PERMISSION_DENIED', text: string): ComponentError =>
    new ComponentError(code, `SQLite database ${path} ${text}`, { cause })
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true)
    return failed('INVALID_METADATA', 'is a folder; connectionString must name a file')
  const target = found === undefined ? dirname(path) : path
  const usable = await access(target, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!usable)
    return failed('PERMISSION_DENIED', `cannot be opened: this process may not read and write ${target}`)
  return failed('INVALID_METADATA', 'cannot be opened')
}

async function prepareFolder(path: string, mustExist: boolean): Promise<void> {
  if (mustExist) {
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) {
      throw new ComponentError(
        'INVALID_METADATA',
        `SQLite database ${path} does not exist, and mode=rw does not create it`,
      )
    }
    return
  }
  try {
    await mkdir(dirname(path), { recursive: true })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
    throw new ComponentError(
      denied ? 'PERMISSION_DENIED' : 'INVALID_METADATA',
      `the folder of SQLite database ${path} cannot be made (${code ?? 'unknown reason'})`,
      { cause },
    )
  }
}

/** Calls `attempt` until no lock is in its way, at most `limitMs`. */
async function withoutLocks<T>(context: DatabaseContext, path: string, attempt: () => T): Promise<T> {
  const start = context.clock.monotonic()
  for (let repetition = 1; ; repetition++) {
    throwIfAborted(context.initSignal)
    try {
      return attempt()
    } catch (error) {
      if (isCannotOpen(error)) throw await explainCannotOpen(path, error)
      const waited = context.clock.monotonic() - start
      if (!isBusy(error) || waited >= context.metadata.busyTimeoutMs) throw databaseError(error, path)
    }
    await sleep(context.clock, backoffDelayMs(repetition, lockBackoff, context.random), context.initSignal)
  }
}

function connect(path: string, pragmas: readonly string[]): [DatabaseSync, journalMode: unknown] {
  // A timeout of SQLite's own would block the event loop. It comes first: the journal mode needs a lock.
  const connection = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: false })
  try {
    for (const pragma of pragmas) connection.exec(pragma)
    // Reads the file's header, so that what is no database fails here.
    connection.exec('SELECT count(*) FROM sqlite_schema')
    return [connection, connection.prepare('PRAGMA journal_mode').get()?.['journal_mode']]
  } catch (error) {
    connection.close()
    throw error
  }
}

/**
 * Opens the file that the metadata names and creates it where it is missing.
 * @throws `INVALID_METADATA`, `PERMISSION_DENIED`, `FAILED_PRECONDITION` (no database, damaged), `UNAVAILABLE` (locked)
 */
export async function openDatabase(context: DatabaseContext): Promise<Database> {
  const { metadata } = context
  const location = parseConnectionString(metadata.connectionString, context.baseDirectory)
  if (!location.inMemory) await prepareFolder(location.path, location.mustExist)
  const pragmas = [
    `PRAGMA journal_mode=${location.inMemory ? 'MEMORY' : metadata.disableWAL ? 'DELETE' : 'WAL'}`,
    `PRAGMA synchronous=${metadata.synchronous === 'full' ? 'FULL' : 'NORMAL'}`,
    `PRAGMA journal_size_limit=${journalSizeLimit}`,
    ...location.pragmas,
  ]
  const [connection, mode] = await withoutLocks(context, location.path, () => connect(location.path, pragmas))
  if (!location.inMemory && !metadata.disableWAL && mode !== 'wal') {
    context.logger.warn('the file cannot have a write-ahead log and is used without one', {
      path: location.path,
      mode,
    })
  }
  return new Database(connection, {
    path: location.path,
    inMemory: location.inMemory,
    clock: context.clock,
    random: context.random,
    busyTimeoutMs: metadata.busyTimeoutMs,
    timeoutMs: metadata.timeoutMs,
  })
}
