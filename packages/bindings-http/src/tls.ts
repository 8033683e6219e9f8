import { constants, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { ComponentError, type ComponentContext } from '@outrigger/spec'
import type { HttpMetadata } from './metadata.ts'

/** Reads certificates and key, and checks that they fit. */
export async function tlsOptions({
  baseDirectory,
  metadata,
}: ComponentContext<HttpMetadata>): Promise<SecureContextOptions> {
  const { rootCA, clientCert, clientKey, renegotiation } = metadata
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw invalid(
      clientKey === undefined ? 'MTLSClientKey' : 'MTLSClientCert',
      'is missing: certificate and key go together',
    )
  }
  const options: SecureContextOptions = { minVersion: 'TLSv1.2' }
  if (renegotiation === 'RenegotiateNever') options.secureOptions = constants.SSL_OP_NO_RENEGOTIATION
  if (rootCA !== undefined) options.ca = await pemOf('MTLSRootCA', rootCA, baseDirectory)
  if (clientCert !== undefined) options.cert = await pemOf('MTLSClientCert', clientCert, baseDirectory)
  if (clientKey !== undefined) options.key = await pemOf('MTLSClientKey', clientKey, baseDirectory)
  checkCertificate('MTLSRootCA', options.ca as string | undefined)
  checkCertificate('MTLSClientCert', options.cert as string | undefined)
  try {
    createSecureContext(options)
  } catch (error) {
    throw invalid('MTLSClientKey', 'is not a private key in PEM, or not the one of MTLSClientCert', error)
  }
  return options
}

function checkCertificate(field: string, pem: string | undefined): void {
  if (pem === undefined) return
  try {
    void new X509Certificate(pem)
  } catch (error) {
    throw invalid(field, 'holds no certificate in PEM', error)
  }
}

// The value is in no error: it may be a key that was pasted with a mistake.
async function pemOf(field: string, value: string, baseDirectory: string): Promise<string> {
  if (/-----BEGIN [^-]+-----/.test(value)) return value
  try {
    return await readFile(resolve(baseDirectory, value), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw invalid(field, `is neither PEM text nor the path of a file that can be read (${code})`, error)
  }
}

function invalid(field: string, problem: string, cause?: unknown): ComponentError {
  return new ComponentError('INVALID_METADATA', `${field} ${problem}`, { cause })
}
