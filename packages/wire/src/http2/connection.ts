import type { Duplex } from 'node:stream'
import { WireError } from '../error.ts'
import {
  ConnectionError,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  INTERNAL_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  SETTINGS_TIMEOUT,
} from './errors.ts'
import * as wire from './frames/constants.ts'
import { FrameReader } from './frames/reader.ts'
import type { FrameSink } from './frames/reader.ts'
import { frameSize, Inbound, protocol } from './inbound.ts'
import type { ConnectionLimits } from './inbound.ts'
import type { Shared } from './link.ts'
import { connectionWindow } from './multiplexer.ts'
import type { Stream } from './stream.ts'

/** Payload of DATA between two of us: a quarter of the frames, half the time. */
const largeFrames = 64 * 1024

const pingMark = Buffer.from('are you?')

/** Nobody needs to open a window by less. */
const tinyIncrement = 256

/** Reads frames and keeps the rules of RFC 9113 that both sides share. */
export abstract class Connection extends Inbound implements FrameSink {
  private readonly reader: FrameReader
  private readonly isServer: boolean
  private readonly openedAt: number
  private settingsSent = 1
  private heardAt: number
  private pingedAt = -1
  /** PINGs since the last time that somebody reset this. */
  protected probes = 0

  constructor(socket: Duplex, shared: Shared, limits: ConnectionLimits, isServer: boolean) {
    super(socket, shared, limits)
    this.isServer = isServer
    this.openedAt = this.heardAt = shared.ticker.now
    this.reader = new FrameReader(this, isServer)
    const listSize = limits.maxHeaderBytes + limits.maxFields * 32
    const settings = [wire.MAX_HEADER_LIST_SIZE, listSize]
    if (isServer) settings.push(wire.MAX_CONCURRENT_STREAMS, limits.maxStreams)
    else {
      this.output.raw(wire.preface)
      settings.push(wire.ENABLE_PUSH, 0, wire.MAX_FRAME_SIZE, largeFrames)
      this.reader.maxFrameSize = largeFrames
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

  override tick(now: number): void {
    super.tick(now)
    if (this.closing || this.gone) return
    const { headerTimeoutMs } = this.limits
    if (!this.settled && now - this.openedAt > headerTimeoutMs) {
      this.close(SETTINGS_TIMEOUT, 'no preface and SETTINGS came in time')
    } else if (this.blockStream !== 0 && now - this.blockSince > headerTimeoutMs) {
      this.close(ENHANCE_YOUR_CALM, 'a header block did not end in time')
    } else this.probe(now)
  }

  /** How long a peer may say nothing before it is asked (section 6.7). */
  protected probeAfter(pingAfterMs: number): number {
    return pingAfterMs
  }

  /** Finds out whether a silent peer lives: one that hangs, or whose machine is gone, ends no connection. */
  private probe(now: number): void {
    const { pingAfterMs, pingTimeoutMs } = this.limits
    if (this.pingedAt >= 0) {
      if (now - this.pingedAt > pingTimeoutMs) this.destroy()
    } else if (
      this.streams.size > 0 &&
      pingAfterMs > 0 &&
      now - this.heardAt > this.probeAfter(pingAfterMs)
    ) {
      this.probes++
      this.pingedAt = now
      this.output.ping(false, pingMark, 0)
      this.schedule()
    }
  }

  protected override receive(chunk: Buffer): void {
    this.heardAt = this.shared.ticker.now
    this.pingedAt = -1
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
    this.failAll(new WireError('RESET', this.brokenText(cause), { cause, sent: true }), NO_ERROR)
  }

  protected brokenText(_cause: Error | undefined): string {
    return 'the connection broke'
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
    if (this.isServer && !this.settled && peer.maxFrameSize >= largeFrames) this.offerLargeFrames()
    this.settled = true
    this.settingsCame()
  }

  /** A client that takes large frames may send them too; others keep to the default, which suits them. */
  private offerLargeFrames(): void {
    this.reader.maxFrameSize = largeFrames
    this.output.settings([wire.MAX_FRAME_SIZE, largeFrames])
    this.settingsSent++
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
    // Larger ones are the peer's right, however many: it read as much.
    if (increment < tinyIncrement) this.countIdle()
    if (streamId !== 0) return this.streamWindowUpdate(streamId, increment)
    if (increment === 0) throw protocol('a window is opened by 0')
    this.sendWindow += increment
    if (this.sendWindow > wire.maxWindow) {
      throw new ConnectionError(FLOW_CONTROL_ERROR, 'the window of the connection overflows')
    }
    if (this.hasMore()) this.schedule()
  }

  private streamWindowUpdate(streamId: number, increment: number): void {
    if (this.isIdle(streamId)) throw protocol('WINDOW_UPDATE on an idle stream')
    const stream = this.streams.get(streamId)
    if (increment === 0)
      return this.streamOrRefuse(stream, streamId, PROTOCOL_ERROR, 'a window is opened by 0')
    // It may cross our last frame.
    if (stream === undefined || stream.localEnded) return
    stream.sendWindow += increment
    if (stream.sendWindow > wire.maxWindow) {
      return this.streamError(stream, FLOW_CONTROL_ERROR, 'the window of the stream overflows')
    }
    if (stream.backlog > 0) this.ready(stream)
  }

  /** What a RST_STREAM of this code means to whoever uses the stream. */
  protected abstract resetError(code: number): WireError
  protected abstract settingsCame(): void
  protected abstract pong(bytes: Buffer, start: number): void
  protected abstract goesAway(lastStreamId: number, code: number): void
}
