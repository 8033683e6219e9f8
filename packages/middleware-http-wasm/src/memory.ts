import type { WasmMemory } from './web-assembly.ts'

/** What a module did that it must not: its request ends with an error of the server. */
export class GuestError extends Error {}

/** The memory of a module, with its bounds checked. Addresses and lengths come as signed numbers. */
export class Memory {
  readonly #memory: WasmMemory
  #bytes: Uint8Array

  constructor(memory: WasmMemory) {
    this.#memory = memory
    this.#bytes = new Uint8Array(memory.buffer)
  }

  get #view(): Uint8Array {
    // When a module grows, its memory is another buffer.
    if (this.#bytes.buffer !== this.#memory.buffer) this.#bytes = new Uint8Array(this.#memory.buffer)
    return this.#bytes
  }

  /** A part of it; not a copy. @throws GuestError out of bounds */
  slice(address: number, length: number): Uint8Array {
    const [start, count] = [address >>> 0, length >>> 0]
    if (count > 0 && start + count > this.#view.length)
      throw new GuestError('the module points outside of its memory')
    return this.#view.subarray(start, start + count)
  }

  /** Text of fields and addresses: a byte is a character, as on the wire. */
  text(address: number, length: number): string {
    return Buffer.from(this.slice(address, length)).toString('latin1')
  }

  utf8(address: number, length: number): string {
    return Buffer.from(this.slice(address, length)).toString('utf8')
  }

  /** Writes bytes if they fit into the limit. @returns how many there are; the module may ask again with more room */
  put(address: number, limit: number, bytes: Uint8Array): number {
    if (bytes.length > 0 && bytes.length <= limit >>> 0) this.slice(address, bytes.length).set(bytes)
    return bytes.length
  }

  putText(address: number, limit: number, text: string): number {
    return this.put(address, limit, Buffer.from(text, 'latin1'))
  }

  /** Writes texts, each with a NUL behind it, if all of them fit. @returns their number and length in one */
  putTexts(address: number, limit: number, texts: readonly string[]): bigint {
    const bytes = Buffer.from(texts.map((text) => `${text}\0`).join(''), 'latin1')
    this.put(address, limit, bytes)
    return (BigInt(texts.length) << 32n) | BigInt(bytes.length)
  }

  putUint32(address: number, value: number): void {
    const bytes = this.slice(address, 4)
    new DataView(bytes.buffer, bytes.byteOffset, 4).setUint32(0, value >>> 0, true)
  }

  putUint64(address: number, value: bigint): void {
    const bytes = this.slice(address, 8)
    new DataView(bytes.buffer, bytes.byteOffset, 8).setBigUint64(0, BigInt.asUintN(64, value), true)
  }

  uint32(address: number): number {
    const bytes = this.slice(address, 4)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  }
}
