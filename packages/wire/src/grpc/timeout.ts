import type { Fields } from '../fields.ts'
const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}

/** Reads `grpc-timeout` (`100m`, `5S`). @returns milliseconds, or `undefined` when it is none */
export function parseTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text)
  return match === null ? undefined : Number(match[1]) * unitMs[match[2]!]!
}

/** Milliseconds as `grpc-timeout`, rounded up, in the finest unit that its eight digits hold. */
export function formatTimeout(ms: number): string {
  const rest = Math.max(0, ms)
  if (rest < 100) return `${Math.ceil(rest * 1000)}u`
  if (rest < 1e8) return `${Math.ceil(rest)}m`
  if (rest < 1e11) return `${Math.ceil(rest / 1000)}S`
  return `${Math.min(99_999_999, Math.ceil(rest / 3_600_000))}H`
}

/** Says whether the time that a caller gave (`grpc-timeout`) is over, from now on. */
export function deadlineOf(fields: Fields): () => boolean {
  const timeoutMs = parseTimeout(fields.get('grpc-timeout') ?? '')
  if (timeoutMs === undefined) return () => false
  const startedAt = performance.now()
  return () => performance.now() - startedAt >= timeoutMs - 1
}
