import type { Duplex } from 'node:stream'
import { WireError } from '../error.ts'
import { noFields } from '../fields.ts'
import type { FlatFields } from '../fields.ts'
import { Budget } from './budget.ts'
import { ConnectionError, ENHANCE_YOUR_CALM, INTERNAL_ERROR } from './errors.ts'
import { defaultWindow } from './frames/constants.ts'
import { writeHeaders } from './header-writer.ts'
import type { Pseudo } from './header-writer.ts'
import { HpackEncoder } from './hpack/encoder.ts'
import { Link } from './link.ts'
import type { Shared } from './link.ts'
import { PeerSettings } from './settings.ts'
import type { Carrier, Stream } from './stream.ts'

/** What the peer may send on a stream that is read; on the others the default (section 6.9.2). */
const largeWindow = 1024 * 1024
/** By how much the streams of a connection may exceed small windows, all together. */
const extraWindow = 8 * 1024 * 1024
/** The window of the connection is opened by what arrives: the streams' own windows bound what is kept. */
export const connectionWindow = 4 * 1024 * 1024
/** Data put into one write: more would only wait in the socket, in front of later streams. */
const flushBytes = 256 * 1024
/** Data of one stream before the next has its turn. */
const quantum = 64 * 1024
/** A body up to this size may go out with its header section without waiting for its turn. */
const directBytes = 16 * 1024
/** Streams we have reset whose late frames are still let pass. */
const maxForgotten = 128

/** The streams of a connection, and flow control (RFC 9113, section 5.2). */
export abstract class Multiplexer extends Link implements Carrier {
  readonly streams = new Map<number, Stream>()
  backlog = 0
  protected readonly peer = new PeerSettings()
  protected readonly encoder = new HpackEncoder()
  protected sendWindow = defaultWindow
  protected receiveWindow = connectionWindow
  /** Streams that were broken off by either side: cheap for a peer to cause (CVE-2023-44487), so they are counted. */
  private readonly resets = new Budget(1000, 100)
  /** Frames that bring nothing forward: PING, SETTINGS, empty DATA and the like. */
  private readonly idleFrames = new Budget(1000, 200)
  /** Received, and not yet given back to the peer. */
  private uncredited = 0
  private extra = extraWindow
  /** Round robin of the streams that can send. */
  private head: Stream | undefined
  private tail: Stream | undefined
  private readyCount = 0
  /** With the data that may still come on each: the peer did not know. */
  private forgotten: Map<number, number> | undefined
  private readonly writeIdleMs: number

  constructor(socket: Duplex, shared: Shared, writeIdleMs: number) {
    super(socket, shared)
    this.writeIdleMs = writeIdleMs
  }

  get now(): number {
    return this.shared.ticker.now
  }

  ready(stream: Stream): void {
    if (stream.queued || stream.closed || (stream.backlog > 0 && stream.sendWindow <= 0)) return
    stream.queued = true
    if (this.tail === undefined) this.head = stream
    else this.tail.next = stream
    this.tail = stream
    this.readyCount++
    this.schedule()
  }

  consumed(stream: Stream, count: number): void {
    if (this.gone || stream.remoteEnded) return
    stream.uncredited += count
    if (stream.uncredited < stream.capacity / 2) return
    const increment = stream.uncredited + this.widen(stream)
    this.output.windowUpdate(stream.id, increment)
    stream.receiveWindow += increment
    stream.uncredited = 0
    this.schedule()
  }

  resetStream(stream: Stream, code: number): void {
    if (!this.gone && !this.closing) {
      this.output.reset(stream.id, code)
      this.schedule()
    }
    this.forget(stream.id, stream.receiveWindow)
    this.remove(stream, new WireError('ABORTED', 'the stream was reset', { sent: true }))
  }

  /** Writes a header section of `stream`, with `end` the last frame of our side. */
  sendHeaders(stream: Stream, pseudo: Pseudo, fields: FlatFields, length: number, end: boolean): void {
    const { maxFrameSize } = this.peer
    writeHeaders(this.output, this.encoder, stream.id, pseudo, fields, length, end, maxFrameSize)
    if (end) this.endLocal(stream)
    this.schedule()
  }

  /** Sends a body that is complete: at once when it is small, otherwise with the others in turn. */
  sendWhole(stream: Stream, body: Uint8Array): void {
    const { byteLength } = body
    const room = Math.min(stream.sendWindow, this.sendWindow, this.peer.maxFrameSize, directBytes)
    if (byteLength > room || this.output.size > directBytes * 4) {
      // It may have to wait for long, and nobody waits for it here.
      void stream.write(body)
      stream.end()
      return
    }
    stream.sendWindow -= byteLength
    this.sendWindow -= byteLength
    stream.ending = true
    this.output.data(stream.id, body, true)
    this.endLocal(stream)
    this.schedule()
  }

  override tick(now: number): void {
    super.tick(now)
    if (this.busyWriting && now - this.writingSince > this.writeIdleMs) return this.destroy()
    for (const stream of this.streams.values()) {
      // The peer opens no window (RFC 9113, section 10.5): what waits for it must not stay for ever.
      if (stream.backlog > 0 && now - stream.progressAt > this.writeIdleMs) {
        this.fail(
          stream,
          // Not CANCEL, which some clients take for a good end.
          ENHANCE_YOUR_CALM,
          new WireError('TIMEOUT', 'the peer took nothing of the body', { sent: true }),
        )
      } else stream.sink.tick(now)
    }
  }

  /** A stream error that we found: tells the peer and the sink. */
  protected fail(stream: Stream, code: number, error: WireError): void {
    this.resetStream(stream, code)
    stream.sink.failed(error, code)
  }

  /** Answers frames on a stream that is not there. */
  protected refuse(streamId: number, code: number): void {
    this.output.reset(streamId, code)
    this.forget(streamId, defaultWindow)
    this.schedule()
    this.countReset()
  }

  protected countIdle(): void {
    if (this.idleFrames.spend(this.shared.ticker.now)) return
    throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many frames that do nothing')
  }

  /** Something came forward. */
  protected earn(): void {
    this.idleFrames.earn()
  }

  protected countReset(): void {
    if (this.resets.spend(this.shared.ticker.now)) return
    throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many streams were broken off')
  }

  /** Whether late frames of this stream are no error: we have reset it. */
  protected isForgotten(streamId: number): boolean {
    return this.forgotten?.has(streamId) ?? false
  }

  /** Whether data on a stream that we have reset was under way within its window: the peer's right, not a nuisance. */
  protected spendForgotten(streamId: number, length: number): boolean {
    const window = this.forgotten?.get(streamId) ?? 0
    if (length === 0 || length > window) return false
    this.forgotten!.set(streamId, window - length)
    return true
  }

  /** Data of any stream has come: the window of the connection opens again, so that no stream can close it to others (section 6.9). */
  protected arrived(length: number): void {
    this.receiveWindow -= length
    this.uncredited += length
    if (this.uncredited < connectionWindow / 2) return
    this.output.windowUpdate(0, this.uncredited)
    this.receiveWindow += this.uncredited
    this.uncredited = 0
    this.schedule()
  }

  /** The stream leaves the connection; what waited in it is dropped. */
  protected remove(stream: Stream, error: WireError): void {
    if (stream.closed) return
    this.extra += stream.capacity - defaultWindow
    stream.drop(error)
    this.streams.delete(stream.id)
    this.removed(stream)
  }

  protected endRemote(stream: Stream): void {
    stream.remoteEnded = true
    if (stream.localEnded) this.completed(stream)
  }

  /** Opens the window of every stream by as much as the peer's setting has grown (section 6.9.2). */
  protected adjustWindows(difference: number): boolean {
    for (const stream of this.streams.values()) {
      stream.sendWindow += difference
      if (stream.sendWindow > 0x7fffffff) return false
      if (difference > 0 && stream.backlog > 0) this.ready(stream)
    }
    return true
  }

  protected override hasMore(): boolean {
    return this.head !== undefined && this.sendWindow > 0
  }

  protected override fill(): void {
    let budget = flushBytes
    // Streams that wait for the window of the connection; those with only an end to send need none.
    let blocked = 0
    while (budget > 0 && this.readyCount > blocked) {
      const stream = this.shift()
      if (stream.closed) continue
      if (stream.backlog > 0 && this.sendWindow <= 0) {
        this.ready(stream)
        blocked++
      } else budget -= this.serve(stream)
    }
  }

  /** A stream that is read and goes on gets a large window, as long as there are some. Returns by how much it grew. */
  private widen(stream: Stream): number {
    const growth = largeWindow - stream.capacity
    if (growth > this.extra) return 0
    this.extra -= growth
    stream.capacity = largeWindow
    return growth
  }

  /** Writes one frame of a stream. Returns the bytes of its data. */
  private serve(stream: Stream): number {
    const { backlog } = stream
    if (backlog === 0) {
      if (stream.ending && !stream.localEnded) this.writeEnd(stream)
      return 0
    }
    const most = Math.min(stream.sendWindow, this.sendWindow, this.peer.maxFrameSize, quantum)
    if (most <= 0) return 0
    const chunk = stream.take(most)
    const { byteLength } = chunk
    stream.sendWindow -= byteLength
    this.sendWindow -= byteLength
    stream.progressAt = this.shared.ticker.now
    this.idleFrames.earn()
    const last = stream.ending && byteLength === backlog && stream.trailers === undefined
    this.output.data(stream.id, chunk, last)
    if (last) this.endLocal(stream)
    else if (stream.backlog > 0 || stream.ending) this.ready(stream)
    return byteLength
  }

  private writeEnd(stream: Stream): void {
    if (stream.trailers === undefined) {
      this.output.data(stream.id, empty, true)
      this.endLocal(stream)
      return
    }
    try {
      this.sendHeaders(stream, noFields, stream.trailers, -2, true)
    } catch (error) {
      this.fail(stream, INTERNAL_ERROR, error as WireError)
    }
  }

  private endLocal(stream: Stream): void {
    stream.localEnded = stream.ending = true
    if (stream.remoteEnded) this.completed(stream)
    else this.halfClosed(stream)
  }

  private completed(stream: Stream): void {
    this.resets.earn()
    this.remove(stream, over)
  }

  private shift(): Stream {
    const stream = this.head!
    this.head = stream.next
    if (this.head === undefined) this.tail = undefined
    stream.next = undefined
    stream.queued = false
    this.readyCount--
    return stream
  }

  private forget(streamId: number, window: number): void {
    const forgotten = (this.forgotten ??= new Map())
    forgotten.set(streamId, window)
    if (forgotten.size <= maxForgotten) return
    for (const oldest of forgotten.keys()) {
      forgotten.delete(oldest)
      break
    }
  }

  /** Our side is complete while the peer's is not. */
  protected abstract halfClosed(stream: Stream): void
  /** A stream has left the map. */
  protected abstract removed(stream: Stream): void
}

const empty = new Uint8Array(0)
/** Why nothing more can be written to a stream that ended well. */
const over = new WireError('ABORTED', 'the stream is over', { sent: true })
