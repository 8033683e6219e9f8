import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const dim = '\u001b[2m'
const yellow = '\u001b[33m'
const red = '\u001b[31m'
const reset = '\u001b[0m'

/** Calls back with each line of a stream, whole. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine)
}

/**
 * Makes one readable line of what the sidecar logs: its JSON becomes level and message, with the fields behind.
 * What is not JSON stays as it is.
 */
export function sidecarLine(line: string, color: boolean): string {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line) as Record<string, unknown>
  } catch {
    return line
  }
  if (typeof entry !== 'object' || entry === null || typeof entry['msg'] !== 'string') return line
  const {
    level,
    msg,
    time: _time,
    app_id: _app,
    instance: _instance,
    scope: _scope,
    type: _type,
    ver: _ver,
    ...fields
  } = entry
  const rest = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const text = `${level === 'info' ? '' : `${String(level)}: `}${msg}${rest.join('')}`
  if (!color) return text
  const paint =
    level === 'warning' || level === 'warn' ? yellow : level === 'error' || level === 'fatal' ? red : dim
  return paint + text + reset
}
