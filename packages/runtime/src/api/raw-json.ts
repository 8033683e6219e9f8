/**
 * Finds members and elements in JSON text without losing how their values were written:
 * numbers stay digit for digit. Works only on text that `JSON.parse` has accepted.
 */

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

function skipSpace(text: string, at: number): number {
  let code = text.charCodeAt(at)
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++at)
  return at
}

/** From the opening quote to behind the closing one. */
function skipString(text: string, at: number): number {
  for (;;) {
    at = text.indexOf('"', at + 1)
    let slashes = at
    while (text.charCodeAt(slashes - 1) === backslash) slashes--
    if (((at - slashes) & 1) === 0) return at + 1
  }
}

/** From the first character of a value to behind its last. */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === quote) return skipString(text, at)
  if (first !== openBrace && first !== openBracket) {
    // A number, true, false or null ends at a delimiter, white space or the end.
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === comma || code === closeBrace || code === closeBracket || code <= 0x20) break
    }
    return at
  }
  let depth = 0
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = skipString(text, at)
      continue
    }
    if (code === openBrace || code === openBracket) depth++
    else if ((code === closeBrace || code === closeBracket) && --depth === 0) return at + 1
    at++
  }
}

/**
 * The text of the member `name`, in upper or lower case, of the object that begins at `at`; the last one of that name.
 * `undefined` where there is none.
 */
export function rawMember(text: string, name: string, at = 0): { start: number; end: number } | undefined {
  at = skipSpace(text, at)
  if (text.charCodeAt(at) !== openBrace) return undefined
  let found: { start: number; end: number } | undefined
  at = skipSpace(text, at + 1)
  while (text.charCodeAt(at) === quote) {
    const nameStart = at
    at = skipString(text, at)
    const matches = sameName(text, nameStart, at, name)
    at = skipSpace(text, at)
    if (text.charCodeAt(at) === colon) at = skipSpace(text, at + 1)
    const end = skipValue(text, at)
    if (matches) found = { start: at, end }
    at = skipSpace(text, end)
    if (text.charCodeAt(at) !== comma) break
    at = skipSpace(text, at + 1)
  }
  return found
}

function sameName(text: string, start: number, end: number, name: string): boolean {
  const raw = text.slice(start + 1, end - 1)
  if (raw === name) return true
  const given = raw.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : raw
  return given.length === name.length && given.toLowerCase() === name.toLowerCase()
}

/** Where each element of the array that begins at `at` starts. */
export function rawElements(text: string, at = 0): number[] {
  const starts: number[] = []
  at = skipSpace(text, at)
  if (text.charCodeAt(at) !== openBracket) return starts
  at = skipSpace(text, at + 1)
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    starts.push(at)
    at = skipSpace(text, skipValue(text, at))
    if (text.charCodeAt(at) !== comma) break
    at = skipSpace(text, at + 1)
  }
  return starts
}
