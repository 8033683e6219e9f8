import { readFile, stat } from 'node:fs/promises'
import type { Clock, Logger } from '@outrigger/host'
import { readCertificates, writeCertificates } from './certificates.ts'

/** The roots that this installation trusts. They may change while it runs. */
export interface TrustAnchors {
  /** PEM: one or more certificates. */
  readonly current: string
  /** Called whenever `current` has changed. @returns takes the listener away again */
  onChange(listener: () => void): () => void
  close(): void
}

export interface TrustAnchorOptions {
  /** PEM; of DAPR_TRUST_ANCHORS. Not with `file`. */
  readonly pem?: string | undefined
  /** A file that is watched, so that roots can be replaced; of DAPR_TRUST_ANCHORS_FILE. */
  readonly file?: string | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** Ends waiting for a file that is not there yet. */
  readonly signal?: AbortSignal | undefined
}

/** How often the file is looked at. Asking for its date costs less than being told, and works on every volume. */
const lookEveryMs = 1_000
const longestFile = 1024 * 1024

/**
 * Reads the trust anchors; waits for the file when it is not there yet.
 * @throws Error when they are given twice, not at all, or cannot be read
 */
export async function openTrustAnchors(options: TrustAnchorOptions): Promise<TrustAnchors> {
  const { pem, file } = options
  if (pem !== undefined && pem !== '' && file !== undefined) {
    throw new Error(
      'trust anchors are given twice: set DAPR_TRUST_ANCHORS or DAPR_TRUST_ANCHORS_FILE, not both',
    )
  }
  if (file !== undefined) return WatchedFile.open(file, options)
  if (pem === undefined || pem === '') {
    throw new Error(
      'mutual TLS needs trust anchors: set DAPR_TRUST_ANCHORS_FILE to the ca.crt of sentry, or DAPR_TRUST_ANCHORS to its content',
    )
  }
  const current = normalised(pem, 'DAPR_TRUST_ANCHORS', options.logger)
  return { current, onChange: () => () => {}, close: () => {} }
}

function normalised(pem: string, what: string, logger: Logger): string {
  const read = readCertificates(pem, what)
  const certificates = [...new Map(read.map((each) => [each.fingerprint256, each])).values()]
  const names = certificates.map(({ subject }) => subject.replaceAll('\n', ', '))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    // OpenSSL looks for issuers by name, takes the first, and does not go back when it was the wrong one.
    logger.warn(
      `Two roots in ${what} have the same name (${twice}): what one has signed may be taken for the other's, and refused. Roots that "outrigger mtls renew-certificate" makes have names of their own`,
    )
  }
  return writeCertificates(certificates)
}

class WatchedFile implements TrustAnchors {
  current = ''
  private readonly file: string
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly listeners = new Set<() => void>()
  private stamp = ''
  private complained = ''
  private closed = false
  private timer: { cancel(): void } | undefined

  private constructor(file: string, { clock, logger }: TrustAnchorOptions) {
    this.file = file
    this.clock = clock
    this.logger = logger
  }

  static async open(file: string, options: TrustAnchorOptions): Promise<WatchedFile> {
    const { clock, logger, signal } = options
    const watched = new WatchedFile(file, options)
    for (let waited = 0; ; waited++) {
      signal?.throwIfAborted()
      try {
        await watched.read()
        break
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        if (waited % 30 === 0) logger.warn(`Waiting for the trust anchors in ${file}: there is no such file`)
      }
      await sleep(clock, lookEveryMs, signal)
    }
    watched.watch()
    return watched
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.closed = true
    this.timer?.cancel()
    this.listeners.clear()
  }

  private watch(): void {
    if (this.closed) return
    this.timer = this.clock.schedule(lookEveryMs, () => void this.look().then(() => this.watch()))
  }

  private async look(): Promise<void> {
    const before = this.current
    try {
      await this.read()
      this.complained = ''
    } catch (error) {
      // A file that is being replaced is none for a moment: what was trusted goes on being trusted.
      const text = (error as Error).message
      if (text !== this.complained) this.logger.warn(`The trust anchors stay as they were: ${text}`)
      this.complained = text
    }
    if (this.closed || this.current === before) return
    this.logger.info(`The trust anchors in ${this.file} have changed`)
    for (const listener of [...this.listeners]) listener()
  }

  private async read(): Promise<void> {
    const { mtimeNs, size, ino } = await stat(this.file, { bigint: true })
    const stamp = `${mtimeNs} ${size} ${ino}`
    if (stamp === this.stamp) return
    if (size > longestFile) throw new Error(`${this.file} is larger than ${longestFile} bytes`)
    this.current = normalised(await readFile(this.file, 'utf8'), this.file, this.logger)
    this.stamp = stamp
  }
}

/** Resolves after the time; rejects with the reason of the signal. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const aborted = (): void => {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    const timer = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    })
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
