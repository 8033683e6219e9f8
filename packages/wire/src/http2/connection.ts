import type { Duplex } from 'node:stream'
import { WireError } from '../error.ts'
import { Budget } from './budget.ts'
import {
  ConnectionError,
  ENHANCE_YOUR_CALM,
  errorName,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  INTERNAL_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  SETTINGS_TIMEOUT,
  STREAM_CLOSED,
} from './errors.ts'
import * as wire from './frames/constants.ts'
import { FrameReader } from './frames/reader.ts'
import type { FrameSink } from './frames/reader.ts'
import { HeaderBlock } from './header-block.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import type { Shared } from './link.ts'
import { connectionWindow, Multiplexer, streamWindow } from './multiplexer.ts'
import type { Stream } from './stream.ts'

/** Limits of one connection, with defaults applied. Times in milliseconds. */
export interface ConnectionLimits {
  readonly maxHeaderBytes: number
  readonly maxFields: number
  /** Streams that the peer may have open. */
  readonly maxStreams: number
  /** For the preface, and for a header section that came in part. */
  readonly headerTimeoutMs: number
  readonly writeIdleMs: number
}

const maxContinuations = 64

/** Reads frames and keeps the rules of RFC 9113 that both sides share. */
export abstract class Connection extends Multiplexer implements FrameSink {
  protected readonly limits: ConnectionLimits
  protected readonly block: HeaderBlock
  /** The highest stream the peer has opened. */
  protected lastPeerStream = 0
  /** Frames that bring nothing forward: PING, SETTINGS, empty DATA and the like. */
  private readonly idleFrames = new Budget(1000, 200)
  private readonly reader: FrameReader
  private readonly decoder = new HpackDecoder()
  private readonly isServer: boolean
  private readonly openedAt: number
  /** Whether the peer's SETTINGS have come. */
  settled = false
  private settingsSent = 1
  /** The stream whose header block goes on in CONTINUATION frames, 0 for none. */
  private blockStream = 0
  private blockFlags = 0
  private blockProblem = false
  private blockParts: Buffer[] = []
  private blockSize = 0
  private blockSince = 0
  /** The stream of the DATA frame that is being read; undefined when its data is thrown away. */
  private dataStream: Stream | undefined
  private dataLength = 0

  constructor(socket: Duplex, shared: Shared, limits: ConnectionLimits, isServer: boolean) {
    super(socket, shared, limits.writeIdleMs)
    this.limits = limits
    this.isServer = isServer
    this.openedAt = shared.ticker.now
    this.block = new HeaderBlock(limits.maxHeaderBytes, limits.maxFields)
    this.reader = new FrameReader(this, isServer)
    const listSize = limits.maxHeaderBytes + limits.maxFields * 32
    const settings = [wire.INITIAL_WINDOW_SIZE, streamWindow, wire.MAX_HEADER_LIST_SIZE, listSize]
    if (isServer) settings.push(wire.MAX_CONCURRENT_STREAMS, limits.maxStreams)
    else {
      this.output.raw(wire.preface)
      settings.push(wire.ENABLE_PUSH, 0)
    }
    this.output.settings(settings)
    this.output.windowUpdate(0, connectionWindow - wire.defaultWindow)
    this.schedule()
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (this.blockStream !== 0) {
      if (type !== wire.CONTINUATION || streamId !== this.blockStream) {
        throw protocol('a header block is interrupted by another frame')
      }
      return this.continuation(flags, bytes, start, end)
    }
    if (!this.settled && (type !== wire.SETTINGS || (flags & wire.ACK) !== 0)) {
      throw protocol('the first frame is not SETTINGS')
    }
    switch (type) {
      case wire.HEADERS:
        return this.headers(flags, streamId, bytes, start, end)
      case wire.PRIORITY:
        return this.priority(streamId, bytes, start, end)
      case wire.RST_STREAM:
        return this.rstStream(streamId, bytes, start, end)
      case wire.SETTINGS:
        return this.settings(flags, streamId, bytes, start, end)
      case wire.PUSH_PROMISE:
        throw protocol('nothing may be pushed')
      case wire.PING:
        return this.ping(flags, streamId, bytes, start, end)
      case wire.GOAWAY:
        return this.goaway(streamId, bytes, start, end)
      case wire.WINDOW_UPDATE:
        return this.windowUpdate(streamId, bytes, start, end)
      case wire.CONTINUATION:
        throw protocol('CONTINUATION without a header block')
      default:
        // Unknown types are ignored (section 4.1).
        this.countIdle()
    }
  }

  dataBegin(streamId: number, length: number): void {
    if (this.blockStream !== 0) throw protocol('a header block is interrupted by DATA')
    if (!this.settled) throw protocol('the first frame is not SETTINGS')
    if (streamId === 0) throw protocol('DATA on stream 0')
    const stream = this.streams.get(streamId)
    this.dataStream = stream
    this.dataLength = length
    if (length > this.receiveWindow) {
      throw new ConnectionError(FLOW_CONTROL_ERROR, 'more data than the window of the connection')
    }
    this.receiveWindow -= length
    if (stream === undefined) return this.strayData(streamId, length)
    if (stream.remoteEnded) return this.refuseData(stream, STREAM_CLOSED, 'data behind its end')
    if (length > stream.receiveWindow) {
      return this.refuseData(stream, FLOW_CONTROL_ERROR, 'more data than the window of the stream')
    }
    stream.receiveWindow -= length
    if (length === 0) this.countIdle()
    else this.idleFrames.earn()
  }

  dataPiece(piece: Buffer): void {
    const stream = this.dataStream
    // Reset in the middle of a frame.
    if (stream === undefined || stream.closed) return this.consumed(undefined, piece.length)
    if (stream.expected >= 0) {
      stream.expected -= piece.length
      if (stream.expected < 0) {
        this.dataStream = undefined
        this.consumed(undefined, piece.length)
        return this.malformed(stream, 'the body is longer than its content-length')
      }
    }
    stream.sink.data(piece)
  }

  dataEnd(flags: number, padding: number): void {
    const stream = this.dataStream
    this.dataStream = undefined
    if (padding > 0) this.consumed(stream, padding)
    if (stream === undefined || stream.closed || (flags & wire.END_STREAM) === 0) return
    this.finishRemote(stream)
  }

  override tick(now: number): void {
    super.tick(now)
    if (this.closing || this.gone) return
    const { headerTimeoutMs } = this.limits
    if (!this.settled && now - this.openedAt > headerTimeoutMs) {
      this.close(SETTINGS_TIMEOUT, 'no preface and SETTINGS came in time')
    } else if (this.blockStream !== 0 && now - this.blockSince > headerTimeoutMs) {
      this.close(ENHANCE_YOUR_CALM, 'a header block did not end in time')
    }
  }

  /** Says why, ends the connection and fails what is open. */
  protected close(code: number, message: string): void {
    if (this.closing || this.gone) return
    this.output.goaway(this.lastPeerStream, code, message)
    this.finish()
    const text = code === NO_ERROR ? 'the connection was closed' : `${errorName(code)}: ${message}`
    this.failAll(new WireError(code === NO_ERROR ? 'RESET' : 'PROTOCOL', text, { sent: true }), code)
  }

  protected failAll(error: WireError, code: number): void {
    for (const stream of [...this.streams.values()]) {
      this.remove(stream, error)
      stream.sink.failed(error, code)
    }
  }

  protected override receive(chunk: Buffer): void {
    try {
      this.reader.push(chunk)
    } catch (error) {
      if (error instanceof ConnectionError) this.close(error.code, error.message)
      else {
        this.close(INTERNAL_ERROR, 'internal error')
        throw error
      }
    }
  }

  protected override broken(cause: Error | undefined): void {
    this.failAll(new WireError('RESET', 'the connection broke', { cause, sent: true }), NO_ERROR)
  }

  /** A message that breaks the rules of HTTP (section 8.1.1). */
  protected malformed(stream: Stream, why: string): void {
    this.streamError(stream, PROTOCOL_ERROR, why)
  }

  protected streamError(stream: Stream, code: number, why: string): void {
    this.fail(stream, code, new WireError('PROTOCOL', why, { sent: true }))
    this.countReset()
  }

  /** The peer's side is complete: content-length and body must agree (section 8.1.1). */
  protected finishRemote(stream: Stream): void {
    if (stream.expected > 0) return this.malformed(stream, 'the body is shorter than its content-length')
    this.endRemote(stream)
    stream.sink.ended()
  }

  protected countIdle(): void {
    if (this.idleFrames.spend(this.shared.ticker.now)) return
    throw new ConnectionError(ENHANCE_YOUR_CALM, 'too many frames that do nothing')
  }

  private strayData(streamId: number, length: number): void {
    if (this.isIdle(streamId)) throw protocol('DATA on an idle stream')
    this.countIdle()
    // The pieces are thrown away as they come; an empty frame has none.
    if (!this.isForgotten(streamId) && length >= 0) this.refuse(streamId, STREAM_CLOSED)
  }

  private refuseData(stream: Stream, code: number, why: string): void {
    this.dataStream = undefined
    this.streamError(stream, code, why)
  }

  private headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocol('HEADERS on stream 0')
    this.blockProblem = false
    if ((flags & wire.PADDED) !== 0) {
      if (start === end) throw frameSize('HEADERS')
      const padding = bytes[start++]!
      end -= padding
    }
    if ((flags & wire.PRIORITY_FLAG) !== 0) {
      if (end - start < 5) throw end < start ? protocol('the padding is too long') : frameSize('HEADERS')
      this.blockProblem = (bytes.readUInt32BE(start) & 0x7fffffff) === streamId
      start += 5
    }
    if (end < start) throw protocol('the padding is longer than its frame')
    if ((flags & wire.END_HEADERS) !== 0) return this.complete(streamId, flags, bytes, start, end)
    this.blockStream = streamId
    this.blockFlags = flags
    this.blockSince = this.shared.ticker.now
    this.keep(bytes, start, end)
  }

  private continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    this.keep(bytes, start, end)
    if ((flags & wire.END_HEADERS) === 0) return
    const block = Buffer.concat(this.blockParts, this.blockSize)
    const streamId = this.blockStream
    this.blockStream = this.blockSize = 0
    this.blockParts = []
    this.complete(streamId, this.blockFlags, block, 0, block.length)
  }

  /** A block that never ends must neither fill the memory nor keep us busy (VU#421644). */
  private keep(bytes: Buffer, start: number, end: number): void {
    this.blockSize += end - start
    this.blockParts.push(Buffer.from(bytes.subarray(start, end)))
    const { maxHeaderBytes, maxFields } = this.limits
    if (this.blockSize > 2 * maxHeaderBytes + maxFields * 32 || this.blockParts.length > maxContinuations) {
      throw new ConnectionError(ENHANCE_YOUR_CALM, 'a header block is too large')
    }
  }

  private complete(streamId: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const { block } = this
    block.reset()
    // Even of a stream that is not wanted: the table must stay as the peer has it.
    this.decoder.decode(bytes, start, end, block)
    const endStream = (flags & wire.END_STREAM) !== 0
    const stream = this.streams.get(streamId)
    if (stream !== undefined) {
      if (stream.remoteEnded) return this.streamError(stream, STREAM_CLOSED, 'HEADERS behind the end')
      if (this.blockProblem) return this.malformed(stream, 'a stream depends on itself')
      return this.section(stream, block, endStream)
    }
    this.idleFrames.earn()
    this.unknownStream(streamId, block, endStream, this.blockProblem)
  }

  private priority(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocol('PRIORITY on stream 0')
    this.countIdle()
    const stream = this.streams.get(streamId)
    if (end - start !== 5) return this.streamOrRefuse(stream, streamId, FRAME_SIZE_ERROR, 'PRIORITY')
    // Priorities are gone from HTTP/2 (section 5.3); only this was an error of RFC 7540, section 5.3.1.
    if ((bytes.readUInt32BE(start) & 0x7fffffff) === streamId) {
      this.streamOrRefuse(stream, streamId, PROTOCOL_ERROR, 'a stream depends on itself')
    }
  }

  private streamOrRefuse(stream: Stream | undefined, streamId: number, code: number, why: string): void {
    if (stream !== undefined) this.streamError(stream, code, why)
    // An idle stream cannot be reset (section 6.4).
    else if (this.isIdle(streamId)) throw new ConnectionError(code, why)
    else if (!this.isForgotten(streamId)) this.refuse(streamId, code)
  }

  private rstStream(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw protocol('RST_STREAM on stream 0')
    if (end - start !== 4) throw frameSize('RST_STREAM')
    if (this.isIdle(streamId)) throw protocol('RST_STREAM on an idle stream')
    const stream = this.streams.get(streamId)
    if (stream === undefined) return this.countIdle()
    const code = bytes.readUInt32BE(start)
    const error = this.resetError(code)
    this.remove(stream, error)
    stream.sink.failed(error, code)
    this.countReset()
  }

  private settings(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocol('SETTINGS on a stream')
    if ((flags & wire.ACK) !== 0) {
      if (end !== start) throw frameSize('SETTINGS')
      if (this.settingsSent-- <= 0) this.countIdle()
      return
    }
    if ((end - start) % 6 !== 0) throw frameSize('SETTINGS')
    this.countIdle()
    const { peer } = this
    const before = peer.initialWindow
    peer.apply(bytes, start, end, !this.isServer)
    this.encoder.resize(peer.headerTableSize)
    if (!this.adjustWindows(peer.initialWindow - before)) {
      throw new ConnectionError(FLOW_CONTROL_ERROR, 'the initial window overflows a stream')
    }
    this.output.settingsAck()
    this.schedule()
    this.settled = true
    this.settingsCame()
  }

  private ping(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocol('PING on a stream')
    if (end - start !== 8) throw frameSize('PING')
    if ((flags & wire.ACK) !== 0) {
      this.pong(bytes, start)
      return
    }
    this.countIdle()
    this.output.ping(true, bytes, start)
    this.schedule()
  }

  private goaway(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw protocol('GOAWAY on a stream')
    if (end - start < 8) throw frameSize('GOAWAY')
    this.countIdle()
    this.goesAway(bytes.readUInt32BE(start) & 0x7fffffff, bytes.readUInt32BE(start + 4))
  }

  private windowUpdate(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw frameSize('WINDOW_UPDATE')
    const increment = bytes.readUInt32BE(start) & 0x7fffffff
    if (streamId === 0) {
      if (increment === 0) throw protocol('a window is opened by 0')
      if (this.sendWindow > 0) this.countIdle()
      this.sendWindow += increment
      if (this.sendWindow > wire.maxWindow) {
        throw new ConnectionError(FLOW_CONTROL_ERROR, 'the window of the connection overflows')
      }
      if (this.hasMore()) this.schedule()
      return
    }
    if (this.isIdle(streamId)) throw protocol('WINDOW_UPDATE on an idle stream')
    const stream = this.streams.get(streamId)
    if (increment === 0)
      return this.streamOrRefuse(stream, streamId, PROTOCOL_ERROR, 'a window is opened by 0')
    if (stream === undefined || stream.localEnded) return this.countIdle()
    if (stream.sendWindow > 0 && stream.backlog === 0) this.countIdle()
    stream.sendWindow += increment
    if (stream.sendWindow > wire.maxWindow) {
      return this.streamError(stream, FLOW_CONTROL_ERROR, 'the window of the stream overflows')
    }
    if (stream.backlog > 0) this.ready(stream)
  }

  /** What a RST_STREAM of this code means to whoever uses the stream. */
  protected abstract resetError(code: number): WireError
  /** A header section on an open stream. */
  protected abstract section(stream: Stream, block: HeaderBlock, endStream: boolean): void
  /** HEADERS on a stream that is not open. */
  protected abstract unknownStream(id: number, block: HeaderBlock, endStream: boolean, selfish: boolean): void
  /** Whether nobody has used this stream yet (section 5.1.1). */
  protected abstract isIdle(streamId: number): boolean
  protected abstract settingsCame(): void
  protected abstract pong(bytes: Buffer, start: number): void
  protected abstract goesAway(lastStreamId: number, code: number): void
}

function protocol(message: string): ConnectionError {
  return new ConnectionError(PROTOCOL_ERROR, message)
}

function frameSize(type: string): ConnectionError {
  return new ConnectionError(FRAME_SIZE_ERROR, `a ${type} frame has a wrong size`)
}
