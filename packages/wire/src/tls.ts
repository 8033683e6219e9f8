import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import type * as Tls from 'node:tls'
import type {
  ConnectionOptions,
  SecureContext,
  SecureContextOptions,
  TLSSocket,
  TlsOptions as NodeServerTls,
} from 'node:tls'
import { WireError } from './error.ts'
import type { Origin } from './origin.ts'
import type { TlsOptions } from './types.ts'

/** Loads TLS when it is first needed: a process without it starts faster and stays 6 MiB smaller. */
export function loadTls(): typeof Tls {
  return process.getBuiltinModule('node:tls')
}

/** What went wrong with a connection, in few words: those of OpenSSL come with its addresses and lines. */
export function reasonOf(cause: Error | undefined): string {
  if (cause === undefined) return 'closed'
  const { code, reason, message } = cause as Error & { readonly code?: unknown; readonly reason?: unknown }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_HTTP_REQUEST')
    return 'the other side does not speak TLS'
  return typeof reason === 'string' ? reason : message
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

/** Reads the certificates: what is wrong with them is said at once, and not to whoever connects. */
function contextOf(options: SecureContextOptions): SecureContext {
  try {
    return loadTls().createSecureContext(options)
  } catch (cause) {
    const reason = (cause as Error).message
    throw new WireError('PROTOCOL', `the certificates or the key cannot be used: ${reason}`, { cause })
  }
}

/** @throws WireError `PROTOCOL` for certificates that cannot be used */
export function serverTls(options: TlsOptions): NodeServerTls {
  const verify = options.requireClientCert ?? false
  const { constants } = process.getBuiltinModule('node:crypto')
  // Who has shown one certificate must not become another on the way (TLS 1.2).
  const own = { ...shared(options), secureOptions: constants.SSL_OP_NO_RENEGOTIATION }
  contextOf(own)
  return { ...own, requestCert: verify, rejectUnauthorized: verify }
}

/** How a client secures its connections. */
export class ClientTls {
  private readonly options: ConnectionOptions
  private readonly verify: TlsOptions['verifyServer']
  /** Made once, without certificates when it is first needed: reading them takes longer than connecting. */
  private context: SecureContext | undefined

  /** @throws WireError `PROTOCOL` for certificates that cannot be used */
  constructor(options: TlsOptions | undefined) {
    this.verify = options?.verifyServer
    this.options = {
      ...shared(options ?? {}),
      rejectUnauthorized: !(options?.insecure ?? false),
      ...(options?.serverName === undefined ? {} : { servername: options.serverName }),
    }
    if (options !== undefined) this.context = contextOf(this.options)
  }

  /** Connects and offers one protocol; `session`: one to resume. */
  connect({ options, authority }: Origin, protocol: string, session?: Buffer): TLSSocket {
    const tls = loadTls()
    this.context ??= contextOf(this.options)
    const { verify } = this
    return tls.connect({
      ...('socketPath' in options ? { path: options.socketPath } : options),
      // An address is no name (RFC 6066, section 3).
      ...('host' in options && isIP(options.host) === 0 ? { servername: options.host } : {}),
      ...this.options,
      secureContext: this.context,
      ALPNProtocols: [protocol],
      ...(verify === undefined ? {} : { checkServerIdentity: identity(verify, authority) }),
      ...(session === undefined ? {} : { session }),
    })
  }
}

function identity(
  verify: NonNullable<TlsOptions['verifyServer']>,
  authority: string,
): NonNullable<ConnectionOptions['checkServerIdentity']> {
  const { X509Certificate } = process.getBuiltinModule('node:crypto')
  return (_, certificate) => verify(new X509Certificate(certificate.raw), authority)
}

/** The certificate that the peer of a connection has shown. */
export function peerCertificate(socket: Socket): X509Certificate | undefined {
  return 'getPeerX509Certificate' in socket ? (socket as TLSSocket).getPeerX509Certificate() : undefined
}

/** Whether an authority that was trusted is not any more. */
export function isLeftOut(before: TlsOptions['ca'], after: TlsOptions['ca']): boolean {
  const trusted = new Set(certificatesOf(after))
  return certificatesOf(before).some((certificate) => !trusted.has(certificate))
}

function certificatesOf(ca: TlsOptions['ca']): readonly string[] {
  const texts = [ca ?? []].flat().map((each) => String(pem(each as string | Uint8Array)))
  return texts.flatMap((text) =>
    text.split('-----END CERTIFICATE-----').map((certificate) => certificate.replaceAll(/\s/g, '')),
  )
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value)
}
