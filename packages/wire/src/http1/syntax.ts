/** Whether each byte may stand where the name says; tables, as every byte of a head is looked up in one of them. */
type ByteTable = Uint8Array

function table(allowed: (byte: number) => boolean): ByteTable {
  return Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte) ? 1 : 0))
}

function characters(text: string): (byte: number) => boolean {
  return (byte) =>
    byte < 0x80 && (/[0-9A-Za-z]/.test(String.fromCharCode(byte)) || text.includes(String.fromCharCode(byte)))
}

/** Methods and field names (RFC 9110, section 5.6.2). */
export const tokenBytes: ByteTable = table(characters("!#$%&'*+-.^_`|~"))

/** Field values: HTAB, SP, visible ASCII and the bytes above it (RFC 9110, section 5.5). */
export const valueBytes: ByteTable = table((byte) => byte === 9 || (byte >= 0x20 && byte !== 0x7f))

/** Request targets: visible ASCII. A fragment is no part of one (RFC 9112, section 3.2). */
export const targetBytes: ByteTable = table((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23)

/** `Host`: name or address in brackets, and port (RFC 3986, section 3.2.2). */
export const hostBytes: ByteTable = table(characters("-._~%!$&'()*+,;=:[]"))

export const SP = 32
export const HTAB = 9
export const CR = 13
export const LF = 10
export const COLON = 58

const latin1Slice = (
  Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, start: number, end: number): string }
).latin1Slice

/** A string with one character for each byte. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.byteLength): string {
  return latin1Slice.call(bytes, start, end)
}

/** Compares bytes with a word in lower case, letters in either case. `-` is the only other character allowed. */
export function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false
  for (let index = 0; index < word.length; index++) {
    if ((bytes[start + index]! | 0x20) !== word.charCodeAt(index)) return false
  }
  return true
}
