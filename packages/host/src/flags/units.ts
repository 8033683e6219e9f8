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

/** Powers of ten of the decimal suffixes, and of two of the binary ones. */
const decimals: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const binaries: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

const quantityText = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$/

/**
 * Reads a Kubernetes quantity (`4Mi`, `1G`, `1e3`, `512`) as a whole number: parts are rounded away from zero, as there,
 * and what is too large for a number is the largest one. The components' reader of the same is in `@outrigger/kit`.
 * @returns `undefined` when it is none
 */
export function readQuantity(text: string): number | undefined {
  const match = quantityText.exec(text.trim())
  if (match === null) return undefined
  const [, sign, digits, binary, decimal, exponent] = match
  const size =
    binary === undefined
      ? Number(`${digits}e${decimal === undefined ? (exponent ?? 0) : decimals[decimal]}`)
      : Number(digits) * 2 ** binaries[binary]!
  const whole = Math.min(Math.ceil(size), Number.MAX_SAFE_INTEGER)
  return sign === '-' ? 0 - whole : whole
}

const truths: ReadonlySet<string> = new Set(['1', 't', 'true', 'y', 'yes', 'on'])
const untruths: ReadonlySet<string> = new Set(['0', 'f', 'false', 'n', 'no', 'off'])

/** Reads a boolean as command lines and environments have them. `undefined` when it is none. */
export function readBool(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (truths.has(word)) return true
  return untruths.has(word) ? false : undefined
}
