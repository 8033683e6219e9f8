import { ComponentError } from '@outrigger/spec'

/** A pattern in parts: a literal character, `any` (one character) or `run` (any number of characters). */
type Part = string | typeof any | typeof run
const any = Symbol('any')
const run = Symbol('run')

const longest = 4096

/** A LIKE pattern, prepared. */
export interface Like {
  /** A glob for MATCH that lets through everything that fits, and perhaps more: its `?` is a byte, not a character. */
  readonly glob: string
  fits(key: string): boolean
}

/** Reads `%` (any run of characters), `_` (any one) and `\` (takes the next literally). */
export function like(pattern: string): Like {
  if (pattern === '') throw new ComponentError('INVALID_ARGUMENT', 'the pattern is empty: % fits every key')
  if (pattern.length > longest) {
    throw new ComponentError('INVALID_ARGUMENT', `the pattern is longer than ${longest} characters`)
  }
  const parts: Part[] = []
  let literal = false
  for (const character of pattern) {
    if (literal) parts.push(character)
    else if (character === '%') {
      if (parts.at(-1) !== run) parts.push(run)
    } else if (character === '_') parts.push(any)
    else if (character !== '\\') parts.push(character)
    literal = !literal && character === '\\'
  }
  if (literal) parts.push('\\')
  const glob = parts.map((part) => (typeof part === 'string' ? globLiteral(part) : '*')).join('')
  return { glob: glob.replace(/(?<=^|[^\\])\*{2,}/g, '*'), fits: (key) => fits(parts, Array.from(key)) }
}

export function globLiteral(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&')
}

/** Goes back to the last run only, so the time is bounded by key length times pattern length. */
function fits(parts: readonly Part[], key: readonly string[]): boolean {
  let [part, at] = [0, 0]
  let [back, from] = [-1, 0]
  while (at < key.length) {
    if (parts[part] === run) {
      back = ++part
      from = at
    } else if (part < parts.length && (parts[part] === any || parts[part] === key[at])) {
      part++
      at++
    } else if (back >= 0) {
      part = back
      at = ++from
    } else return false
  }
  while (parts[part] === run) part++
  return part === parts.length
}
