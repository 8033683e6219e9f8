const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const durationText = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/
const bareNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)$/

/**
 * Reads a duration in Go syntax: `300ms`, `1m30s`, `-5s`, `0`. Other bare numbers need a `bareUnit`.
 * @returns milliseconds, or `undefined` when it is none
 */
export function readDuration(text: string, bareUnit?: 'ms' | 's' | 'm' | 'h'): number | undefined {
  const trimmed = text.trim()
  if (bareUnit !== undefined && bareNumber.test(trimmed)) return Number(trimmed) * unitMs[bareUnit]!
  const match = durationText.exec(trimmed)
  if (match === null) return undefined
  let total = 0
  for (const part of match[2]!.matchAll(/([\d.]+)([a-zµμ]+)/g)) total += Number(part[1]) * unitMs[part[2]!]!
  return match[1] === '-' ? -total : total
}

/** Writes milliseconds as Go does: `5s`, `1m30s`, `1.5s`, `500ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms === 0) return '0s'
  if (ms < 1) return `${trim(ms * 1000)}µs`
  if (ms < 1000) return `${trim(ms)}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor(ms / 60_000) % 60
  const seconds = `${trim((ms % 60_000) / 1000)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

function trim(value: number): string {
  return String(Number(value.toFixed(6)))
}

const suffixes: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/**
 * Reads a Kubernetes quantity (`4Mi`, `1G`, `1e3`, `512`) as a whole number.
 * @returns `undefined` when it is none, or not whole
 */
export function readQuantity(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:(Ki|k|[MGTPE]i?)|[eE]([+-]?\d{1,2}))?$/.exec(text.trim())
  if (match === null) return undefined
  const factor = match[2] === undefined ? 10 ** Number(match[3] ?? 0) : suffixes[match[2]]!
  const total = Number(match[1]) * factor
  return Number.isSafeInteger(total) ? total : undefined
}

const truths: ReadonlySet<string> = new Set(['1', 't', 'true', 'y', 'yes', 'on'])
const untruths: ReadonlySet<string> = new Set(['0', 'f', 'false', 'n', 'no', 'off'])

/** Reads a boolean as command lines and environments have them. `undefined` when it is none. */
export function readBool(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (truths.has(word)) return true
  return untruths.has(word) ? false : undefined
}
