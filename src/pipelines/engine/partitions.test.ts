import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY_US, parseTimestamp } from '../../lib/time.ts'
import { partitionKeys } from './partitions.ts'
import { durationUs, partitionBy } from './when.ts'

const now = parseTimestamp('2026-03-10T05:30:00Z')!

test('a part of the calendar exists once it is over', () => {
  const days = partitionKeys(partitionBy.day({ from: '2026-03-07' }), now)
  expect([days.count, days.at(0), days.at(2)]).toEqual([3, '2026-03-07', '2026-03-09'])
  const hours = partitionKeys(partitionBy.hour({ from: '2026-03-10T03' }), now)
  expect([hours.count, hours.at(1)]).toEqual([2, '2026-03-10T04'])
  const months = partitionKeys(partitionBy.month({ from: '2025-11' }), now)
  expect([months.count, months.at(3)]).toEqual([4, '2026-02'])
  expect(partitionKeys(partitionBy.day({ from: '2027-01-01' }), now).count).toBe(0)
})

test('key and place follow from each other, in every form', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('hour', 'day', 'month' as const),
      fc.integer({ min: 1, max: 3000 }),
      (by, back) => {
        const declared = {
          hour: partitionBy.hour({ from: '2024-02-28T23' }),
          day: partitionBy.day({ from: '2016-02-28' }),
          month: partitionBy.month({ from: '1999-12' }),
        }[by]
        const keys = partitionKeys(declared, now)
        const place = back % keys.count
        expect(keys.placeOf(keys.at(place))).toBe(place)
        if (place > 0) expect(keys.at(place) > keys.at(place - 1)).toBe(true)
      },
    ),
  )
})

test('what is no key has no place', () => {
  const days = partitionKeys(partitionBy.day({ from: '2026-01-01', until: '2026-03-01' }), now)
  for (const key of ['2026-02-30', '2025-12-31', '2026-03-01', '2026-1-1', '', '2026-01-01T00']) {
    expect([key, days.placeOf(key)]).toEqual([key, undefined])
  }
  const list = partitionKeys(partitionBy.list(['be', 'at']), now)
  expect([list.placeOf('at'), list.placeOf('de'), list.count]).toEqual([1, undefined, 2])
})

test('durations are of fixed units', () => {
  expect(durationUs('P1D')).toBe(DAY_US)
  expect(durationUs('P1W')).toBe(7 * DAY_US)
  expect(durationUs('P1DT12H30M')).toBe(1.5 * DAY_US + 1_800_000_000)
  for (const text of ['P', 'PT', 'P1M', '1D', 'P0D', 'P-1D', 'PT1.5H']) {
    expect([text, durationUs(text)]).toEqual([text, undefined])
  }
})
