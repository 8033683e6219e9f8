import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export type Direction = 'up' | 'down'
/** `RST` and `FIN` end both connections; `half` tells only who was to get more, and the other way stays open. */
export type Manner = 'RST' | 'FIN' | 'half'

/** Where bytes can be cut: the ends of frames, also of one that has only begun. */
export type Boundaries = (bytes: Buffer) => number[]

export interface Cut {
  readonly direction: Direction
  /** Which boundary. */
  readonly index: number
  /** Bytes before or behind it. */
  readonly offset: number
  readonly manner: Manner
}

/** Stands between a client and a server, and cuts their connection at a boundary. */
export class Relay {
  /** Without one everything passes. */
  cut: Cut | undefined
  /** Boundaries that were seen on the last connection. */
  readonly seen: Record<Direction, number> = { up: 0, down: 0 }
  private readonly boundaries: Boundaries
  private readonly target: number
  private readonly server: Server
  private readonly sockets = new Set<Socket>()

  constructor(target: number, boundaries: Boundaries) {
    this.target = target
    this.boundaries = boundaries
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.accept(client))
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return (this.server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.sockets.size
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private accept(client: Socket): void {
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const socket of [client, server]) {
      this.sockets.add(socket)
      socket.on('error', () => {})
    }
    client.on('close', () => {
      this.sockets.delete(client)
      server.destroy()
    })
    server.on('close', () => {
      this.sockets.delete(server)
      client.destroy()
    })
    this.carry('up', client, server)
    this.carry('down', server, client)
  }

  private carry(direction: Direction, from: Socket, to: Socket): void {
    let bytes = Buffer.alloc(0)
    let passed = 0
    let over = false
    from.on('data', (chunk: Buffer) => {
      if (over) return
      bytes = Buffer.concat([bytes, chunk])
      const found = this.boundaries(bytes)
      this.seen[direction] = found.length
      const { cut } = this
      const boundary = cut?.direction === direction ? found[cut.index] : undefined
      const limit = boundary === undefined ? Infinity : Math.max(passed, boundary + cut!.offset)
      const piece = bytes.subarray(passed, Math.min(bytes.length, limit))
      passed += piece.length
      over = passed >= limit
      // What was sent before must have left when the connection is reset.
      to.write(piece, () => {
        if (over) setImmediate(() => end(from, to, cut!.manner))
      })
    })
    from.on('end', () => {
      if (!over) to.end()
    })
  }
}

function end(from: Socket, to: Socket, manner: Manner): void {
  if (manner === 'RST') {
    from.resetAndDestroy()
    to.resetAndDestroy()
  } else {
    to.end()
    if (manner === 'FIN') from.end()
  }
}

/** Behind the preface, where there is one, each frame has its length in front (RFC 9113, section 4.1). */
export function http2Frames(bytes: Buffer): number[] {
  const preface = bytes.subarray(0, 3).toString() === 'PRI' ? 24 : 0
  return records(bytes, preface, 9, (at) => bytes.readUIntBE(at, 3))
}

/** RFC 8446, section 5.1. */
export function tlsRecords(bytes: Buffer): number[] {
  return records(bytes, 0, 5, (at) => bytes.readUInt16BE(at + 3))
}

/** The ends of lines: of fields, of the head, of chunk sizes and of chunks. */
export function lines(bytes: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf('\n'); at >= 0; at = bytes.indexOf('\n', at + 1)) found.push(at + 1)
  return found
}

function records(
  bytes: Buffer,
  start: number,
  headLength: number,
  lengthAt: (at: number) => number,
): number[] {
  const found = start === 0 ? [] : [start]
  for (let at = start; at + headLength <= bytes.length;) {
    at += headLength + lengthAt(at)
    found.push(at)
  }
  return found
}
