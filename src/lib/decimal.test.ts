import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatMinor, parseMinor } from './decimal.ts'

describe('decimal amounts', () => {
  test('are read digit by digit', () => {
    expect(parseMinor('57.16', 2)).toBe(5716)
    expect(parseMinor('0.1', 2)).toBe(10)
    expect(parseMinor('-0.05', 2)).toBe(-5)
    expect(parseMinor('+12', 2)).toBe(1200)
    expect(parseMinor('007', 0)).toBe(7)
    expect(parseMinor('1.2300', 2)).toBe(123)
    expect(parseMinor('8.0', 0)).toBe(8)
    expect(parseMinor('1.0001', 4)).toBe(10001)
    expect(Object.is(parseMinor('-0.00', 2), 0)).toBe(true)
  })

  test('are refused where they are not plain, too fine or too large', () => {
    const refused = ['', '-', '.', '.5', '5.', '1e3', '1,000.00', ' 1', '1 ', '0x10', 'NaN', '--1']
    for (const text of [...refused, '1.2.3', '0.005', '1.001', '١', '90071992547409.92']) {
      expect([text, parseMinor(text, 2)]).toEqual([text, undefined])
    }
    expect(parseMinor('90071992547409.91', 2)).toBe(Number.MAX_SAFE_INTEGER)
    expect(parseMinor('9'.repeat(400), 2)).toBeUndefined()
  })

  test('survive being written and read, whatever the currency', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat(4), (minor, exponent) => {
        const text = formatMinor(minor, exponent)
        expect(parseMinor(text, exponent)).toBe(Object.is(minor, -0) ? 0 : minor)
        expect(text).toMatch(exponent === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${exponent}}$`))
      }),
    )
    expect(formatMinor(-5, 2)).toBe('-0.05')
    expect(() => formatMinor(0.5, 2)).toThrow('minor units')
    expect(() => parseMinor('1', -1)).toThrow('exponent')
  })

  test('agree with whole-number arithmetic', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), (minor) => {
        const digits = String(minor < 0n ? -minor : minor).padStart(3, '0')
        const text = `${minor < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
        const safe = minor >= -(2n ** 53n) + 1n && minor <= 2n ** 53n - 1n
        expect(parseMinor(text, 2)).toBe(safe ? Number(minor) : undefined)
      }),
    )
  })
})
