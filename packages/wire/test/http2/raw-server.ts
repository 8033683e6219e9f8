import { createServer } from 'node:net'
import { cleanup, until } from '../setup.ts'
import { Peer } from './peer.ts'
import { listen } from './setup.ts'

export interface RawServer {
  readonly origin: string
  readonly peers: Peer[]
  /** The n-th connection, once it has come. */
  peer(index?: number): Promise<Peer>
}

/** A server that does nothing by itself but to send its SETTINGS. */
export async function rawServer(...settings: number[]): Promise<RawServer> {
  const peers: Peer[] = []
  const port = await listen(
    createServer((socket) => {
      peers.push(new Peer(socket, true).settings(...settings))
      cleanup(() => socket.destroy())
    }),
  )
  return {
    origin: `http://127.0.0.1:${port}`,
    peers,
    peer: async (index = 0) => {
      await until(() => peers.length > index, `connection ${index} has come`)
      return peers[index]!
    },
  }
}

/** What a request fails with; undefined when it does not. */
export function failure(request: Promise<unknown>): Promise<unknown> {
  return request.then(
    () => undefined,
    (error: unknown) => error,
  )
}
