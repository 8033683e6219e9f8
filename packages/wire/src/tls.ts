import type * as Tls from 'node:tls'
import type { SecureContextOptions, TlsOptions as NodeServerTls, ConnectionOptions } from 'node:tls'
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
  }
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value)
}
