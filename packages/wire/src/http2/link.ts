import type { Duplex } from 'node:stream'
import { received } from '../bulk.ts'
import { BlockPool, Output } from './frames/output.ts'
import { Ticker, Turn } from './turn.ts'
import type { Flushed, Ticking } from './turn.ts'

/** What all connections of one server or client share. */
export class Shared {
  readonly pool = new BlockPool()
  readonly turn = new Turn()
  readonly ticker: Ticker

  constructor(shortestMs: number) {
    this.ticker = new Ticker(shortestMs)
  }
}

/** A reply that the peer does not read must not pile up without end. */
const maxWaiting = 4 * 1024 * 1024
/** How long a peer may take to read our last words. */
const lingerMs = 1_000

/**
 * The socket of a connection. What is to be sent collects in `output` and is written once per turn of the event
 * loop; while one write is under way the next waits, so a slow peer is felt at once.
 */
export abstract class Link implements Flushed, Ticking {
  readonly socket: Duplex
  protected readonly output: Output
  protected readonly shared: Shared
  /** No more is read, the rest of the output is sent, then the socket ends. */
  protected closing = false
  protected gone = false
  /** When the write that is under way began. */
  protected writingSince = 0
  private writing = false
  private scheduled = false
  private closingSince = 0

  constructor(socket: Duplex, shared: Shared) {
    this.socket = socket
    this.shared = shared
    this.output = new Output(shared.pool)
    if ('setNoDelay' in socket) (socket as { setNoDelay(on: boolean): void }).setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      received(chunk.length)
      if (!this.closing) this.receive(chunk)
    })
    socket.on('end', () => {
      // Our last words are still on their way.
      if (!this.closing) this.lost(undefined)
    })
    socket.on('error', (cause: Error) => this.lost(cause))
    socket.on('close', () => this.lost(undefined))
    shared.ticker.add(this)
  }

  flush(): void {
    this.scheduled = false
    if (this.gone || this.writing) return
    if (!this.closing) this.fill()
    const { output, socket } = this
    if (output.size === 0) {
      if (this.closing) socket.end()
      return
    }
    this.writing = true
    this.writingSince = this.shared.ticker.now
    const parts = output.take()
    if (parts.length === 1) {
      socket.write(parts[0]!, this.written)
      return
    }
    socket.cork()
    const last = parts.length - 1
    for (let index = 0; index < last; index++) socket.write(parts[index]!)
    socket.write(parts[last]!, this.written)
    socket.uncork()
  }

  tick(now: number): void {
    if (this.closing && now - this.closingSince > lingerMs) this.socket.destroy()
  }

  /** Ends without a word. */
  destroy(): void {
    this.socket.destroy()
    this.lost(undefined)
  }

  /** Has `flush` called at the end of this turn. */
  protected schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    if (this.output.size > maxWaiting) this.destroy()
    else this.shared.turn.add(this)
  }

  /** Sends what is in the output and ends the socket. */
  protected finish(): void {
    if (this.closing) return
    this.closing = true
    this.closingSince = this.shared.ticker.now
    this.schedule()
  }

  protected get busyWriting(): boolean {
    return this.writing
  }

  private readonly written = (): void => {
    this.writing = false
    this.output.written()
    if (this.gone) return
    if (this.closing) this.flush()
    else if (this.output.size > 0 || this.hasMore()) this.schedule()
  }

  private lost(cause: Error | undefined): void {
    if (this.gone) return
    this.gone = true
    this.shared.ticker.delete(this)
    this.socket.destroy()
    this.broken(cause)
  }

  protected abstract receive(chunk: Buffer): void
  /** Adds the data that can be sent now to the output. */
  protected abstract fill(): void
  /** Whether `fill` would add anything. */
  protected abstract hasMore(): boolean
  /** The socket is gone. */
  protected abstract broken(cause: Error | undefined): void
}
