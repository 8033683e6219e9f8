import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Server } from 'node:net'
import { WireError } from './error.ts'
import type { BoundAddress, ListenAddress } from './types.ts'

/** A peer whose machine is gone says nothing: so long it may be silent before TCP asks for it. */
export const keepAliveInitialDelay = 30_000

/** Makes a server listen, or says why it can not. */
export async function listenOn(server: Server, address: ListenAddress): Promise<BoundAddress> {
  if ('path' in address) {
    await removeStale(address.path)
    await listening(server, address.path, { path: address.path })
    if (address.mode !== undefined) await chmod(address.path, address.mode)
    return { path: address.path }
  }
  // In brackets as well, as an IPv6 address stands before a port.
  const host = address.host?.replace(/^\[(.*)\]$/, '$1') || undefined
  await listening(
    server,
    `${host ?? '*'}:${address.port}`,
    host === undefined ? address : { host, port: address.port },
  )
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new WireError('LISTEN', 'the server has no address')
  return { host: bound.address, port: bound.port }
}

function listening(server: Server, name: string, options: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error & { code?: string }): void => {
      reject(
        new WireError('LISTEN', `cannot listen on ${name}: ${reasons[cause.code ?? ''] ?? cause.message}`, {
          cause,
        }),
      )
    }
    server.once('error', failed)
    server.listen({ backlog: 1024, ...options }, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no such host',
}

/** Removes a socket file that a crashed process left behind. One that answers stays, and so does any other file. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw new WireError('LISTEN', `cannot listen on ${path}: it is a file, not a socket`)
  if (await answers(path)) return
  await unlink(path).catch((cause: Error) => {
    throw new WireError('LISTEN', `cannot remove the stale socket ${path}: ${cause.message}`, { cause })
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: Error & { code?: string }) => resolve(error.code !== 'ECONNREFUSED'))
  })
}
