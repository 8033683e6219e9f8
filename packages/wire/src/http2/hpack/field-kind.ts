/**
 * What a field name means to HTTP/2 itself. Found once for each name; tables remember it, so a field that
 * repeats is not looked at again.
 */
export const PLAIN = 0
export const METHOD = 1
export const SCHEME = 2
export const AUTHORITY = 3
export const PATH = 4
export const STATUS = 5
export const PROTOCOL = 6
export const CONTENT_LENGTH = 7
export const TE = 8
export const COOKIE = 9
export const HOST = 10
/** Not allowed in HTTP/2 (RFC 9113, section 8.2.2). */
export const CONNECTION_SPECIFIC = 11
/** A pseudo-header field that nobody defined. */
export const UNKNOWN_PSEUDO = 12
/** A character that no name, or no value, may have (RFC 9113, section 8.2.1). */
export const INVALID = 13
/** A field without meaning to HTTP/2, whose value has blanks at its ends. */
export const PADDED = 14

const known: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':scheme', SCHEME],
  [':authority', AUTHORITY],
  [':path', PATH],
  [':status', STATUS],
  [':protocol', PROTOCOL],
  ['content-length', CONTENT_LENGTH],
  ['te', TE],
  ['cookie', COOKIE],
  ['host', HOST],
  ['connection', CONNECTION_SPECIFIC],
  ['keep-alive', CONNECTION_SPECIFIC],
  ['proxy-connection', CONNECTION_SPECIFIC],
  ['transfer-encoding', CONNECTION_SPECIFIC],
  ['upgrade', CONNECTION_SPECIFIC],
])

const nameByte = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") nameByte[char.charCodeAt(0)] = 1

/** Tabs, spaces, visible characters and what is beyond ASCII. */
const valueByte = new Uint8Array(256).fill(1, 0x20)
valueByte[0x09] = 1
valueByte[0x7f] = 0

export function kindOfName(name: string): number {
  const kind = known.get(name)
  if (kind !== undefined) return kind
  if (name.charCodeAt(0) === 58) return UNKNOWN_PSEUDO
  return isToken(name) ? PLAIN : INVALID
}

function isToken(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    if (nameByte[name.charCodeAt(index)] !== 1) return false
  }
  return name.length > 0
}

/** Whether these bytes may be the value of a field; blanks at its ends aside. */
export function isValueBytes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (valueByte[bytes[index]!] === 0) return false
  return true
}

/** Whether a value has blanks at its ends, which it must not have (RFC 9113, section 8.2.1). */
export function isPadded(value: string): boolean {
  return value !== '' && (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1)))
}

/** A value without the blanks at its ends. */
export function unpadded(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start++
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

/** Whether this string may be sent as the value of a field: one byte a character, no control characters. */
export function isValueText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    // Out of the table is `undefined`: a character that is no byte.
    if (valueByte[text.charCodeAt(index)] !== 1) return false
  }
  return true
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09
}
