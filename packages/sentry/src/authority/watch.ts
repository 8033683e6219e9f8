import { errorText, type Clock, type Logger } from '@outrigger/host'
import { stampOf } from './files.ts'

export interface WatchOptions {
  readonly files: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
  /** Reads the files anew. What it throws is logged, and the files are looked at again when they change. */
  readonly reload: () => Promise<void>
}

/** How often the files are looked at. */
const lookEveryMs = 1_000

/**
 * Calls `reload` when the files have changed and then stood still for one look: whoever replaces several writes
 * them one after the other.
 */
export class FileWatch {
  private readonly options: WatchOptions
  private loaded: string
  private seen: string
  private closed = false
  private timer: { cancel(): void } | undefined

  private constructor(options: WatchOptions, stamp: string) {
    this.options = options
    this.loaded = stamp
    this.seen = stamp
  }

  /** Begins with what is there now: open it before the files are first read. */
  static async open(options: WatchOptions): Promise<FileWatch> {
    return new FileWatch(options, await stampOf(options.files))
  }

  /** Takes what is there now for loaded: after files were written by this process itself. */
  async reset(): Promise<void> {
    this.loaded = this.seen = await stampOf(this.options.files)
  }

  start(): void {
    if (this.closed) return
    this.timer = this.options.clock.schedule(lookEveryMs, () => void this.look().then(() => this.start()))
  }

  close(): void {
    this.closed = true
    this.timer?.cancel()
  }

  private async look(): Promise<void> {
    const stamp = await stampOf(this.options.files)
    const still = stamp === this.seen
    this.seen = stamp
    if (!still || stamp === this.loaded || this.closed) return
    this.loaded = stamp
    try {
      await this.options.reload()
    } catch (error) {
      this.options.logger.error(
        `The files of the authority have changed and cannot be used; what was loaded stays: ${errorText(error)}`,
      )
    }
  }
}
