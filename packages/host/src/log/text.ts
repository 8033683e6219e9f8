/** Values that need no quotes: Dapr's own rule. An empty value stays bare. */
const bare = /^[a-zA-Z0-9\-._/@^+]*$/

export function isBare(text: string): boolean {
  return bare.test(text)
}

/** What must not reach a terminal or begin another line, plus what quoting itself uses. */
const unprintable = /["\\]|[^\P{C}]|\p{Zl}|\p{Zp}|(?! )\p{Zs}/gu

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** Quotes as Go's `%q` does. */
export function quote(text: string): string {
  return `"${text.replace(unprintable, escape)}"`
}

function escape(char: string): string {
  const known = short[char]
  if (known !== undefined) return known
  const code = char.codePointAt(0)!
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}

/** Makes JSON safe to show: nothing that a terminal, a script or a web page could take for its own. */
export function escapeJson(json: string): string {
  return json.replace(/[<>&\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Any value as text. Never throws. */
export function fieldText(value: unknown): string {
  try {
    if (value instanceof Error) return errorText(value)
    if (typeof value === 'object' && value !== null) {
      if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`
      return JSON.stringify(value, replacer) ?? '(nothing)'
    }
    return String(value)
  } catch {
    return '(unreadable)'
  }
}

function replacer(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return errorText(value)
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  return value
}

/** Message and causes: `saving failed: connection refused`. What a message already says is not repeated. */
export function errorText(error: unknown): string {
  return withCauses(error, new Set())
}

function withCauses(error: unknown, seen: Set<unknown>): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : fieldText(error)
  seen.add(error)
  const own = error.message === '' ? error.name : error.message
  const causes: unknown[] = error instanceof AggregateError ? error.errors.slice(0, 5) : []
  if (error.cause !== undefined && error.cause !== null) causes.push(error.cause)
  const texts: string[] = []
  for (const cause of causes) {
    if (seen.has(cause) || seen.size > 20) continue
    const text = notSaidYet(own, cause, withCauses(cause, seen))
    if (text !== '') texts.push(text)
  }
  return texts.length === 0 ? own : `${own}: ${texts.join('; ')}`
}

/** Many errors have the message of their cause in their own: then only what the cause has beyond it is new. */
function notSaidYet(own: string, cause: unknown, text: string): string {
  const message = cause instanceof Error ? cause.message : text
  const said = message !== '' && `: ${own}: `.includes(`: ${message}: `)
  return said ? text.slice(message.length).replace(/^: /, '') : text
}
