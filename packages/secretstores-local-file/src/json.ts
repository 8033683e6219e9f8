/** A JSON value whose numbers, `true` and `false` stay as they were written. */
export type Json = string | null | readonly Json[] | ReadonlyMap<string, Json>

/** A place in a text that is not JSON. Its message never quotes the text, which holds secrets. */
export class JsonError extends Error {
  /** Both count from 1. */
  readonly line: number
  readonly column: number

  constructor(text: string, offset: number, message: string) {
    super(message)
    const before = text.slice(0, offset).split(/\r\n|\n|\r/)
    this.line = before.length
    this.column = before.at(-1)!.length + 1
  }
}

const space = /[ \t\r\n]*/y
const plainToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y

/**
 * Reads JSON (RFC 8259). Written here because `JSON.parse` quotes the text in its errors, loses the digits of long
 * numbers and gives no line.
 * @throws JsonError
 */
export function parseJson(text: string, maxDepth: number): Json {
  let at = 0

  function fail(message: string, offset = at): never {
    throw new JsonError(text, offset, message)
  }

  function token(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match[0]
  }

  function skip(wanted: string): boolean {
    token(space)
    if (text[at] !== wanted) return false
    at++
    return true
  }

  function string(what: string): string {
    token(space)
    if (text[at] !== '"') fail(`expected ${what} in double quotes`)
    const start = at++
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    if (at >= text.length) fail(`${what} is not closed`, start)
    try {
      return JSON.parse(text.slice(start, ++at)) as string
    } catch {
      return fail(`${what} has an invalid escape or a control character`, start)
    }
  }

  function members(depth: number): Json {
    const members = new Map<string, Json>()
    if (skip('}')) return members
    do {
      const name = string('a name')
      if (!skip(':')) fail('expected ":" after the name')
      members.set(name, value(depth))
    } while (skip(','))
    return skip('}') ? members : fail('expected "," or "}"')
  }

  function items(depth: number): Json {
    const items: Json[] = []
    if (skip(']')) return items
    do items.push(value(depth))
    while (skip(','))
    return skip(']') ? items : fail('expected "," or "]"')
  }

  function value(depth: number): Json {
    token(space)
    if (text[at] === '"') return string('a string')
    if (text[at] === '{' || text[at] === '[') {
      if (depth === maxDepth) fail(`is nested deeper than ${maxDepth} levels`)
      return text[at++] === '{' ? members(depth + 1) : items(depth + 1)
    }
    const word = token(plainToken)
    if (word === undefined) return fail(at === text.length ? 'ends too early' : 'expected a value')
    return word === 'null' ? null : word
  }

  const result = value(0)
  token(space)
  return at === text.length ? result : fail('has more text after the value')
}
