import { escapeJson, fieldText, isBare, quote } from './text.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** How levels are called in a line. */
const labels: Readonly<Record<LogLevel, string>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  error: 'error',
  fatal: 'fatal',
}

/** What every line of one logger says about where it comes from. */
export interface Origin {
  /** Left out when empty. */
  readonly app_id: string
  readonly instance: string
  readonly scope: string
  readonly type: string
  readonly ver: string
}

export type LogFields = Readonly<Record<string, unknown>>

/** Longest message and longest field value; the rest is cut. */
const longestMessage = 16 * 1024
const longestValue = 8 * 1024

const reserved: ReadonlySet<string> = new Set([
  'time',
  'level',
  'msg',
  'app_id',
  'instance',
  'scope',
  'type',
  'ver',
])

/**
 * `time="..." level=info msg="..." app_id=orders instance=host scope=dapr.runtime type=log ver=edge`:
 * time, level and message first, then all other fields by name. An empty message is left out.
 */
export function renderText(
  time: string,
  level: LogLevel,
  message: string,
  origin: Origin,
  fields?: LogFields,
): string {
  let line = `time=${quote(time)} level=${labels[level]}`
  if (message !== '') line += ` msg=${value(cut(message, longestMessage))}`
  for (const [name, text] of entries(origin, fields)) {
    line += ` ${name}=${value(typeof text === 'string' ? text : text.text)}`
  }
  return `${line}\n`
}

/** One JSON object, all names in alphabetical order. */
export function renderJson(
  time: string,
  level: LogLevel,
  message: string,
  origin: Origin,
  fields?: LogFields,
): string {
  const all = entries(origin, fields)
  all.push(['level', labels[level]], ['msg', cut(message, longestMessage)], ['time', time])
  all.sort(byName)
  let line = '{'
  for (const [name, text] of all) {
    const rendered = typeof text === 'string' ? JSON.stringify(text) : text.json
    line += `${line === '{' ? '' : ','}${JSON.stringify(name)}:${rendered}`
  }
  return `${escapeJson(line)}}\n`
}

interface Rendered {
  readonly text: string
  readonly json: string
}

type Entry = [name: string, value: string | Rendered]

function entries(origin: Origin, fields: LogFields | undefined): Entry[] {
  const all: Entry[] = []
  if (origin.app_id !== '') all.push(['app_id', origin.app_id])
  all.push(['instance', origin.instance], ['scope', origin.scope], ['type', origin.type], ['ver', origin.ver])
  if (fields === undefined) return all
  for (const name of Object.keys(fields)) {
    // The fields of every line cannot be displaced.
    if (reserved.has(name)) continue
    const own = rendered(fields, name)
    if (own !== undefined) all.push([name.replace(/[^\w.\-/@]/g, '_').slice(0, 100), own])
  }
  return all.sort(byName)
}

function rendered(fields: LogFields, name: string): string | Rendered | undefined {
  let field: unknown
  try {
    field = fields[name]
  } catch {
    return '(unreadable)'
  }
  if (field === undefined) return undefined
  if (typeof field === 'string') return cut(field, longestValue)
  const full = fieldText(field)
  const text = cut(full, longestValue)
  // Numbers, booleans, lists and objects keep their shape in JSON unless they had to be cut.
  const plain =
    typeof field === 'number' ? Number.isFinite(field) : typeof field === 'boolean' || field === null
  const shape = typeof field === 'object' && /^[[{]/.test(full) && !(field instanceof Error)
  return { text, json: (plain || shape) && text === full ? full : JSON.stringify(text) }
}

function byName(left: Entry, right: Entry): number {
  return left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0
}

function value(text: string): string {
  return isBare(text) ? text : quote(text)
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text
  return `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '')}... (${text.length - longest} more characters)`
}
