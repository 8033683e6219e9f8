/** Why a certificate was not signed. */
export type Refusal = 'invalid' | 'denied' | 'unavailable' | 'sign'

/** What sentry counts; names are Dapr's. */
export class Metrics {
  received = 0
  signed = 0
  serverCertificateFailures = 0
  issuerChanges = 0
  /** Seconds since the epoch. */
  issuerExpiresAt = 0
  readonly #failures = new Map<Refusal, number>()

  failed(reason: Refusal): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1)
  }

  /** In the text format of Prometheus. */
  render(): string {
    const failures = [...this.#failures].map(([reason, count]) => [`{reason="${reason}"}`, count] as const)
    return [
      metric(
        'cert_sign_request_received_total',
        'counter',
        'Certificates that were asked for',
        this.received,
      ),
      metric('cert_sign_success_total', 'counter', 'Certificates that were signed', this.signed),
      metric('cert_sign_failure_total', 'counter', 'Certificates that were not signed', ...failures),
      metric(
        'servercert_issue_failed_total',
        'counter',
        'Failures to issue the certificate of sentry itself',
        this.serverCertificateFailures,
      ),
      metric('issuercert_changed_total', 'counter', 'Changes of the issuer', this.issuerChanges),
      metric(
        'issuercert_expiry_timestamp',
        'gauge',
        'When the issuer expires, in seconds since the epoch',
        this.issuerExpiresAt,
      ),
    ].join('')
  }
}

type Sample = number | readonly [labels: string, value: number]

function metric(name: string, type: string, help: string, ...samples: readonly Sample[]): string {
  const full = `dapr_sentry_${name}`
  const lines = samples.map((sample) => {
    const [labels, value] = typeof sample === 'number' ? ['', sample] : sample
    return `${full}${labels} ${value}\n`
  })
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`
}
