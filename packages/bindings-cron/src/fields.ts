/** One field of a schedule: the numbers that match, and whether it was left open. */
export interface CronField {
  readonly values: ReadonlySet<number>
  /** Written with `*` or `?`, without a step above 1. Decides how the two day fields go together. */
  readonly open: boolean
}

/** What may stand in a field. */
export interface FieldKind {
  readonly name: string
  readonly minimum: number
  readonly maximum: number
  readonly names?: readonly string[]
  /** The number that the first of `names` means. */
  readonly firstName?: number
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

export const second: FieldKind = { name: 'second', minimum: 0, maximum: 59 }
export const minute: FieldKind = { name: 'minute', minimum: 0, maximum: 59 }
export const hour: FieldKind = { name: 'hour', minimum: 0, maximum: 23 }
export const dayOfMonth: FieldKind = { name: 'day of month', minimum: 1, maximum: 31 }
export const month: FieldKind = { name: 'month', minimum: 1, maximum: 12, names: monthNames, firstName: 1 }
/** 7 is Sunday as well; a step from an open end stops at Saturday. */
export const dayOfWeek: FieldKind = {
  name: 'day of week',
  minimum: 0,
  maximum: 6,
  names: dayNames,
  firstName: 0,
}

/** A schedule that cannot be read. */
export class ScheduleError extends Error {}

/**
 * Reads one field: a list, between commas, of `*`, `?`, `n`, `n-m`, each optionally with `/step`; `n/step` runs to the maximum.
 * @throws ScheduleError
 */
export function parseField(text: string, kind: FieldKind): CronField {
  const values = new Set<number>()
  let open = false
  const parts = text.split(',').filter((part) => part !== '')
  if (parts.length === 0) throw problem(kind, text, 'names no value')
  for (const part of parts) {
    const [range, step, rest] = part.split('/')
    if (rest !== undefined) throw problem(kind, part, 'has more than one "/"')
    const stride = step === undefined ? 1 : number(step, kind, part)
    if (stride === 0) throw problem(kind, part, 'has a step of 0')
    const [from, to] = bounds(range!, step !== undefined, kind, part)
    for (let value = from; value <= to; value += stride) values.add(kind === dayOfWeek ? value % 7 : value)
    open ||= (range === '*' || range === '?') && stride === 1
  }
  return { values, open }
}

function bounds(range: string, toMaximum: boolean, kind: FieldKind, part: string): readonly [number, number] {
  if (range === '*' || range === '?') return [kind.minimum, kind.maximum]
  const [low, high, rest] = range.split('-')
  if (rest !== undefined) throw problem(kind, part, 'has more than one "-"')
  const from = number(low!, kind, part)
  const to = high !== undefined ? number(high, kind, part) : toMaximum ? Math.max(from, kind.maximum) : from
  const maximum = kind === dayOfWeek ? 7 : kind.maximum
  for (const value of [from, to]) {
    if (value < kind.minimum || value > maximum) {
      throw problem(kind, part, `is outside ${kind.minimum} to ${maximum}`)
    }
  }
  if (from > to) throw problem(kind, part, 'begins after its end')
  return [from, to]
}

function number(text: string, kind: FieldKind, part: string): number {
  const name = kind.names?.indexOf(text.toLowerCase()) ?? -1
  if (name >= 0) return name + kind.firstName!
  if (!/^\d{1,9}$/.test(text)) {
    const names = kind.names === undefined ? '' : ` or a name such as ${kind.names[0]}`
    throw problem(kind, part, `needs a whole number${names}, and has ${JSON.stringify(text)}`)
  }
  return Number(text)
}

function problem(kind: FieldKind, part: string, what: string): ScheduleError {
  return new ScheduleError(`${kind.name}: ${JSON.stringify(part)} ${what}`)
}
