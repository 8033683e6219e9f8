import type { X509Certificate } from 'node:crypto'
import { validityOf } from '@outrigger/security'
import { table } from '../table.ts'
import { readCertificatesOf } from './files.ts'

const dayMs = 86_400_000
/** From here on it is time to think about it. */
const soonDays = 30

interface Row {
  readonly file: string
  readonly name: string
  readonly notBefore: string
  readonly notAfter: string
  readonly daysLeft: number
}

/** What the authority consists of, and until when. */
export async function show(folder: string, now: number, asJson: boolean): Promise<string> {
  const { roots, chain } = await readCertificatesOf(folder)
  const rows = [
    ...roots.map((certificate) => row('ca.crt', certificate, now)),
    ...chain.map((certificate) => row('issuer.crt', certificate, now)),
  ]
  if (asJson) return JSON.stringify(rows, null, 2)
  return [
    table(
      ['FILE', 'NAME', 'VALID FROM', 'VALID UNTIL', 'DAYS LEFT'],
      rows.map((each) => [each.file, each.name, each.notBefore, each.notAfter, String(each.daysLeft)]),
    ),
    '',
    advice(rows),
  ].join('\n')
}

/** One line: when the authority ends. */
export async function expiry(folder: string, now: number): Promise<string> {
  const { roots, chain } = await readCertificatesOf(folder)
  // Of several roots the last one counts: there are several while one takes the place of another.
  const root = Math.max(...roots.map((certificate) => validityOf(certificate).notAfter))
  const end = Math.min(root, ...chain.map((certificate) => validityOf(certificate).notAfter))
  const days = daysTo(end, now)
  const when = new Date(end).toISOString()
  if (days < 0) return `The authority has expired at ${when}. Renew it: outrigger mtls renew-certificate.`
  return `The authority expires in ${days} day${days === 1 ? '' : 's'}, at ${when}.`
}

function row(file: string, certificate: X509Certificate, now: number): Row {
  const { notBefore, notAfter } = validityOf(certificate)
  return {
    file,
    name: certificate.subject.replaceAll('\n', ', '),
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    daysLeft: daysTo(notAfter, now),
  }
}

function daysTo(time: number, now: number): number {
  return Math.floor((time - now) / dayMs)
}

function advice(rows: readonly Row[]): string {
  const left = Math.min(...rows.filter(({ file }) => file === 'issuer.crt').map(({ daysLeft }) => daysLeft))
  if (left < 0)
    return 'The issuer has expired: nothing can be signed. Renew it: outrigger mtls renew-certificate.'
  if (left < soonDays)
    return `The issuer expires in ${left} days. Renew it: outrigger mtls renew-certificate.`
  const roots = rows.filter(({ file }) => file === 'ca.crt').length
  return roots > 1
    ? 'There are several roots. When every sidecar has renewed: outrigger mtls remove-old-roots.'
    : 'All is well.'
}
