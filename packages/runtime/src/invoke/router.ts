import type { Clock, Logger, NameResolver } from '@outrigger/spec'
import type { Client, TlsOptions } from '@outrigger/wire'
import { createHttp2Client } from '@outrigger/wire/http2'
import { mostHeadBytes } from '../peer/messages.ts'
import { Directory } from './directory.ts'
import { RemoteApps } from './remote.ts'

/** How connections to other sidecars are secured. */
export interface PeerSecurity {
  /** Accepts nobody but this application. */
  clientTls(expected: () => { readonly appId: string; readonly namespace: string }): TlsOptions
  onChange(listener: () => void): () => void
}

export interface RemoteOptions {
  readonly resolver: () => Promise<NameResolver>
  /** Absent: connections are in plaintext. */
  readonly security: PeerSecurity | undefined
  readonly internalPort: () => number | undefined
  readonly maxBodyBytes: number
  readonly clock: Clock
  readonly logger: Logger
}

/** The way to other applications, with the connections that it keeps. */
export interface Remote {
  readonly apps: RemoteApps
  close(): Promise<void>
}

/** Metadata of a call may be larger than header fields of HTTP. */
const maxHeaderBytes = 64 * 1024

/** Import this when the first other application is called: what speaks gRPC comes with it. */
export function openRemote(options: RemoteOptions): Remote {
  const { security, maxBodyBytes, resolver, internalPort, clock, logger } = options
  const secured = new Map<Client, () => TlsOptions>()
  let plain: Client | undefined
  const off = security?.onChange(() => {
    for (const [client, tls] of secured) client.replaceTls(tls())
  })
  const directory = new Directory({
    resolver,
    internalPort,
    clock,
    logger,
    connect(appId, namespace) {
      if (security === undefined) {
        plain ??= createHttp2Client({ maxHeaderBytes })
        return { client: plain, scheme: 'http', close() {} }
      }
      const tls = (): TlsOptions => security.clientTls(() => ({ appId, namespace }))
      const client = createHttp2Client({ maxHeaderBytes, tls: tls() })
      secured.set(client, tls)
      const close = (): void => {
        secured.delete(client)
        client.close()
      }
      return { client, scheme: 'https', close }
    },
  })
  return {
    apps: new RemoteApps(directory, maxBodyBytes + mostHeadBytes),
    async close() {
      off?.()
      await directory.close()
      plain?.close()
    },
  }
}
