import { RegoError, type Place } from './error.ts'

export interface Token extends Place {
  readonly kind: 'name' | 'number' | 'string' | 'sign' | 'end'
  readonly text: string
  /** On another line than the token before. */
  readonly newLine: boolean
  /** Something stands between it and the token before. */
  readonly apart: boolean
}

const signs = [':=', '==', '!=', '<=', '>=', ...Array.from('=<>+-*/%&|()[]{},;:.')]

/** Takes the text of a policy apart. @throws RegoError */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let line = 1
  let lineStart = 0
  let newLine = false
  let apart = false
  const place = (): Place => ({ line, column: at - lineStart + 1 })
  const push = (kind: Token['kind'], value: string, start: Place): void => {
    tokens.push({ kind, text: value, ...start, newLine, apart })
    newLine = apart = false
  }
  while (at < text.length) {
    const char = text[at]!
    if (char === '\n') {
      at++
      line++
      lineStart = at
      newLine = apart = true
    } else if (char === ' ' || char === '\t' || char === '\r' || char === '\uFEFF') {
      at++
      apart = true
    } else if (char === '#') {
      while (at < text.length && text[at] !== '\n') at++
      apart = true
    } else if (/[A-Za-z_]/.test(char)) {
      const start = place()
      const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(at, at + 256))![0]
      at += name.length
      push('name', name, start)
    } else if (/[0-9]/.test(char)) {
      const start = place()
      const number = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text.slice(at, at + 400))![0]
      at += number.length
      push('number', number, start)
    } else if (char === '"') {
      const start = place()
      const found = /^"(?:[^"\\\n]|\\.)*"/.exec(text.slice(at))
      if (found === null) throw new RegoError('the string has no end', start)
      at += found[0].length
      push('string', unescaped(found[0], start), start)
    } else if (char === '`') {
      const start = place()
      const end = text.indexOf('`', at + 1)
      if (end === -1) throw new RegoError('the raw string has no end', start)
      const raw = text.slice(at + 1, end)
      at = end + 1
      push('string', raw, start)
      const breaks = raw.split('\n')
      if (breaks.length > 1) {
        line += breaks.length - 1
        lineStart = at - 1 - breaks.at(-1)!.length
      }
    } else {
      const sign = signs.find((each) => text.startsWith(each, at))
      if (sign === undefined) throw new RegoError(`"${char}" cannot be here`, place())
      const start = place()
      at += sign.length
      push('sign', sign, start)
    }
  }
  tokens.push({ kind: 'end', text: 'the end', ...place(), newLine: true, apart: true })
  return tokens
}

function unescaped(quoted: string, place: Place): string {
  try {
    return JSON.parse(quoted) as string
  } catch {
    throw new RegoError('the string has an escape that is none', place)
  }
}
