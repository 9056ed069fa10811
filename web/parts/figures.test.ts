import { describe, expect, test } from 'vitest'
import {
  amount,
  dateTime,
  duration,
  estimateText,
  money,
  none,
  percent,
  percentRange,
  withUnit,
} from './figures.ts'

const euros = (minor: number) => ({ minor, currency: 'EUR', exponent: 2 })

describe('figures', () => {
  test('money keeps every minor unit, at any exponent', () => {
    expect(amount(euros(5))).toBe('0.05')
    expect(amount(euros(123_456_789))).toBe('1,234,567.89')
    expect(amount({ minor: 1234, currency: 'JPY', exponent: 0 })).toBe('1,234')
    expect(money(euros(-1_240))).toBe('EUR −12.40')
    expect(amount(euros(Number.MAX_SAFE_INTEGER))).toBe('90,071,992,547,409.91')
  })

  test('what was not measured is never written as zero', () => {
    expect(percent(null)).toBe(none)
    expect(money(null)).toBe(none)
    expect(duration(undefined)).toBe(none)
    expect(percent(0)).toBe('0 %')
  })

  test('small shares keep their digits', () => {
    expect(percent(0.00137)).toBe('0.137 %')
    expect(percent(0.0111)).toBe('1.11 %')
    expect(percent(0.98)).toBe('98.0 %')
    expect(percentRange(0.008, 0.014)).toBe('0.800 to 1.40 %')
  })

  test('an estimate is written with its interval and n', () => {
    expect(
      estimateText({ value: 0.691, n: 58_264, interval: { low: 0.654, high: 0.728, level: 0.95 } }),
    ).toBe('0.691 (0.654 to 0.728, n 58,264)')
  })

  test('durations take the unit a person would', () => {
    expect(duration(640)).toBe('640 µs')
    expect(duration(4_620)).toBe('4.6 ms')
    expect(duration(74_200_000)).toBe('1 min 14 s')
  })

  test('units go where they belong', () => {
    expect(withUnit(53.6, 'EUR')).toBe('EUR 53.60')
    expect(withUnit(0.0081, '%')).toBe('0.810 %')
    expect(withUnit(12, null)).toBe('12')
    expect(withUnit(-1234.5, 'EUR')).toBe('EUR −1,234.50')
    expect(withUnit(1234.5, 'JPY')).toBe('JPY 1,235')
    expect(withUnit(45, 's')).toBe('45 s')
    expect(withUnit(3_098_736, 's')).toBe('35.9 days')
  })

  test('a statistic has four significant digits, and whole numbers all of theirs', () => {
    expect(withUnit(12_345.678, null)).toBe('12,346')
    expect(withUnit(0.0312345, null)).toBe('0.03123')
    expect(withUnit(1_754_155, null)).toBe('1,754,155')
    expect(withUnit(-0.5, null)).toBe('−0.5')
  })

  test('times are written in the bank’s zone', () => {
    expect(dateTime('2018-08-15T22:03:00.000000Z', 'UTC')).toBe('15 Aug 2018 22:03')
    expect(dateTime('2018-08-15T22:03:00Z', 'Asia/Kuala_Lumpur')).toBe('16 Aug 2018 06:03')
  })
})
