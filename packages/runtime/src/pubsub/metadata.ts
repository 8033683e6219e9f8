import type { Metadata } from '@outrigger/spec'

/** A value by name, whatever its case. */
export function metadataValue(metadata: Metadata, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const exact = metadata[name]
    if (exact !== undefined) return exact
  }
  const lower = names.map((name) => name.toLowerCase())
  for (const key in metadata) if (lower.includes(key.toLowerCase())) return metadata[key]
  return undefined
}

/** Whether the bytes stand for themselves, without an envelope. Throws a RangeError for what is no boolean. */
export function isRawPayload(metadata: Metadata): boolean {
  const value = metadataValue(metadata, 'rawPayload')
  if (value === undefined || value === '') return false
  if (/^(?:1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw new RangeError(`rawPayload must be "true" or "false" and is ${JSON.stringify(value.slice(0, 64))}`)
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
/** Far enough that no message lives so long, near enough that every date of it can be written. */
const maxTtlMs = 1000 * 365 * 86_400_000

/**
 * `ttlInSeconds` (or `ttl`) in milliseconds: whole seconds, or a duration such as `90s` or `1h30m`.
 * Throws a RangeError for what is neither.
 */
export function messageTtlMs(metadata: Metadata): number | undefined {
  const value = metadataValue(metadata, 'ttlInSeconds', 'ttl')
  if (value === undefined || value === '') return undefined
  let ms = Number.NaN
  if (/^\d{1,20}$/.test(value)) ms = Number(value) * 1000
  else if (value.length <= 64 && /^(?:\d+(?:\.\d+)?(?:ms|[hms]))+$/.test(value)) {
    ms = 0
    for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g))
      ms += Number(amount) * unitMs[unit!]!
  }
  if (!(ms > 0)) {
    throw new RangeError(
      `ttlInSeconds must be a whole number above 0 and is ${JSON.stringify(value.slice(0, 64))}`,
    )
  }
  return Math.min(ms, maxTtlMs)
}
