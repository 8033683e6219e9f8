import type { Duplex } from 'node:stream'
import { WireError } from '../error.ts'
import {
  ConnectionError,
  ENHANCE_YOUR_CALM,
  errorName,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  STREAM_CLOSED,
} from './errors.ts'
import * as wire from './frames/constants.ts'
import { HeaderBlock } from './header-block.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import type { Shared } from './link.ts'
import { Multiplexer } from './multiplexer.ts'
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
  /** A connection with streams from which nothing came for so long is asked by PING whether it lives; 0: never. */
  readonly pingAfterMs: number
  /** How long it may take to say so. */
  readonly pingTimeoutMs: number
}

const maxContinuations = 64

/** What arrives on streams: header sections, which may come in several frames, and data. */
export abstract class Inbound extends Multiplexer {
  protected readonly limits: ConnectionLimits
  /** The highest stream the peer has opened. */
  protected lastPeerStream = 0
  /** Whether the peer's SETTINGS have come. */
  settled = false
  private readonly block: HeaderBlock
  private readonly decoder = new HpackDecoder()
  /** The stream whose header block goes on in CONTINUATION frames, 0 for none. */
  protected blockStream = 0
  private blockFlags = 0
  private blockProblem = false
  private blockParts: Buffer[] = []
  private blockSize = 0
  protected blockSince = 0
  /** The stream of the DATA frame that is being read; undefined when its data is thrown away. */
  private dataStream: Stream | undefined

  constructor(socket: Duplex, shared: Shared, limits: ConnectionLimits) {
    super(socket, shared, limits.writeIdleMs)
    this.limits = limits
    this.block = new HeaderBlock(limits.maxHeaderBytes, limits.maxFields)
  }

  dataBegin(streamId: number, length: number): void {
    if (this.blockStream !== 0) throw protocol('a header block is interrupted by DATA')
    if (!this.settled) throw protocol('the first frame is not SETTINGS')
    if (streamId === 0) throw protocol('DATA on stream 0')
    const stream = this.streams.get(streamId)
    this.dataStream = stream
    if (length > this.receiveWindow) {
      throw new ConnectionError(FLOW_CONTROL_ERROR, 'more data than the window of the connection')
    }
    this.arrived(length)
    if (stream === undefined) return this.strayData(streamId, length)
    if (stream.remoteEnded) return this.refuseData(stream, STREAM_CLOSED, 'data behind its end')
    if (length > stream.receiveWindow) {
      return this.refuseData(stream, FLOW_CONTROL_ERROR, 'more data than the window of the stream')
    }
    stream.receiveWindow -= length
    if (length === 0) this.countIdle()
    else this.earn()
  }

  dataPiece(piece: Buffer): void {
    const stream = this.dataStream
    // Reset in the middle of a frame.
    if (stream === undefined || stream.closed) return
    if (stream.expected >= 0) {
      stream.expected -= piece.length
      if (stream.expected < 0) {
        this.dataStream = undefined
        return this.malformed(stream, 'the body is longer than its content-length')
      }
    }
    stream.sink.data(piece)
  }

  dataEnd(flags: number, padding: number): void {
    const stream = this.dataStream
    this.dataStream = undefined
    if (stream === undefined || stream.closed) return
    if (padding > 0) this.consumed(stream, padding)
    if ((flags & wire.END_STREAM) === 0) return
    this.finishRemote(stream)
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

  protected headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
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

  protected continuation(flags: number, bytes: Buffer, start: number, end: number): void {
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
    // Also of a stream that is not wanted: the table must stay as the peer has it.
    this.decoder.decode(bytes, start, end, block)
    const endStream = (flags & wire.END_STREAM) !== 0
    const stream = this.streams.get(streamId)
    if (stream !== undefined) {
      if (stream.remoteEnded) return this.streamError(stream, STREAM_CLOSED, 'HEADERS behind the end')
      if (this.blockProblem) return this.malformed(stream, 'a stream depends on itself')
      return this.section(stream, block, endStream)
    }
    this.earn()
    this.unknownStream(streamId, block, endStream, this.blockProblem)
  }

  private strayData(streamId: number, length: number): void {
    if (this.isIdle(streamId)) throw protocol('DATA on an idle stream')
    if (this.spendForgotten(streamId, length)) return
    this.countIdle()
    // Its pieces are thrown away as they come.
    if (!this.isForgotten(streamId)) this.refuse(streamId, STREAM_CLOSED)
  }

  private refuseData(stream: Stream, code: number, why: string): void {
    this.dataStream = undefined
    this.streamError(stream, code, why)
  }

  /** A header section on an open stream. */
  protected abstract section(stream: Stream, block: HeaderBlock, endStream: boolean): void
  /** HEADERS on a stream that is not open. */
  protected abstract unknownStream(id: number, block: HeaderBlock, endStream: boolean, selfish: boolean): void
  /** Whether nobody has used this stream yet (section 5.1.1). */
  protected abstract isIdle(streamId: number): boolean
}

export function protocol(message: string): ConnectionError {
  return new ConnectionError(PROTOCOL_ERROR, message)
}

export function frameSize(type: string): ConnectionError {
  return new ConnectionError(FRAME_SIZE_ERROR, `a ${type} frame has a wrong size`)
}
