import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files in PEM: one authority and one certificate that both hops present. */
export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** Certificate and key in one file, as haproxy reads them. */
  readonly both: string
}

/** Makes an authority and a certificate for 127.0.0.1, with openssl. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => join(folder, name)
  const { ca, cert, key, both } = {
    ca: file('ca.pem'),
    cert: file('cert.pem'),
    key: file('key.pem'),
    both: file('both.pem'),
  }
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'.split(' ')
  const run = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
  run(...request, '-subj', '/CN=bench authority', '-keyout', file('ca-key.pem'), '-out', ca)
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const signer = ['-CA', ca, '-CAkey', file('ca-key.pem')]
  run(...request, '-subj', '/CN=localhost', ...names, ...signer, '-keyout', key, '-out', cert)
  writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 })
  return { ca, cert, key, both }
}
