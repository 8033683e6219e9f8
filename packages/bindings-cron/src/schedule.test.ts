import { describe, expect, test } from 'vitest'
import { nextOf, parseSchedule } from './schedule.ts'
import { offsetsOf } from './zone.ts'

/** The first times after `from`, in ISO 8601 with the offset of `from`'s zone where one is given. */
function times(spec: string, from: string, count: number, zone = 'UTC'): (string | undefined)[] {
  const next = nextOf(parseSchedule(spec), zone)
  const found: (string | undefined)[] = []
  let at: number | undefined = Date.parse(from)
  while (found.length < count && at !== undefined) {
    at = next(at)
    found.push(at === undefined ? undefined : iso(at, /TZ=(?!Local)(\S+)/.exec(spec)?.[1] ?? zone))
  }
  return found
}

function iso(ms: number, zone: string): string {
  const offset = offsetsOf(zone)(ms)
  const minutes = Math.abs(offset) / 60_000
  const two = (n: number): string => String(n).padStart(2, '0')
  const shown = `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
  return new Date(ms + offset).toISOString().replace('.000Z', offset === 0 ? 'Z' : shown)
}

const newYork = 'CRON_TZ=America/New_York'

describe('schedules in UTC', () => {
  test.each<[string, string, string]>([
    // Steps, and wrapping into the next hour, day, month and year.
    ['0 0/15 * * * *', '2012-07-09T14:45:00Z', '2012-07-09T15:00:00Z'],
    ['0 0/15 * * * *', '2012-07-09T14:59:59Z', '2012-07-09T15:00:00Z'],
    ['0/15 * * * *', '2012-07-09T14:59:59.999Z', '2012-07-09T15:00:00Z'],
    ['5/15 * * * *', '2012-07-09T15:50:00Z', '2012-07-09T16:05:00Z'],
    ['0 20-35/15 * * * *', '2012-07-09T15:45:00Z', '2012-07-09T16:20:00Z'],
    ['0 */15 * * * *', '2012-07-09T23:46:00Z', '2012-07-10T00:00:00Z'],
    ['15/35 20-35/15 1/2 */2 * *', '2012-07-09T23:35:51Z', '2012-07-11T01:20:15Z'],
    ['15/35 20-35/15 10-12 * * *', '2012-07-09T23:35:51Z', '2012-07-10T10:20:15Z'],
    ['0 0 0 9 Apr-Oct ?', '2012-07-09T23:35:00Z', '2012-08-09T00:00:00Z'],
    ['0 * * * * *', '2012-12-31T23:59:45Z', '2013-01-01T00:00:00Z'],
    ['30 * * * * *', '2012-12-31T23:59:30Z', '2013-01-01T00:00:30Z'],
    ['* * * * * *', '2012-12-31T23:59:59.001Z', '2013-01-01T00:00:00Z'],
    ['0 0 */6 ? * *', '2026-03-01T06:00:00Z', '2026-03-01T12:00:00Z'],
    // Both day fields given: either is enough. One open: both must match.
    ['0 0 0 */5 Apr,Aug,Oct Mon', '2012-07-09T23:35:00Z', '2012-08-01T00:00:00Z'],
    ['0 0 0 */5 Oct Mon', '2012-07-09T23:35:00Z', '2012-10-01T00:00:00Z'],
    ['0 0 1,15 * Sun', '2012-06-08T00:00:00Z', '2012-06-10T00:00:00Z'],
    ['0 0 1,15 * Sun', '2012-06-10T00:00:00Z', '2012-06-15T00:00:00Z'],
    ['0 0 1-31 * Sun', '2012-06-10T00:00:00Z', '2012-06-11T00:00:00Z'],
    ['0 0 * * Mon', '2012-07-09T00:00:00Z', '2012-07-16T00:00:00Z'],
    ['0 0 1,15 * *', '2012-07-09T00:00:00Z', '2012-07-15T00:00:00Z'],
    ['0 0 0 * Feb Mon', '2012-07-09T23:35:00Z', '2013-02-04T00:00:00Z'],
    ['0 0 0 * Feb Mon/2', '2012-07-09T23:35:00Z', '2013-02-01T00:00:00Z'],
    ['30 08 ? Jul Sun', '2012-07-15T08:29:59Z', '2012-07-15T08:30:00Z'],
    ['0 0 * * 7', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
    // Leap days, also over a century that has none.
    ['0 0 0 29 Feb ?', '2012-07-09T23:35:00Z', '2016-02-29T00:00:00Z'],
    ['0 0 29 2 *', '2096-03-01T00:00:00Z', '2104-02-29T00:00:00Z'],
    ['0 0 31 * *', '2026-01-31T00:00:00Z', '2026-03-31T00:00:00Z'],
    ['0 0 30,31 2,4 *', '2026-01-01T00:00:00Z', '2026-04-30T00:00:00Z'],
    // Shortcuts.
    ['@hourly', '2012-07-09T15:00:00Z', '2012-07-09T16:00:00Z'],
    ['@daily', '2012-07-09T15:00:00Z', '2012-07-10T00:00:00Z'],
    ['@midnight', '2012-07-09T00:00:00Z', '2012-07-10T00:00:00Z'],
    ['@weekly', '2012-07-09T00:00:00Z', '2012-07-15T00:00:00Z'],
    ['@monthly', '2012-07-09T00:00:00Z', '2012-08-01T00:00:00Z'],
    ['@yearly', '2012-01-01T00:00:00Z', '2013-01-01T00:00:00Z'],
    ['@annually', '2012-07-09T00:00:00Z', '2013-01-01T00:00:00Z'],
    // Before 1970.
    ['@daily', '1969-12-30T12:00:00Z', '1969-12-31T00:00:00Z'],
  ])('%s after %s', (spec, from, expected) => {
    expect(times(spec, from, 1)).toEqual([expected])
  })

  test('an interval goes on from the last time', () => {
    expect(times('@every 1h30m', '2026-01-01T00:00:00.000Z', 2)).toEqual([
      '2026-01-01T01:30:00Z',
      '2026-01-01T03:00:00Z',
    ])
    expect(parseSchedule('@every 15s')).toEqual({ kind: 'interval', everyMs: 15_000 })
    expect(parseSchedule('TZ=Europe/Paris @every 500ms')).toEqual({ kind: 'interval', everyMs: 500 })
  })
})

describe('schedules where clocks change', () => {
  test('forward: a time that is skipped is not due that day', () => {
    expect(times(`${newYork} 0 30 2 * * ?`, '2012-03-10T00:00:00-05:00', 2)).toEqual([
      '2012-03-10T02:30:00-05:00',
      '2012-03-12T02:30:00-04:00',
    ])
    expect(times(`${newYork} 0 30 2 11 Mar ?`, '2012-03-11T00:00:00-05:00', 1)).toEqual([
      '2013-03-11T02:30:00-04:00',
    ])
  })

  test('forward: every hour that exists', () => {
    expect(times('TZ=America/New_York 0 0 * * * ?', '2012-03-11T00:00:00-05:00', 3)).toEqual([
      '2012-03-11T01:00:00-05:00',
      '2012-03-11T03:00:00-04:00',
      '2012-03-11T04:00:00-04:00',
    ])
  })

  test('back: a time that comes twice is due twice', () => {
    expect(times(`${newYork} 0 30 1 * * ?`, '2012-11-04T00:00:00-04:00', 3)).toEqual([
      '2012-11-04T01:30:00-04:00',
      '2012-11-04T01:30:00-05:00',
      '2012-11-05T01:30:00-05:00',
    ])
    expect(times(`${newYork} 0 30 1 04 Nov ?`, '2012-11-04T01:45:00-04:00', 1)).toEqual([
      '2012-11-04T01:30:00-05:00',
    ])
  })

  test('back: every hour, and times after it once', () => {
    expect(times(`${newYork} 0 0 * * * ?`, '2012-11-04T00:00:00-04:00', 3)).toEqual([
      '2012-11-04T01:00:00-04:00',
      '2012-11-04T01:00:00-05:00',
      '2012-11-04T02:00:00-05:00',
    ])
    expect(times(`${newYork} 0 0 2 * * ?`, '2012-11-04T00:00:00-04:00', 2)).toEqual([
      '2012-11-04T02:00:00-05:00',
      '2012-11-05T02:00:00-05:00',
    ])
  })

  test('midnight that is skipped', () => {
    expect(times('@daily', '2018-11-03T00:00:00-03:00', 2, 'America/Sao_Paulo')).toEqual([
      '2018-11-05T00:00:00-02:00',
      '2018-11-06T00:00:00-02:00',
    ])
    expect(times('TZ=America/Sao_Paulo 0 0 9 10 * ?', '2018-10-17T05:00:00-04:00', 1)).toEqual([
      '2018-11-10T09:00:00-02:00',
    ])
  })

  test('changes of half an hour', () => {
    expect(times('CRON_TZ=Australia/Lord_Howe 15,45 1-2 * * *', '2025-04-06T01:00:00+11:00', 6)).toEqual([
      '2025-04-06T01:15:00+11:00',
      '2025-04-06T01:45:00+11:00',
      '2025-04-06T01:45:00+10:30',
      '2025-04-06T02:15:00+10:30',
      '2025-04-06T02:45:00+10:30',
      '2025-04-07T01:15:00+10:30',
    ])
    expect(times('CRON_TZ=Australia/Lord_Howe 15,45 2 * * *', '2025-10-05T00:00:00+10:30', 2)).toEqual([
      '2025-10-05T02:45:00+11:00',
      '2025-10-06T02:15:00+11:00',
    ])
  })

  test('a day that a zone left out', () => {
    // Samoa went from 29 to 31 December 2011.
    expect(times('0 12 * * *', '2011-12-29T00:00:00-10:00', 2, 'Pacific/Apia')).toEqual([
      '2011-12-29T12:00:00-10:00',
      '2011-12-31T12:00:00+14:00',
    ])
  })

  test('the zone of the schedule wins over the given one', () => {
    expect(times('CRON_TZ=Asia/Tokyo 0 9 * * *', '2026-01-01T00:00:00Z', 1, 'America/New_York')).toEqual([
      '2026-01-02T09:00:00+09:00',
    ])
    expect(times('0 9 * * *', '2026-01-01T00:00:00Z', 1, 'Asia/Kolkata')).toEqual([
      '2026-01-01T09:00:00+05:30',
    ])
    expect(times('TZ=Local 0 9 * * *', '2026-01-01T00:00:00Z', 1, 'Asia/Kolkata')).toEqual([
      '2026-01-01T09:00:00+05:30',
    ])
  })

  test('agrees with a search through every second', () => {
    const zone = 'America/New_York'
    const offsetAt = offsetsOf(zone)
    const next = nextOf(parseSchedule('20 7/13 1-4 * * *'), zone)
    const start = Date.parse('2025-03-08T20:00:00-05:00')
    const end = start + 36 * 3_600_000
    const expected: number[] = []
    for (let ms = start + 1000; ms <= end; ms += 1000) {
      const wall = new Date(ms + offsetAt(ms))
      const [h, m, s] = [wall.getUTCHours(), wall.getUTCMinutes(), wall.getUTCSeconds()]
      if (h >= 1 && h <= 4 && m >= 7 && (m - 7) % 13 === 0 && s === 20) expected.push(ms)
    }
    const found: number[] = []
    for (let at = next(start)!; at <= end; at = next(at)!) found.push(at)
    expect(expected.length).toBeGreaterThan(20)
    expect(found).toEqual(expected)
  })
})

describe('what is no schedule', () => {
  test.each([
    ['', 'has 0 fields'],
    ['* * * *', 'has 4 fields'],
    ['* * * * * * *', 'has 7 fields'],
    ['INVALID_SCHEDULE', 'has 1 fields'],
    ['@fortnightly', '@fortnightly is not known'],
    ['@reboot', '@reboot is not known'],
    ['@every', '@every needs a duration'],
    ['@every 15', '@every needs a duration'],
    ['@every 0s', '@every needs a duration'],
    ['@every -5s', '@every needs a duration'],
    ['@every soon', '@every needs a duration'],
    ['@everything 5s', '@every needs a duration'],
    ['CRON_TZ=Mars/Olympus * * * * *', '"Mars/Olympus" is not a time zone'],
    ['TZ=Europe/Paris', 'has 0 fields'],
    ['0 0 30 2 *', 'day of month 30 does not exist in month 2'],
    ['0 0 0 31 Apr,Jun ?', 'does not exist in month Apr,Jun'],
    ['61 * * * *', 'minute: "61" is outside 0 to 59'],
    ['TZ=America/New_York 15/0 * * * *', 'has a step of 0'],
  ])('%j', (spec, message) => {
    expect(() => parseSchedule(spec)).toThrow(message)
  })

  test('the 30th of February or a Monday is a schedule', () => {
    expect(times('0 0 30 2 1', '2026-01-31T00:00:00Z', 1)).toEqual(['2026-02-02T00:00:00Z'])
  })
})
