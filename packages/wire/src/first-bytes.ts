import type { Socket } from 'node:net'
import { received } from './bulk.ts'
import type { Watch, Watched } from './watch.ts'

/**
 * Waits for the first bytes of a connection, which tell the protocol. `isIt` answers `undefined` while more are
 * needed; then `decide` gets the socket as if nobody had looked at it, and the bytes. A client that sends nothing in
 * time is cut.
 */
export class FirstBytes implements Watched {
  activeAt = 0
  readonly idleMs: number
  private readonly socket: Socket
  private readonly watch: Watch
  private readonly isIt: (bytes: Buffer) => boolean | undefined
  private readonly decide: (socket: Socket, bytes: Buffer, it: boolean) => void
  private bytes: Buffer | undefined
  private readonly take = (chunk: Buffer): void => {
    received(chunk.length)
    const bytes = this.bytes === undefined ? chunk : Buffer.concat([this.bytes, chunk])
    const it = this.isIt(bytes)
    this.bytes = bytes
    if (it === undefined) return
    this.leave()
    this.decide(this.socket, bytes, it)
  }
  private readonly leave = (): void => {
    const { socket } = this
    this.watch.delete(this)
    socket.off('data', this.take)
    socket.off('end', this.timeOut)
    socket.off('close', this.leave)
  }

  constructor(
    socket: Socket,
    watch: Watch,
    idleMs: number,
    isIt: (bytes: Buffer) => boolean | undefined,
    decide: (socket: Socket, bytes: Buffer, it: boolean) => void,
  ) {
    this.socket = socket
    this.watch = watch
    this.idleMs = idleMs
    this.isIt = isIt
    this.decide = decide
    watch.add(this)
    socket.on('data', this.take)
    socket.on('end', this.timeOut)
    socket.on('close', this.leave)
  }

  readonly timeOut = (): void => {
    this.socket.destroy()
  }
}
