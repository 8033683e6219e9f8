import { expect, it } from 'vitest'
import { Metrics } from './metrics.ts'

it('counts under the names of Dapr', () => {
  const metrics = new Metrics()
  metrics.received = 3
  metrics.signed = 1
  metrics.issuerExpiresAt = 1_800_000_000
  metrics.failed('denied')
  metrics.failed('denied')
  expect(
    metrics
      .render()
      .split('\n')
      .filter((line) => !line.startsWith('#')),
  ).toEqual([
    'dapr_sentry_cert_sign_request_received_total 3',
    'dapr_sentry_cert_sign_success_total 1',
    'dapr_sentry_cert_sign_failure_total{reason="denied"} 2',
    'dapr_sentry_servercert_issue_failed_total 0',
    'dapr_sentry_issuercert_changed_total 0',
    'dapr_sentry_issuercert_expiry_timestamp 1800000000',
    '',
  ])
})
