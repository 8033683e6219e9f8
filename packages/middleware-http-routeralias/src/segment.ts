import { RE2JS } from '@bufbuild/re2'

interface Parameter {
  readonly name: string
  readonly pattern: RE2JS | undefined
}

/** One segment of a template: fixed texts with parameters between them. */
export interface Segment {
  /** One more than there are parameters. */
  readonly texts: readonly string[]
  readonly parameters: readonly Parameter[]
}

/** Reads `order-{id}` or `{id:[0-9]+}`. @throws Error that says what is wrong, after the name of the route */
export function parseSegment(template: string): Segment {
  const texts: string[] = []
  const parameters: Parameter[] = []
  let rest = template
  for (;;) {
    const open = rest.indexOf('{')
    if (open === -1) break
    const close = closing(rest, open)
    if (close === -1) throw new Error('has a { without its }')
    const [name = '', ...pattern] = rest.slice(open + 1, close).split(':')
    if (name.trim() === '') throw new Error('has a parameter without a name')
    if (open === 0 && parameters.length > 0) throw new Error('has two parameters with nothing between them')
    texts.push(rest.slice(0, open))
    parameters.push({
      name: name.trim(),
      pattern: pattern.length === 0 ? undefined : compile(pattern.join(':')),
    })
    rest = rest.slice(close + 1)
  }
  if (rest.includes('}')) throw new Error('has a } without its {')
  return { texts: [...texts, rest], parameters }
}

function closing(text: string, open: number): number {
  let depth = 0
  for (let index = open; index < text.length; index++) {
    if (text[index] === '{') depth++
    else if (text[index] === '}' && --depth === 0) return index
  }
  return -1
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (cause) {
    throw new Error(`has the pattern "${pattern}", which is none: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Whether a segment fits; its parameters are appended. Each takes at least one letter, the first as many as it can:
 * looking from the end finds just that, in one pass whatever the text.
 */
export function matchSegment(
  { texts, parameters }: Segment,
  text: string,
  found: [string, string][],
): boolean {
  const [first, last] = [texts[0]!, texts.at(-1)!]
  if (parameters.length === 0) return text === first
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  const values: [string, string][] = []
  let end = text.length - last.length
  for (let index = parameters.length - 1; index >= 0; index--) {
    const before = texts[index]!
    const start =
      index === 0 ? first.length : text.lastIndexOf(before, end - 1 - before.length) + before.length
    if (start < first.length || start >= end || (index > 0 && start - before.length <= first.length))
      return false
    const value = text.slice(start, end)
    const { name, pattern } = parameters[index]!
    if (pattern?.matches(value) === false) return false
    values.unshift([name, value])
    end = start - before.length
  }
  found.push(...values)
  return true
}
