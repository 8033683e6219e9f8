import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type * as Tls from 'node:tls'
import type {
  ConnectionOptions,
  SecureContextOptions,
  TLSSocket,
  TlsOptions as NodeServerTls,
} from 'node:tls'
import type { TlsOptions } from './types.ts'

/** Loads TLS when it is first needed: a process without it starts faster and stays 6 MiB smaller. */
export function loadTls(): typeof Tls {
  return process.getBuiltinModule('node:tls')
}

function shared(options: TlsOptions): SecureContextOptions {
  const { cert, key, ca } = options
  return {
    minVersion: 'TLSv1.2',
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
    ...(ca === undefined ? {} : { ca: Array.isArray(ca) ? ca.map(pem) : pem(ca as string) }),
  }
}

export function serverTls(options: TlsOptions): NodeServerTls {
  const verify = options.requireClientCert ?? false
  return { ...shared(options), requestCert: verify, rejectUnauthorized: verify }
}

export function clientTls(options: TlsOptions): ConnectionOptions {
  return {
    ...shared(options),
    rejectUnauthorized: !(options.insecure ?? false),
    ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    ...(options.verifyServer === undefined ? {} : { checkServerIdentity: identity(options.verifyServer) }),
  }
}

function identity(
  verify: NonNullable<TlsOptions['verifyServer']>,
): NonNullable<ConnectionOptions['checkServerIdentity']> {
  const { X509Certificate } = process.getBuiltinModule('node:crypto')
  return (_, certificate) => verify(new X509Certificate(certificate.raw))
}

/** The certificate that the peer of a connection has shown. */
export function peerCertificate(socket: Socket): X509Certificate | undefined {
  return 'getPeerX509Certificate' in socket ? (socket as TLSSocket).getPeerX509Certificate() : undefined
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value)
}
