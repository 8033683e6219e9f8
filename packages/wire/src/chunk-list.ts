/** Smaller chunks are copied together: as objects of their own they would cost far more than their bytes. */
const small = 1024
const blockSize = 8 * 1024

/** Bytes that arrived in pieces. */
export class ChunkList {
  /** Bytes in the list. */
  size = 0
  private chunks: Uint8Array[] = []
  private block: Buffer | undefined
  /** What of the block is used, and from where on it is not in `chunks` yet. */
  private used = 0
  private begun = 0

  push(chunk: Uint8Array): void {
    const { length } = chunk
    if (length === 0) return
    const first = this.size === 0
    this.size += length
    if (length >= small || first) {
      this.seal()
      this.chunks.push(chunk)
      return
    }
    if (this.block === undefined || blockSize - this.used < length) {
      this.seal()
      this.block = Buffer.allocUnsafeSlow(blockSize)
      this.used = this.begun = 0
    }
    this.block.set(chunk, this.used)
    this.used += length
  }

  shift(): Uint8Array | undefined {
    this.seal()
    const chunk = this.chunks.shift()
    if (chunk !== undefined) this.size -= chunk.length
    return chunk
  }

  /** All of it, in one piece. The list is empty afterwards. */
  take(): Uint8Array {
    this.seal()
    const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.size)
    this.clear()
    return all
  }

  clear(): void {
    this.chunks = []
    this.size = this.used = this.begun = 0
    this.block = undefined
  }

  private seal(): void {
    if (this.block === undefined || this.used === this.begun) return
    this.chunks.push(this.block.subarray(this.begun, this.used))
    this.begun = this.used
  }
}
