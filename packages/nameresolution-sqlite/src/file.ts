import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Database } from '@outrigger/common-sqlite'
import type { Clock, Logger, Timer } from '@outrigger/spec'

/** How often it is looked whether the file is still there. */
const lookEveryMs = 1000

export interface FileKeeping {
  readonly clock: Clock
  readonly logger: Logger
  /** Opens the file that is there now, and makes it where it is missing. */
  readonly reopen: () => Promise<Database>
  /** Told that another file is used from now on. Gives back the one that was used before. */
  readonly changed: (database: Database) => Database
}

/**
 * Notices that the file was taken away, or that another one stands in its place, and uses that one. Those who kept
 * the old one open would find each other, and nobody who comes later.
 */
export class FileKeeper {
  readonly #path: string
  readonly #keeping: FileKeeping
  #known: string | undefined
  #timer: Timer | undefined
  #closed = false
  #troubled = false

  private constructor(path: string, keeping: FileKeeping) {
    this.#path = path
    this.#keeping = keeping
  }

  static async start(path: string, keeping: FileKeeping): Promise<FileKeeper> {
    const keeper = new FileKeeper(path, keeping)
    keeper.#known = await identityOf(path)
    keeper.#arm()
    return keeper
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #arm(): void {
    if (this.#closed) return
    this.#timer = this.#keeping.clock.schedule(lookEveryMs, () => {
      void this.#look().then(() => this.#arm())
    })
  }

  async #look(): Promise<void> {
    const { logger, reopen, changed } = this.#keeping
    try {
      const found = await identityOf(this.#path)
      if (found === this.#known || this.#closed) return
      // Another sidecar that was faster may still be at it.
      if (found === undefined && !(await makeAnew(this.#path))) return
      // To open it would take the log away from the old one.
      if (!(await isDatabase(this.#path))) throw new Error('it is no SQLite database')
      const database = await reopen()
      if (this.#closed) return await database.close()
      this.#known = await identityOf(this.#path)
      logger.warn('the file was taken away or replaced; the one that is there now is used', {
        path: this.#path,
      })
      this.#troubled = false
      await changed(database).close()
    } catch (error) {
      if (!this.#troubled && !this.#closed) {
        const text = 'the file was taken away or replaced, and the one that is there cannot be used'
        logger.warn(text, { path: this.#path, error })
      }
      this.#troubled = true
    }
  }
}

/** What tells a file from another of the same name; as long as the old one is open its number is not given again. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether it begins as a database does; an empty file becomes one. */
async function isDatabase(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0)
    return bytesRead === 0 || buffer.toString('latin1') === 'SQLite format 3\0'
  } finally {
    await file.close()
  }
}

/** Makes an empty file, without the log of the old one, which would be taken for its own. @returns whether nobody else did */
async function makeAnew(path: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await (await open(path, 'wx')).close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  await Promise.all(['-wal', '-shm'].map((end) => rm(path + end, { force: true })))
  return true
}
