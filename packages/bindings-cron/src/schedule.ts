import { parseDuration } from '@outrigger/kit'
import {
  dayOfMonth,
  dayOfWeek,
  hour,
  minute,
  month,
  parseField,
  ScheduleError,
  second,
  type CronField,
} from './fields.ts'
import { nextChange, offsetsOf, type OffsetAt } from './zone.ts'

export { ScheduleError }

/** A schedule that was read. */
export type Schedule = IntervalSchedule | CalendarSchedule

/** `@every`: so long after the last time, whatever the clock on the wall says. */
export interface IntervalSchedule {
  readonly kind: 'interval'
  readonly everyMs: number
}

/** Every second at which the wall clock of a zone shows what the fields say. */
export interface CalendarSchedule {
  readonly kind: 'calendar'
  /** IANA name from a `TZ=` or `CRON_TZ=` prefix. */
  readonly zone: string | undefined
  readonly seconds: CronField
  readonly minutes: CronField
  readonly hours: CronField
  readonly daysOfMonth: CronField
  readonly months: CronField
  readonly daysOfWeek: CronField
}

const shortcuts: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
}

/** The most days that each month can have. */
const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Reads a schedule: five fields (minute, hour, day of month, month, day of week) or six with seconds first,
 * `@every 1m30s`, or a shortcut such as `@hourly`; before all but `@every` a zone, as `CRON_TZ=Europe/Paris`.
 * @throws ScheduleError when it cannot be read or can never come true
 */
export function parseSchedule(text: string): Schedule {
  const { zone, rest } = splitZone(text.trim())
  if (rest.startsWith('@every')) return interval(rest)
  const spec = rest.startsWith('@') ? shortcuts[rest] : rest
  if (spec === undefined) {
    throw new ScheduleError(
      `${rest} is not known; there are @every <duration>, ${Object.keys(shortcuts).join(', ')}`,
    )
  }
  const texts = spec.split(/\s+/).filter((field) => field !== '')
  if (texts.length !== 5 && texts.length !== 6) {
    throw new ScheduleError(
      `has ${texts.length} fields; there must be 5 (minute, hour, day of month, month, day of week), or 6 with seconds first`,
    )
  }
  if (texts.length === 5) texts.unshift('0')
  const schedule: CalendarSchedule = {
    kind: 'calendar',
    zone,
    seconds: parseField(texts[0]!, second),
    minutes: parseField(texts[1]!, minute),
    hours: parseField(texts[2]!, hour),
    daysOfMonth: parseField(texts[3]!, dayOfMonth),
    months: parseField(texts[4]!, month),
    daysOfWeek: parseField(texts[5]!, dayOfWeek),
  }
  if (!hasDay(schedule)) {
    throw new ScheduleError(
      `day of month ${texts[3]} does not exist in month ${texts[4]}, so it would never run`,
    )
  }
  return schedule
}

function splitZone(text: string): { zone: string | undefined; rest: string } {
  const match = /^(?:CRON_)?TZ=(\S*)\s*(.*)$/s.exec(text)
  if (match === null) return { zone: undefined, rest: text }
  // As Go reads them, in which Dapr is written.
  const zone = match[1] === '' ? 'UTC' : match[1] === 'Local' ? undefined : match[1]!
  try {
    if (zone !== undefined) offsetsOf(zone)
  } catch {
    throw new ScheduleError(
      `${JSON.stringify(zone)} is not a time zone; write an IANA name such as Europe/Paris`,
    )
  }
  return { zone, rest: match[2]! }
}

function interval(text: string): IntervalSchedule {
  const match = /^@every\s+(\S+)$/.exec(text)
  const everyMs = match === null || /^[\d.]+$/.test(match[1]!) ? undefined : parseDuration(match[1]!)
  if (everyMs === undefined || everyMs < 1) {
    throw new ScheduleError(
      '@every needs a duration of at least 1ms with its unit, such as @every 15s or @every 1h30m',
    )
  }
  return { kind: 'interval', everyMs }
}

function hasDay({ months, daysOfMonth, daysOfWeek }: CalendarSchedule): boolean {
  if (!daysOfMonth.open && !daysOfWeek.open) return true
  const first = Math.min(...daysOfMonth.values)
  return [...months.values].some((one) => first <= longest[one - 1]!)
}

/** With both day fields given, one of them is enough; if either is open, both must match. */
function matchesDay({ daysOfMonth, daysOfWeek }: CalendarSchedule, wall: Date): boolean {
  const inMonth = daysOfMonth.values.has(wall.getUTCDate())
  const inWeek = daysOfWeek.values.has(wall.getUTCDay())
  return daysOfMonth.open || daysOfWeek.open ? inMonth && inWeek : inMonth || inWeek
}

/** 29 February is at most eight years away. */
const horizonYears = 12

/** Milliseconds since the epoch at which a schedule is due next, after such an instant; `undefined` when it never is. */
export type Next = (afterMs: number) => number | undefined

/**
 * Makes the function that says when a schedule is due next.
 *
 * A local time that is skipped when clocks go forward is skipped, and one that comes twice when they go back is due twice.
 * A date that does not come within twelve years counts as never.
 * @param zone the IANA time zone of a schedule that names none
 */
export function nextOf(schedule: Schedule, zone: string): Next {
  if (schedule.kind === 'interval') return (afterMs) => afterMs + schedule.everyMs
  const offsetAt = offsetsOf(schedule.zone ?? zone)
  return (afterMs) => nextIn(schedule, afterMs, offsetAt)
}

// The wall clock runs evenly between two changes of the offset, so each such stretch is searched as if it were UTC.
function nextIn(schedule: CalendarSchedule, afterMs: number, offsetAt: OffsetAt): number | undefined {
  let from = Math.floor(afterMs / 1000) * 1000 + 1000
  const lastYear = new Date(from).getUTCFullYear() + horizonYears
  for (;;) {
    const offset = offsetAt(from)
    const wall = nextWall(schedule, from + offset, lastYear)
    const found = wall === undefined ? undefined : wall - offset
    const change = nextChange(offsetAt, from, found ?? Date.UTC(lastYear + 1, 0))
    if (change === undefined) return found
    from = change
  }
}

/** The first wall time that is not before `fromMs` and matches, counted as if the zone were UTC. */
function nextWall(schedule: CalendarSchedule, fromMs: number, lastYear: number): number | undefined {
  let wall = new Date(fromMs)
  while (wall.getUTCFullYear() <= lastYear) {
    const [year, monthIndex, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()]
    if (!schedule.months.values.has(monthIndex + 1)) {
      wall = new Date(Date.UTC(year, monthIndex + 1))
      continue
    }
    const time = matchesDay(schedule, wall) ? nextTime(schedule, wall) : undefined
    if (time !== undefined) return Date.UTC(year, monthIndex, day, ...time)
    wall = new Date(Date.UTC(year, monthIndex, day + 1))
  }
  return undefined
}

/** The first time of that day that matches and is not before its hour, minute and second. */
function nextTime(schedule: CalendarSchedule, wall: Date): readonly [number, number, number] | undefined {
  const [hourNow, minuteNow, secondNow] = [wall.getUTCHours(), wall.getUTCMinutes(), wall.getUTCSeconds()]
  for (let h = hourNow; h < 24; h++) {
    if (!schedule.hours.values.has(h)) continue
    for (let m = h === hourNow ? minuteNow : 0; m < 60; m++) {
      if (!schedule.minutes.values.has(m)) continue
      for (let s = h === hourNow && m === minuteNow ? secondNow : 0; s < 60; s++) {
        if (schedule.seconds.values.has(s)) return [h, m, s]
      }
    }
  }
  return undefined
}
