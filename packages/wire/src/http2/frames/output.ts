import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frameHeaderBytes,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './constants.ts'

const blockSize = 32 * 1024
const maxFree = 64
/** Data up to this size is copied beside its head; longer pieces are passed on as they are. */
const copyLimit = 4096

/** Blocks that several connections share: an idle connection holds none. */
export class BlockPool {
  private readonly free: Buffer[] = []

  take(atLeast: number): Buffer {
    if (atLeast > blockSize) return Buffer.allocUnsafeSlow(atLeast)
    return this.free.pop() ?? Buffer.allocUnsafeSlow(blockSize)
  }

  give(block: Buffer): void {
    if (block.length === blockSize && this.free.length < maxFree) this.free.push(block)
  }
}

const nothing = Buffer.alloc(0)

/** Frames that wait to be written, all together. */
export class Output {
  /** The block that is being filled, and the position in it. */
  bytes: Buffer = nothing
  at = 0
  /** Bytes that wait. */
  private closed = 0
  private readonly pool: BlockPool
  /** Where that part of the block begins which is not in `parts`. */
  private from = 0
  private parts: Uint8Array[] = []
  private blocks: Buffer[] = []
  private inFlight: Buffer[] = []

  constructor(pool: BlockPool) {
    this.pool = pool
  }

  get size(): number {
    return this.closed + this.at - this.from
  }

  /** Makes room for `count` bytes at `at`. */
  reserve(count: number): void {
    if (this.bytes.length - this.at >= count) return
    this.closePart()
    this.bytes = this.pool.take(count)
    this.blocks.push(this.bytes)
    this.at = this.from = 0
  }

  /** Hands over what is to be written; it stays untouched until {@link written}. */
  take(): Uint8Array[] {
    this.closePart()
    const { parts } = this
    this.parts = []
    this.inFlight = this.blocks
    this.blocks = []
    this.bytes = nothing
    this.at = this.from = this.closed = 0
    return parts
  }

  /** What was taken last has been written: its blocks can be used again. */
  written(): void {
    for (const block of this.inFlight) this.pool.give(block)
    this.inFlight = []
  }

  /** Begins a header block of at most `room` bytes; it is written from the returned position on. */
  openHeaders(room: number): number {
    this.reserve(room + frameHeaderBytes)
    return this.at + frameHeaderBytes
  }

  /** Ends the header block that {@link openHeaders} began. */
  closeHeaders(streamId: number, end: number, endStream: boolean, maxFrameSize: number): void {
    const start = this.at + frameHeaderBytes
    const length = end - start
    const flags = endStream ? END_STREAM : 0
    if (length <= maxFrameSize) {
      this.head(length, HEADERS, flags | END_HEADERS, streamId)
      this.at = end
      return
    }
    const block = Buffer.from(this.bytes.subarray(start, end))
    for (let at = 0; at < length; at += maxFrameSize) {
      const piece = block.subarray(at, at + maxFrameSize)
      const last = at + piece.length === length ? END_HEADERS : 0
      this.reserve(frameHeaderBytes + piece.length)
      this.head(piece.length, at === 0 ? HEADERS : CONTINUATION, last | (at === 0 ? flags : 0), streamId)
      this.at += piece.copy(this.bytes, this.at)
    }
  }

  data(streamId: number, chunk: Uint8Array, endStream: boolean): void {
    const { length } = chunk
    const flags = endStream ? END_STREAM : 0
    if (length <= copyLimit) {
      this.reserve(frameHeaderBytes + length)
      this.head(length, DATA, flags, streamId)
      this.bytes.set(chunk, this.at)
      this.at += length
      return
    }
    this.reserve(frameHeaderBytes)
    this.head(length, DATA, flags, streamId)
    this.closePart()
    this.parts.push(chunk)
    this.closed += length
  }

  /** `values`: identifiers and values in turn. */
  settings(values: readonly number[]): void {
    this.reserve(frameHeaderBytes + values.length * 3)
    this.head(values.length * 3, SETTINGS, 0, 0)
    for (let index = 0; index < values.length; index += 2) {
      this.bytes.writeUInt16BE(values[index]!, this.at)
      this.bytes.writeUInt32BE(values[index + 1]!, this.at + 2)
      this.at += 6
    }
  }

  settingsAck(): void {
    this.reserve(frameHeaderBytes)
    this.head(0, SETTINGS, ACK, 0)
  }

  /** `payload[start..start + 8)`. */
  ping(ack: boolean, payload: Uint8Array, start: number): void {
    this.reserve(frameHeaderBytes + 8)
    this.head(8, PING, ack ? ACK : 0, 0)
    for (let index = 0; index < 8; index++) this.bytes[this.at++] = payload[start + index]!
  }

  goaway(lastStreamId: number, code: number, message: string): void {
    const debug = Buffer.from(message)
    this.reserve(frameHeaderBytes + 8 + debug.length)
    this.head(8 + debug.length, GOAWAY, 0, 0)
    this.uint32(lastStreamId)
    this.uint32(code)
    this.at += debug.copy(this.bytes, this.at)
  }

  reset(streamId: number, code: number): void {
    this.reserve(frameHeaderBytes + 4)
    this.head(4, RST_STREAM, 0, streamId)
    this.uint32(code)
  }

  windowUpdate(streamId: number, increment: number): void {
    this.reserve(frameHeaderBytes + 4)
    this.head(4, WINDOW_UPDATE, 0, streamId)
    this.uint32(increment)
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  private head(length: number, type: number, flags: number, streamId: number): void {
    const { bytes } = this
    let { at } = this
    bytes[at++] = length >>> 16
    bytes[at++] = length >>> 8
    bytes[at++] = length
    bytes[at++] = type
    bytes[at++] = flags
    bytes[at++] = streamId >>> 24
    bytes[at++] = streamId >>> 16
    bytes[at++] = streamId >>> 8
    bytes[at++] = streamId
    this.at = at
  }

  private uint32(value: number): void {
    this.bytes.writeUInt32BE(value, this.at)
    this.at += 4
  }

  private closePart(): void {
    if (this.at === this.from) return
    this.parts.push(this.bytes.subarray(this.from, this.at))
    this.closed += this.at - this.from
    this.from = this.at
  }
}
