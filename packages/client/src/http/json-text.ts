/**
 * Finds values in JSON text as they are written, so that what was saved comes out byte for byte. Only for text that
 * `JSON.parse` has accepted.
 */
export type Members = ReadonlyMap<string, string>

/** The elements of an array, each as its text. */
export function elementsOf(text: string): string[] {
  const found: string[] = []
  walk(text, '[', (from, to) => found.push(text.slice(from, to)))
  return found
}

/** The members of an object, each value as its text. */
export function membersOf(text: string): Members {
  const found = new Map<string, string>()
  walk(text, '{', (from, to, name) => found.set(name!, text.slice(from, to)))
  return found
}

const space = /\s*/y
const scalar = /[^\s,\]}]+/y

function walk(
  text: string,
  open: '[' | '{',
  each: (from: number, to: number, name: string | undefined) => void,
): void {
  let at = skip(text, 0, space)
  if (text[at] !== open) return
  at = skip(text, at + 1, space)
  while (at < text.length && text[at] !== ']' && text[at] !== '}') {
    let name: string | undefined
    if (open === '{') {
      const end = endOfString(text, at)
      name = JSON.parse(text.slice(at, end)) as string
      // Behind the colon.
      at = skip(text, skip(text, end, space) + 1, space)
    }
    const end = endOfValue(text, at)
    each(at, end, name)
    at = skip(text, end, space)
    if (text[at] === ',') at = skip(text, at + 1, space)
  }
}

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at
  pattern.test(text)
  return Math.max(at, pattern.lastIndex)
}

function endOfString(text: string, at: number): number {
  for (let index = at + 1; ; index++) {
    const char = text[index]
    if (char === '\\') index++
    else if (char === '"' || char === undefined) return index + 1
  }
}

function endOfValue(text: string, at: number): number {
  const first = text[at]
  if (first === '"') return endOfString(text, at)
  if (first !== '{' && first !== '[') return skip(text, at, scalar)
  let depth = 0
  for (let index = at; index < text.length; index++) {
    const char = text[index]
    if (char === '"') index = endOfString(text, index) - 1
    else if (char === '{' || char === '[') depth++
    else if ((char === '}' || char === ']') && --depth === 0) return index + 1
  }
  return text.length
}
