import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  calendar,
  DAY_US,
  durationInWords,
  formatDuration,
  formatTimestamp,
  HOUR_US,
  isTimeZone,
  MINUTE_US,
  parseDuration,
  parseTimestamp,
  SECOND_US,
} from './time.ts'

const instant = fc.integer({ min: Date.UTC(1700, 0, 1), max: Date.UTC(2255, 0, 1) })

describe('timestamps', () => {
  test('are read in every accepted form', () => {
    const noon = Date.UTC(2018, 3, 1, 12, 0, 0) * 1000
    expect(parseTimestamp('2018-04-01')).toBe(noon - 12 * HOUR_US)
    for (const text of [
      '2018-04-01 12:00',
      '2018-04-01T12:00:00',
      '2018-04-01 12:00:00.0',
      '2018-04-01T12:00:00Z',
      '2018-04-01T12:00:00.000000z',
      '2018-04-01 14:00:00+02:00',
      '2018-04-01T14:00:00+0200',
      '2018-04-01T04:00-08',
      '2018-04-01T17:30:00.000000000+05:30',
    ]) {
      expect([text, parseTimestamp(text)]).toEqual([text, noon])
    }
    expect(parseTimestamp('2018-04-01 12:00:00.000001')).toBe(noon + 1)
    expect(parseTimestamp('2018-04-01 12:00:00.25')).toBe(noon + 250_000)
    expect(parseTimestamp('1969-12-31T23:59:59.999999Z')).toBe(-1)
  })

  test('are refused in every other form', () => {
    const refused = [
      '',
      '2018',
      '2018-4-1',
      '2018-13-01',
      '2018-00-01',
      '2018-02-29',
      '1900-02-29',
      '2018-04-31',
      '2018-04-01Z',
      '2018-04-01+02:00',
      '2018-04-01T',
      '2018-04-01X12:00:00',
      '2018-04-01 24:00:00',
      '2018-04-01 12:60:00',
      '2018-04-01 12:00:60',
      '2018-04-01 12:00:00.',
      '2018-04-01 12:00:00.0000001',
      '2018-04-01 12:00:00+2',
      '2018-04-01 12:00:00+02:0',
      '2018-04-01 12:00:00+15:00',
      '2018-04-01 12:00:00 Z',
      ' 2018-04-01',
      '2018-04-01 ',
      '9999-12-31',
      '0000-00-00',
      'NaN-04-01T',
      '+018-04-01',
    ]
    for (const text of refused) expect([text, parseTimestamp(text)]).toEqual([text, undefined])
    expect(parseTimestamp('2000-02-29')).toBe(Date.UTC(2000, 1, 29) * 1000)
  })

  test('survive being written and read, to the microsecond', () => {
    fc.assert(
      fc.property(instant, fc.nat(999), (ms, micros) => {
        const us = ms * 1000 + micros
        expect(parseTimestamp(formatTimestamp(us))).toBe(us)
      }),
    )
    expect(formatTimestamp(0)).toBe('1970-01-01T00:00:00Z')
    expect(formatTimestamp(-1)).toBe('1969-12-31T23:59:59.999999Z')
    expect(formatTimestamp(1_500)).toBe('1970-01-01T00:00:00.001500Z')
    expect(formatTimestamp(250_000)).toBe('1970-01-01T00:00:00.250Z')
    expect(() => formatTimestamp(0.5)).toThrow('instant')
  })

  test('without a zone are read in the declared one', () => {
    const paris = { timeZone: 'Europe/Paris' }
    expect(parseTimestamp('2018-01-15 12:00', paris)).toBe(Date.UTC(2018, 0, 15, 11) * 1000)
    expect(parseTimestamp('2018-07-15 12:00', paris)).toBe(Date.UTC(2018, 6, 15, 10) * 1000)
    expect(parseTimestamp('2018-07-15 12:00Z', paris)).toBe(Date.UTC(2018, 6, 15, 12) * 1000)
    const nepal = { timeZone: 'Asia/Kathmandu' }
    expect(parseTimestamp('2018-07-15 12:00', nepal)).toBe(Date.UTC(2018, 6, 15, 6, 15) * 1000)
  })

  test('that occur twice mean the first, and those that are skipped mean as much later', () => {
    const paris = { timeZone: 'Europe/Paris' }
    expect(parseTimestamp('2018-10-28 02:30', paris)).toBe(Date.UTC(2018, 9, 28, 0, 30) * 1000)
    expect(parseTimestamp('2018-10-28 03:00', paris)).toBe(Date.UTC(2018, 9, 28, 2, 0) * 1000)
    expect(parseTimestamp('2018-03-25 02:30', paris)).toBe(Date.UTC(2018, 2, 25, 1, 30) * 1000)
    expect(parseTimestamp('2018-03-25 03:00', paris)).toBe(Date.UTC(2018, 2, 25, 1, 0) * 1000)
    const newYork = { timeZone: 'America/New_York' }
    expect(parseTimestamp('2018-11-04 01:30', newYork)).toBe(Date.UTC(2018, 10, 4, 5, 30) * 1000)
    expect(parseTimestamp('2018-03-11 02:30', newYork)).toBe(Date.UTC(2018, 2, 11, 7, 30) * 1000)
  })

  test('in a zone lead back to the same reading of its calendar', () => {
    const zone = fc.constantFrom('Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'UTC')
    const minutes = fc.integer({ min: Date.UTC(1990, 0) / 60_000, max: Date.UTC(2037, 0) / 60_000 })
    fc.assert(
      fc.property(minutes, zone, (minute, timeZone) => {
        const us = minute * MINUTE_US
        const { dayNumber, hour, minute: minuteOfHour } = calendar(us, timeZone)
        const local = dayNumber * DAY_US + hour * HOUR_US + minuteOfHour * MINUTE_US
        const text = formatTimestamp(local).slice(0, -1)
        const back = parseTimestamp(text, { timeZone })!
        expect(calendar(back, timeZone)).toEqual(calendar(us, timeZone))
        expect(back).toBeLessThanOrEqual(us)
      }),
    )
  })
})

describe('calendars', () => {
  test('agree with the runtime in UTC', () => {
    fc.assert(
      fc.property(instant, (ms) => {
        const date = new Date(ms)
        expect(calendar(ms * 1000)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          hour: date.getUTCHours(),
          minute: date.getUTCMinutes(),
          weekday: (date.getUTCDay() + 6) % 7,
          dayNumber: Math.floor(ms / 86_400_000),
        })
      }),
    )
  })

  test('count weekdays from Monday, also before 1970 and across zones', () => {
    expect(calendar(0).weekday).toBe(3)
    expect(calendar(-1).weekday).toBe(2)
    expect(calendar(0, 'America/New_York')).toMatchObject({ day: 31, hour: 19, weekday: 2 })
    expect(calendar(0, 'Asia/Kathmandu')).toMatchObject({ hour: 5, minute: 30 })
  })

  test('know which zones there are', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true)
    expect(isTimeZone('Europe/Atlantis')).toBe(false)
  })
})

describe('durations', () => {
  test('are read and written in one unit', () => {
    expect(parseDuration('7d')).toBe(7 * DAY_US)
    expect(parseDuration('24h')).toBe(DAY_US)
    expect(parseDuration('15m')).toBe(15 * MINUTE_US)
    expect(parseDuration('30s')).toBe(30 * SECOND_US)
    expect(parseDuration('2w')).toBe(14 * DAY_US)
    expect(parseDuration('250ms')).toBe(250_000)
    expect(formatDuration(7 * DAY_US)).toBe('7d')
    expect(formatDuration(90 * SECOND_US)).toBe('90s')
    expect(formatDuration(0)).toBe('0s')
    expect(formatDuration(1)).toBe('1us')
  })

  test('are said as people say them, with nothing rounded away', () => {
    expect(durationInWords(7 * DAY_US)).toBe('7 days')
    expect(durationInWords(400 * DAY_US)).toBe('400 days')
    expect(durationInWords(DAY_US)).toBe('1 day')
    expect(durationInWords(36 * HOUR_US)).toBe('36 hours')
    expect(durationInWords(90 * MINUTE_US)).toBe('90 minutes')
    expect(durationInWords(1445 * MINUTE_US)).toBe('1 day 5 minutes')
    expect(durationInWords(DAY_US + SECOND_US)).toBe('1 day 1 second')
    expect(durationInWords(250_000)).toBe('0.25 seconds')
    expect(durationInWords(1)).toBe('0.000001 seconds')
    expect(durationInWords(0)).toBe('0 seconds')
  })

  test('that are no durations are refused with an example', () => {
    for (const text of ['', '7', 'd', '7 d', '1.5h', '-1d', '7D', '999999999999d']) {
      expect(() => parseDuration(text)).toThrow('whole number')
    }
  })
})
