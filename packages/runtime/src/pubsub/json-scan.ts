/** Where a member's value lies in the text of a JSON object. */
export interface Span {
  /** Of the member's name, with its quotes. */
  readonly from: number
  readonly start: number
  readonly end: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/**
 * Finds the members of a JSON object in UTF-8 without looking into their values, so that numbers are never read
 * and large data is never built as objects. Of a name that occurs twice the last one holds, as in JSON.parse.
 * Returns `undefined` for what is not one object; faults inside nested values are not seen.
 */
export function scanObject(bytes: Uint8Array): Map<string, Span> | undefined {
  const members = new Map<string, Span>()
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== openBrace) return undefined
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === closeBrace) return skipSpace(bytes, at + 1) === bytes.length ? members : undefined
  for (;;) {
    const from = at
    const afterName = skipString(bytes, at)
    if (afterName < 0) return undefined
    const name = readString(bytes, from, afterName)
    at = skipSpace(bytes, afterName)
    if (name === undefined || bytes[at] !== colon) return undefined
    const start = skipSpace(bytes, at + 1)
    const end = skipValue(bytes, start)
    if (end < 0) return undefined
    members.set(name, { from, start, end })
    at = skipSpace(bytes, end)
    if (bytes[at] === closeBrace) return skipSpace(bytes, at + 1) === bytes.length ? members : undefined
    if (bytes[at] !== comma) return undefined
    at = skipSpace(bytes, at + 1)
  }
}

/** The string that a JSON string means; `undefined` when it is none. */
export function readString(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (bytes[start] !== quote) return undefined
  try {
    return JSON.parse(textOf(bytes, start, end)) as string
  } catch {
    return undefined
  }
}

export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
  }
  return at
}

/** The place after the string that begins at `start`, or -1. */
function skipString(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== quote) return -1
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) return at + 1
    if (byte === backslash) at++
  }
  return -1
}

/** The place after the value that begins at `start`, or -1. */
function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === quote) return skipString(bytes, start)
  if (first === openBrace || first === openBracket) return skipNested(bytes, start)
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === comma || byte === closeBrace || byte <= 0x20) break
  }
  return isScalar(bytes, start, at) ? at : -1
}

function skipNested(bytes: Uint8Array, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      at = skipString(bytes, at) - 1
      if (at < 0) return -1
    } else if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) {
      depth--
      if (depth === 0) return at + 1
    }
  }
  return -1
}

/** Longest number that is taken for one. */
const maxScalarBytes = 1024
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

function isScalar(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && end - start <= maxScalarBytes && scalar.test(textOf(bytes, start, end))
}
