import type { Socket } from 'node:net'
import type { WireError } from '../error.ts'
import { latin1 } from './syntax.ts'

/** Bodies up to this size are joined with what is around them; larger ones would cost more to copy than they gain. */
const joinLimit = 4096
/** More than this does not wait for the end of the turn. */
const flushLimit = 16 * 1024

interface Waiting {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: WireError): void
}

/** Gathers what is to be written on a connection, so that a turn of the event loop costs one write. */
export class Output {
  private readonly socket: Socket
  /** How long the peer may take nothing of what waits for it; 0 is for ever. */
  private readonly idleMs: number
  /** One character for each byte. */
  private text = ''
  private waiting: Waiting | undefined

  constructor(socket: Socket, idleMs: number) {
    this.socket = socket
    this.idleMs = idleMs
    socket.on('drain', this.relieved)
    if (idleMs > 0) socket.on('timeout', this.stalled)
  }

  /** `before` and `after` hold one character for each byte. The bytes of `body` are not changed afterwards. */
  append(before: string, body: Uint8Array | string | undefined, after: string): void {
    if (body === undefined || body.length === 0) this.text += before + after
    else if (body.length > joinLimit) this.large(before, body, after)
    else if (typeof body !== 'string') this.text += before + latin1(body) + after
    else if (Buffer.byteLength(body) === body.length) this.text += before + body + after
    else this.text += before + latin1(Buffer.from(body)) + after
    if (this.text.length > flushLimit) this.write()
  }

  flush(): void {
    if (this.text !== '') this.write()
    if (this.socket.writableLength > 0) this.guard()
  }

  /** A promise when the peer takes less than it is given; it rejects with `ABORTED` when the peer goes. */
  drained(): Promise<void> | undefined {
    if (!this.socket.writableNeedDrain) return undefined
    this.guard()
    if (this.waiting === undefined) {
      this.waiting = Promise.withResolvers<void>()
      // Whoever does not look at it shall not end the process.
      this.waiting.promise.catch(() => {})
    }
    return this.waiting.promise
  }

  /** The connection has gone. */
  close(error: WireError): void {
    const { waiting } = this
    this.waiting = undefined
    this.text = ''
    waiting?.reject(error)
  }

  /** Writes what waits, and leaves the socket to somebody else. */
  release(): void {
    this.flush()
    this.socket.off('drain', this.relieved).off('timeout', this.stalled).setTimeout(0)
  }

  private write(): void {
    const { text } = this
    this.text = ''
    this.socket.write(text, 'latin1')
  }

  private large(before: string, body: Uint8Array | string, after: string): void {
    const { socket } = this
    this.text += before
    socket.cork()
    if (this.text !== '') this.write()
    socket.write(body)
    socket.uncork()
    this.text = after
  }

  private readonly relieved = (): void => {
    const { waiting } = this
    this.waiting = undefined
    waiting?.resolve()
  }

  /** From now on the peer must take something now and then. The socket itself knows how much it takes. */
  private guard(): void {
    if (this.idleMs > 0 && this.socket.timeout !== this.idleMs) this.socket.setTimeout(this.idleMs)
  }

  private readonly stalled = (): void => {
    if (this.socket.writableLength > 0) this.socket.destroy()
    else this.socket.setTimeout(0)
  }
}

/** Bytes of a body as it is sent. */
export function byteLength(body: Uint8Array | string | undefined): number {
  if (body === undefined) return 0
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
}
