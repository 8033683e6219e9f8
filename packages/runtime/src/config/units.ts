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

/** Reads a duration in Go syntax (`1m30s`); a bare `0` is one, any other bare number is not. @returns milliseconds, or `undefined` when it is none */
export function readDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text.trim())
  if (match === null) return undefined
  let total = 0
  for (const part of match[2]!.matchAll(/([\d.]+)([a-zµμ]+)/g)) total += Number(part[1]) * unitMs[part[2]!]!
  return match[1] === '-' ? -total : total
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

/** Reads a Kubernetes quantity (`4Mi`, `1e3`) as a whole number. @returns `undefined` when it is none, or not whole */
export function readQuantity(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:(k|[MGTPE]i?|Ki)|[eE]([+-]?\d{1,2}))?$/.exec(text.trim())
  if (match === null) return undefined
  const factor = match[2] === undefined ? 10 ** Number(match[3] ?? 0) : suffixes[match[2]]!
  const total = Number(match[1]) * factor
  return Number.isSafeInteger(total) ? total : undefined
}

/** Reads a boolean as command lines have them. `undefined` when it is none. */
export function readBool(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined
}
