/** Offset from UTC, in milliseconds, at an instant: local time minus UTC. */
export type OffsetAt = (utcMs: number) => number

const dayMs = 86_400_000

/**
 * The offsets of an IANA time zone.
 * @throws RangeError when there is no such zone
 */
export function offsetsOf(zone: string): OffsetAt {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  if (format.resolvedOptions().timeZone === 'UTC') return () => 0
  return (utcMs) => {
    const whole = Math.floor(utcMs / 1000) * 1000
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of format.formatToParts(whole)) parts[type] = Number(value)
    const { year, month, day, hour, minute, second } = parts
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - whole
  }
}

/**
 * The first instant after `fromMs`, and not after `toMs`, at which the offset is another one. To the second.
 * Two changes within a day that undo each other are not seen; no zone has had any.
 */
export function nextChange(offsetAt: OffsetAt, fromMs: number, toMs: number): number | undefined {
  const offset = offsetAt(fromMs)
  for (let low = fromMs; low < toMs; low += dayMs) {
    const end = Math.min(low + dayMs, toMs)
    if (offsetAt(end) === offset) continue
    let same = low
    let other = end
    while (other - same > 1000) {
      const middle = Math.floor((same + other) / 2000) * 1000
      if (offsetAt(middle) === offset) same = middle
      else other = middle
    }
    return other
  }
  return undefined
}
