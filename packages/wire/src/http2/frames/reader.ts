import { ConnectionError, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from '../errors.ts'
import { DATA, defaultFrameSize, frameHeaderBytes, PADDED, preface } from './constants.ts'

/** Takes what a {@link FrameReader} finds. */
export interface FrameSink {
  /** A frame other than DATA. The payload is `bytes[start..end)`, valid during the call only. */
  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void
  /** The head of a DATA frame; `length` counts the padding too. */
  dataBegin(streamId: number, length: number): void
  /** A piece of that frame's data, as it arrives. */
  dataPiece(piece: Buffer): void
  /** The end of that frame. */
  dataEnd(flags: number, padding: number): void
}

/**
 * Finds frames in the chunks of a connection (RFC 9113, section 4.1). Nothing is copied but frames that are cut by the end of a chunk,
 * and DATA is passed on as it comes, without waiting for the rest of its frame.
 */
export class FrameReader {
  /** Most bytes of a payload, as our SETTINGS say. */
  maxFrameSize: number = defaultFrameSize
  private readonly sink: FrameSink
  private prefaceLeft: number
  private inData = false
  private dataLeft = 0
  private padding = 0
  private paddingLeft = 0
  private dataFlags = 0
  /** The beginning of a frame whose rest is still to come: `held` bytes of the `needed` are there. */
  private store: Buffer | undefined
  private held = 0
  private needed = 0

  constructor(sink: FrameSink, expectPreface: boolean) {
    this.sink = sink
    this.prefaceLeft = expectPreface ? preface.length : 0
  }

  /** Whether the peer has sent the connection preface. */
  get begun(): boolean {
    return this.prefaceLeft === 0
  }

  push(chunk: Buffer): void {
    let at = this.prefaceLeft > 0 ? this.readPreface(chunk) : 0
    const end = chunk.length
    while (at < end) {
      if (this.inData) at = this.readData(chunk, at)
      else if (this.store !== undefined) at = this.fill(this.store, chunk, at)
      else {
        const used = this.readFrame(chunk, at, end)
        if (used === 0) {
          this.hold(chunk, at, end)
          return
        }
        at += used
      }
    }
  }

  private readPreface(chunk: Buffer): number {
    let at = 0
    while (at < chunk.length && this.prefaceLeft > 0) {
      if (chunk[at++] !== preface[preface.length - this.prefaceLeft--]) {
        throw new ConnectionError(PROTOCOL_ERROR, 'the connection does not begin with the preface of HTTP/2')
      }
    }
    return at
  }

  /** Reads one frame at `at`. Returns its size (of DATA, its head only), or 0 when it is not complete. */
  private readFrame(bytes: Buffer, at: number, end: number): number {
    if (end - at < frameHeaderBytes) return 0
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    if (length > this.maxFrameSize) {
      throw new ConnectionError(FRAME_SIZE_ERROR, `a frame of ${length} bytes exceeds the setting`)
    }
    const type = bytes[at + 3]!
    const flags = bytes[at + 4]!
    const streamId =
      ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!
    const payload = at + frameHeaderBytes
    if (type === DATA) return this.readDataHead(bytes, payload, end, length, flags, streamId)
    if (end - payload < length) return 0
    this.sink.frame(type, flags, streamId, bytes, payload, payload + length)
    return frameHeaderBytes + length
  }

  private readDataHead(
    bytes: Buffer,
    at: number,
    end: number,
    length: number,
    flags: number,
    streamId: number,
  ): number {
    let head = frameHeaderBytes
    this.padding = this.paddingLeft = 0
    this.dataLeft = length
    if ((flags & PADDED) !== 0) {
      if (length === 0) throw new ConnectionError(FRAME_SIZE_ERROR, 'a padded frame has no padding length')
      if (at === end) return 0
      const padding = bytes[at]!
      if (padding >= length) throw new ConnectionError(PROTOCOL_ERROR, 'the padding is longer than its frame')
      head++
      this.padding = padding + 1
      this.paddingLeft = padding
      this.dataLeft = length - padding - 1
    }
    this.dataFlags = flags
    this.sink.dataBegin(streamId, length)
    if (this.dataLeft + this.paddingLeft > 0) this.inData = true
    else this.sink.dataEnd(flags, this.padding)
    return head
  }

  private readData(chunk: Buffer, at: number): number {
    const end = chunk.length
    if (this.dataLeft > 0) {
      const stop = Math.min(end, at + this.dataLeft)
      this.dataLeft -= stop - at
      this.sink.dataPiece(at === 0 && stop === end ? chunk : chunk.subarray(at, stop))
      at = stop
    }
    if (this.dataLeft > 0) return at
    const skipped = Math.min(end - at, this.paddingLeft)
    this.paddingLeft -= skipped
    if (this.paddingLeft > 0) return end
    this.inData = false
    this.sink.dataEnd(this.dataFlags, this.padding)
    return at + skipped
  }

  /** Keeps the beginning of a frame. */
  private hold(bytes: Buffer, at: number, end: number): void {
    this.needed = neededBytes(bytes, at, end)
    this.store = Buffer.allocUnsafe(this.needed)
    this.held = bytes.copy(this.store, 0, at, end)
  }

  /** Adds to the beginning that was kept. Returns the position behind what it took. */
  private fill(store: Buffer, chunk: Buffer, at: number): number {
    const stop = Math.min(chunk.length, at + this.needed - this.held)
    this.held += chunk.copy(store, this.held, at, stop)
    if (this.held < this.needed) return stop
    if (this.readFrame(store, 0, this.held) > 0) this.store = undefined
    // Only its length was known now.
    else this.hold(store, 0, this.held)
    return stop
  }
}

/** How many bytes there must be before the frame that begins at `at` can be read. */
function neededBytes(bytes: Buffer, at: number, end: number): number {
  if (end - at < frameHeaderBytes) return frameHeaderBytes
  // Of DATA all but the length of the padding is already there.
  if (bytes[at + 3] === DATA) return frameHeaderBytes + 1
  return frameHeaderBytes + ((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!)
}
