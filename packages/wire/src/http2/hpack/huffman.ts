import { COMPRESSION_ERROR, ConnectionError } from '../errors.ts'
import { codeLengths } from './huffman-lengths.ts'

const endOfString = 256
const codes = assignCodes()

/**
 * The decoder reads four bits at a time. A cell, at `state * 16 + bits`, holds the next state, and if a symbol
 * is complete the symbol; no code is shorter than five bits, so there is at most one.
 */
const hasSymbol = 0x10000
const failed = 0x20000
const cells = new Uint32Array(256 * 16)
/** States in which a string may end: fewer than eight bits into the code of the end of a string, all ones. */
const mayEnd = new Uint8Array(256)
buildDecoder()

let scratch: Buffer = Buffer.allocUnsafeSlow(1024)

/** Canonical codes from their lengths. */
function assignCodes(): Uint32Array {
  const assigned = new Uint32Array(codeLengths.length)
  let code = 0
  for (let length = 1; length <= 30; length++) {
    for (let symbol = 0; symbol <= endOfString; symbol++) {
      if (codeLengths[symbol] === length) assigned[symbol] = code++
    }
    code *= 2
  }
  return assigned
}

function buildDecoder(): void {
  // The tree: `children[node * 2 + bit]` is another node, or 1000 + symbol; -1 while unknown.
  const children: number[] = [-1, -1]
  for (let symbol = 0; symbol <= endOfString; symbol++) {
    let node = 0
    for (let bit = codeLengths[symbol]! - 1; bit >= 0; bit--) {
      const slot = node * 2 + ((codes[symbol]! >>> bit) & 1)
      if (bit === 0) children[slot] = 1000 + symbol
      else {
        if (children[slot] === -1) {
          children[slot] = children.length / 2
          children.push(-1, -1)
        }
        node = children[slot]!
      }
    }
  }
  for (let state = 0; state < 256; state++) {
    for (let bits = 0; bits < 16; bits++) cells[state * 16 + bits] = walk(children, state, bits)
  }
  for (let node = 0, depth = 0; depth < 8; depth++) {
    mayEnd[node] = 1
    node = children[node * 2 + 1]!
  }
}

function walk(children: number[], state: number, bits: number): number {
  let node = state
  let symbol = 0
  for (let bit = 3; bit >= 0; bit--) {
    node = children[node * 2 + ((bits >>> bit) & 1)]!
    if (node < 1000) continue
    if (node === 1000 + endOfString) return failed
    symbol = hasSymbol | ((node - 1000) << 8)
    node = 0
  }
  return symbol | node
}

/**
 * Decodes `bytes[start..end)` into {@link huffmanOutput}.
 * @returns the number of bytes that came out
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): number {
  // The shortest code has five bits.
  if (scratch.length < (end - start) * 2) scratch = Buffer.allocUnsafeSlow((end - start) * 2)
  const out = scratch
  let state = 0
  let length = 0
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!
    let cell = cells[(state << 4) | (byte >>> 4)]!
    if (cell >= hasSymbol) {
      if (cell >= failed) throw badString()
      out[length++] = (cell >>> 8) & 0xff
    }
    cell = cells[((cell & 0xff) << 4) | (byte & 15)]!
    if (cell >= hasSymbol) {
      if (cell >= failed) throw badString()
      out[length++] = (cell >>> 8) & 0xff
    }
    state = cell & 0xff
  }
  // RFC 7541, section 5.2: padding is shorter than a byte and all ones.
  if (mayEnd[state] === 0) throw badString()
  return length
}

/** What the last {@link decodeHuffman} wrote; overwritten by the next. */
export function huffmanOutput(): Buffer {
  return scratch
}

/** Bytes that a one-byte-a-character string takes. */
export function huffmanLength(text: string): number {
  let bits = 7
  for (let index = 0; index < text.length; index++) bits += codeLengths[text.charCodeAt(index) & 0xff]!
  return bits >>> 3
}

/** Writes `text` and returns the position behind it. */
export function encodeHuffman(text: string, out: Uint8Array, at: number): number {
  let rest = 0
  let bits = 0
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index) & 0xff
    let length = codeLengths[symbol]!
    let code = codes[symbol]!
    if (length > 24) {
      // In two parts: with up to seven bits left over it would not fit into 32.
      const high = length - 16
      rest = (rest << high) | (code >>> 16)
      for (bits += high; bits >= 8; bits -= 8) out[at++] = rest >>> (bits - 8)
      rest &= (1 << bits) - 1
      code &= 0xffff
      length = 16
    }
    rest = (rest << length) | code
    for (bits += length; bits >= 8; bits -= 8) out[at++] = rest >>> (bits - 8)
    rest &= (1 << bits) - 1
  }
  if (bits > 0) out[at++] = (rest << (8 - bits)) | (0xff >>> bits)
  return at
}

function badString(): ConnectionError {
  return new ConnectionError(COMPRESSION_ERROR, 'a Huffman-coded string is not valid')
}
