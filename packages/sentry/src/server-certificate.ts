import { errorText, type Clock, type Logger, type Random } from '@outrigger/host'
import { createCertificateRequest, renewalTime, writeCertificates, type SpiffeId } from '@outrigger/security'
import { issueCertificate, type Authority } from '@outrigger/security/authority'
import type { Metrics } from './metrics.ts'

export interface ServerCertificateOptions {
  readonly id: SpiffeId
  readonly authority: () => Authority
  readonly ttlMs: number
  readonly clockSkewMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** Takes a new certificate and its key, in PEM. */
  readonly use: (tls: { readonly cert: string; readonly key: string }) => void
}

const lookEveryMs = 60_000
const retryMs = 10_000

/** The certificate that sentry itself shows. It signs that for itself, and again at half of the validity. */
export class ServerCertificate {
  private readonly options: ServerCertificateOptions
  private renewAt = 0
  private timer: { cancel(): void } | undefined
  private closed = false

  constructor(options: ServerCertificateOptions) {
    this.options = options
  }

  /** Issues one and hands it over; from then on by itself. */
  async renew(): Promise<void> {
    const { id, authority, ttlMs, clockSkewMs, clock, random, metrics, use } = this.options
    const { key, publicKey } = createCertificateRequest()
    const signing = authority()
    const now = clock.now()
    const [notBefore, notAfter] = [now - clockSkewMs, now + ttlMs]
    try {
      const certificate = await issueCertificate(signing, { publicKey, id, notBefore, notAfter })
      if (this.closed) return
      use({ cert: writeCertificates([certificate, ...signing.chain]), key })
      this.renewAt = renewalTime(now, notBefore, certificate.validToDate.getTime(), random.next())
      this.schedule()
    } catch (error) {
      metrics.serverCertificateFailures++
      throw error
    }
  }

  close(): void {
    this.closed = true
    this.timer?.cancel()
  }

  /** Timers stand still while a machine sleeps: it looks at the clock once a minute. */
  private schedule(): void {
    this.timer?.cancel()
    if (this.closed) return
    const { clock, logger } = this.options
    const left = this.renewAt - clock.now()
    this.timer = clock.schedule(Math.min(Math.max(0, left), lookEveryMs), () => {
      if (clock.now() < this.renewAt) return this.schedule()
      this.renew().catch((error: unknown) => {
        logger.error(`The certificate of sentry itself could not be renewed: ${errorText(error)}`)
        this.renewAt = clock.now() + retryMs
        this.schedule()
      })
      return undefined
    })
  }
}
