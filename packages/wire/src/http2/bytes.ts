/** Buffer's own methods for one encoding: the public ones look the encoding up on every call. */
interface Quick {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, start: number, length: number): number
  utf8Write(this: Uint8Array, text: string, start: number, length: number): number
}

const quick = Buffer.prototype as unknown as Quick

/** A string with one character for each byte. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  return quick.latin1Slice.call(bytes, start, end)
}

/** Writes one byte for each character and returns the position behind them. */
export function writeLatin1(bytes: Uint8Array, text: string, at: number): number {
  const { length } = text
  // Below this a loop is faster than the call into native code.
  if (length > 16) return at + quick.latin1Write.call(bytes, text, at, length)
  for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index)
  return at + length
}

/** Writes UTF-8; `length` is what `Buffer.byteLength` says of the text. */
export function writeUtf8(bytes: Uint8Array, text: string, at: number, length: number): void {
  quick.utf8Write.call(bytes, text, at, length)
}
