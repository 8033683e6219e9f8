const truthy = new Set(['true', 't', 'yes', 'y', 'on', '1'])
const falsy = new Set(['false', 'f', 'no', 'n', 'off', '0', ''])

/** Reads a boolean as Dapr writes them (`true`, `yes`, `on`, `1` ...). `undefined` when it is none. */
export function parseBool(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (truthy.has(word)) return true
  return falsy.has(word) ? false : undefined
}

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

const durationPart = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy

/**
 * Reads a duration in Go syntax: `300ms`, `1.5h`, `1h15m30s`, `-5s`. A bare number counts in `bareUnit`.
 * @returns milliseconds, or `undefined` when it is none
 */
export function parseDuration(text: string, bareUnit: 'ms' | 's' | 'm' | 'h' = 's'): number | undefined {
  const trimmed = text.trim()
  const sign = trimmed.startsWith('-') ? -1 : 1
  const rest = /^[+-]/.test(trimmed) ? trimmed.slice(1) : trimmed
  if (/^(?:\d+\.?\d*|\.\d+)$/.test(rest)) return sign * Number(rest) * unitMs[bareUnit]!
  if (rest === '') return undefined
  let total = 0
  durationPart.lastIndex = 0
  while (durationPart.lastIndex < rest.length) {
    const match = durationPart.exec(rest)
    if (match === null) return undefined
    total += Number(match[1]) * unitMs[match[2]!]!
  }
  return sign * total
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
 * and what is too large for a number is the largest one. The flags' reader of the same is in `@outrigger/host`.
 * @returns `undefined` when it is none
 */
export function parseQuantity(text: string): number | undefined {
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
