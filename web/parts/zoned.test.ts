import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { inZone, zonedText } from './zoned.ts'

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham']

test('a time that is typed is of the bank’s clock, in summer and in winter', () => {
  expect(inZone('2026-07-01T14:30', 'Europe/Berlin')).toBe('2026-07-01T12:30:00.000Z')
  expect(inZone('2026-01-01T14:30', 'Europe/Berlin')).toBe('2026-01-01T13:30:00.000Z')
  expect(inZone('2026-01-01', 'America/New_York')).toBe('2026-01-01T05:00:00.000Z')
  expect(inZone('2026-01-01T14:30', 'UTC')).toBe('2026-01-01T14:30:00.000Z')
})

test('of an hour that comes twice it is the first; one that is left out is as much later', () => {
  expect(inZone('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z')
  expect(inZone('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z')
})

test('nothing, and what is no time, is no instant', () => {
  expect(inZone('', 'UTC')).toBeUndefined()
  expect(inZone('tomorrow', 'UTC')).toBeUndefined()
})

test('what a field shows of an instant is that instant again, unless its hour comes twice', () => {
  const minutes = fc.integer({
    min: Date.UTC(2015, 0, 1) / 60_000,
    max: Date.UTC(2035, 0, 1) / 60_000,
  })
  fc.assert(
    fc.property(minutes, fc.constantFrom(...zones), (minute, zone) => {
      const shown = zonedText(new Date(minute * 60_000).toISOString(), zone)
      const back = inZone(shown, zone)
      expect(back).toBeDefined()
      expect(zonedText(back ?? '', zone)).toBe(shown)
      const apart = minute * 60_000 - Date.parse(back ?? '')
      expect(apart === 0 || apart === 3_600_000).toBe(true)
    }),
  )
})
