import { connect, createServer } from 'node:net'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp2Client } from '../../src/http2/client.ts'
import type { Http2ClientOptions } from '../../src/http2/client.ts'
import { Http2Server } from '../../src/http2/server.ts'
import type { Http2ServerOptions } from '../../src/http2/server.ts'
import type { Client, Handler } from '../../src/index.ts'
import { cleanup } from '../setup.ts'
import { Peer } from './peer.ts'

export interface Running {
  readonly server: Http2Server
  readonly port: number
  readonly origin: string
  /** The server's ends of its connections. */
  readonly sockets: Set<Socket>
  /** A connection that sends whatever it is told to. */
  peer(): Peer
}

export interface Pair {
  readonly cert: string
  readonly key: string
}

/** An HTTP/2 server on a free port; closed after the test. */
export async function serve(
  handler: Handler,
  options: Http2ServerOptions = {},
  tls?: Pair,
): Promise<Running> {
  const server = new Http2Server(options, handler)
  const sockets = new Set<Socket>()
  const accept = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    server.accept(socket, tls !== undefined)
  }
  const listener: NetServer =
    tls === undefined ? createServer(accept) : createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, accept)
  const port = await listen(listener)
  cleanup(() => server.close(AbortSignal.abort()))
  const peer = (): Peer => {
    const created = new Peer(connect(port, '127.0.0.1'), false)
    cleanup(() => created.socket.destroy())
    return created
  }
  return {
    server,
    port,
    sockets,
    peer,
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
  }
}

/** Has a server listen until the test ends. */
export async function listen(listener: NetServer): Promise<number> {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  cleanup(() => new Promise((resolve) => listener.close(resolve)))
  return (listener.address() as AddressInfo).port
}

/** A client; closed after the test. */
export function client(options: Http2ClientOptions = {}): Client {
  const created = createHttp2Client(options)
  cleanup(() => created.close())
  return created
}

/** A certificate for `localhost` that vouches for itself; `undefined` where openssl is not installed. */
export function selfSigned(): Pair | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'wire-h2-'))
  const key = join(folder, 'key.pem')
  const cert = join(folder, 'cert.pem')
  const options = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  try {
    const args = [...options.split(' '), '-addext', names, '-keyout', key, '-out', cert]
    execFileSync('openssl', args, { stdio: 'ignore' })
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The path of a program, or why it cannot be used. Its absence fails where everything must be tested. */
export function findProgram(name: string, hint: string, folders: string[] = []): { path: string } | string {
  const path = [...(process.env['PATH'] ?? '').split(':'), ...folders]
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
  return path === undefined ? `${name} is not installed (${hint})` : { path }
}

export const mustRun = process.env['OUTRIGGER_REQUIRE_SERVICES'] === '1'
