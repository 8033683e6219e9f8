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
  if (/^\d+(\.\d+)?$/.test(rest)) return sign * Number(rest) * unitMs[bareUnit]!
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

const suffixes: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
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

/** Reads a Kubernetes resource quantity: `4Mi`, `1G`, `512`. `undefined` when it is none. */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?\d+(?:\.\d*)?)(m|k|Ki|[MGTPE]i?)?$/.exec(text.trim())
  if (match === null) return undefined
  return Number(match[1]) * suffixes[match[2] ?? '']!
}
