import { readFile } from 'node:fs/promises'
import { existsSync, statSync } from 'node:fs'
import { errorText, type Clock, type HealthTarget, type Logger, type Random } from '@outrigger/host'
import { createClient, type Client } from '@outrigger/wire'
import type { JSONWebKeySet } from 'jose'
import { stampOf } from '../authority/files.ts'
import type { JwksOptions } from '../config/configuration.ts'

/** Where the keys come from that tokens are checked with. */
export interface KeySource {
  /** `undefined` until they have come. */
  current(): JSONWebKeySet | undefined
  /** Gets them again if that may be done yet. @returns whether it was */
  refresh(): Promise<boolean>
  close(): void
}

interface Context {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly health: HealthTarget
}

const largestSet = 1024 * 1024
const lookEveryMs = 1_000
const retryMs = 5_000

/**
 * Opens a URL, a file, or the set itself. A URL that cannot be reached is tried again, and until then nothing is
 * ready.
 * @throws Error when it is none of these, or the file cannot be used
 */
export async function openKeySource(options: JwksOptions, context: Context): Promise<KeySource> {
  const { source } = options
  if (/^https?:\/\//.test(source)) return RemoteKeys.open(options, context)
  if (isFile(source)) return FileKeys.open(source, context)
  const text = source.trimStart().startsWith('{') ? source : Buffer.from(source, 'base64').toString()
  const set = parse(text, 'the keys of the validator jwks (options.source: no URL, no file)')
  context.health.ready()
  return { current: () => set, refresh: () => Promise.resolve(false), close: () => {} }
}

function isFile(path: string): boolean {
  return path.length < 4096 && existsSync(path) && statSync(path).isFile()
}

/** Read again when it changes. */
class FileKeys implements KeySource {
  private readonly path: string
  private readonly context: Context
  private set: JSONWebKeySet | undefined
  private stamp = ''
  private timer: { cancel(): void } | undefined

  private constructor(path: string, context: Context) {
    this.path = path
    this.context = context
  }

  static async open(path: string, context: Context): Promise<FileKeys> {
    const keys = new FileKeys(path, context)
    await keys.read()
    context.health.ready()
    keys.schedule()
    return keys
  }

  current(): JSONWebKeySet | undefined {
    return this.set
  }

  async refresh(): Promise<boolean> {
    const before = this.stamp
    await this.read().catch(() => {})
    return this.stamp !== before
  }

  close(): void {
    this.timer?.cancel()
    this.timer = undefined
  }

  private schedule(): void {
    const { clock, logger } = this.context
    const timer = clock.schedule(lookEveryMs, () => {
      void this.read()
        .catch((error: unknown) => logger.error(`The keys for tokens stay as they were: ${errorText(error)}`))
        .then(() => {
          if (this.timer === timer) this.schedule()
        })
    })
    this.timer = timer
  }

  private async read(): Promise<void> {
    const stamp = await stampOf([this.path])
    if (stamp === this.stamp) return
    // Also what cannot be used is not read again before it changes.
    this.stamp = stamp
    const text = await readFile(this.path, 'utf8')
    this.set = parse(text, this.path)
  }
}

/** Fetched again from time to time, and when a key is missing, but not more often than is allowed. */
class RemoteKeys implements KeySource {
  private readonly options: JwksOptions
  private readonly context: Context
  private readonly client: Client
  private readonly url: URL
  private set: JSONWebKeySet | undefined
  private fetchedAt = Number.NEGATIVE_INFINITY
  private running: Promise<void> | undefined
  private timer: { cancel(): void } | undefined
  private closed = false

  private constructor(options: JwksOptions, context: Context, ca: string | undefined) {
    const { requestTimeoutMs: ms } = options
    this.options = options
    this.context = context
    this.url = new URL(options.source)
    this.client = createClient({
      maxBodyBytes: largestSet,
      timeouts: { connectMs: ms, headersMs: ms, bodyIdleMs: ms },
      ...(ca === undefined ? {} : { tls: { ca } }),
    })
  }

  static async open(options: JwksOptions, context: Context): Promise<RemoteKeys> {
    const { source, caCertificate } = options
    if (!URL.canParse(source)) throw new Error('options.source of the validator jwks is no URL')
    if (source.startsWith('http://')) {
      context.logger.warn(
        'The keys for tokens come over HTTP without TLS: whoever is between can replace them',
      )
    }
    const ca =
      caCertificate !== undefined && isFile(caCertificate)
        ? await readFile(caCertificate, 'utf8')
        : caCertificate
    const keys = new RemoteKeys(options, context, ca)
    await keys.fetchAndSchedule()
    return keys
  }

  current(): JSONWebKeySet | undefined {
    return this.set
  }

  async refresh(): Promise<boolean> {
    const { clock } = this.context
    if (clock.monotonic() - this.fetchedAt < this.options.minRefreshIntervalMs) return false
    await this.fetch().catch(() => {})
    return true
  }

  close(): void {
    this.closed = true
    this.timer?.cancel()
    this.client.close()
  }

  private async fetchAndSchedule(): Promise<void> {
    const { clock, random, logger, health } = this.context
    let wait = this.options.minRefreshIntervalMs
    try {
      await this.fetch()
      health.ready()
    } catch (error) {
      if (this.closed) return
      const text = errorText(error)
      if (this.set === undefined) {
        health.notReady(text)
        wait = Math.min(wait, retryMs * (1 + random.next()))
      }
      logger.error(`The keys for tokens cannot be fetched from ${this.url.origin}: ${text}`)
    }
    if (!this.closed) this.timer = clock.schedule(wait, () => void this.fetchAndSchedule())
  }

  /** Several at once share one request. */
  private fetch(): Promise<void> {
    this.running ??= this.request().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  private async request(): Promise<void> {
    const { origin, pathname, search } = this.url
    this.fetchedAt = this.context.clock.monotonic()
    const { status, body } = await this.client.request({ origin, path: `${pathname}${search}` })
    if (status !== 200) {
      body.cancel()
      throw new Error(`${origin} answers with status ${status}`)
    }
    this.set = parse(Buffer.from(await body.bytes()).toString(), origin)
  }
}

function parse(text: string, what: string): JSONWebKeySet {
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    throw new Error(`${what} cannot be read: it is not JSON`)
  }
  const keys = (set as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys) || keys.some((key) => typeof key !== 'object' || key === null)) {
    throw new Error(`${what} is no set of keys: it has no list "keys"`)
  }
  return { keys }
}
