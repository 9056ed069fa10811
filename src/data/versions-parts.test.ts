import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_US, parseTimestamp } from '../lib/time.ts'
import { partStarts, type Granularity } from './versions-parts.ts'

const at = (text: string): number => parseTimestamp(text)!

/** So many rows a day, evenly over `days` days from 2018-03-30. */
function evenly(days: number, aDay: number): Float64Array {
  const start = at('2018-03-30')
  return Float64Array.from({ length: days * aDay }, (_, row) => start + row * (DAY_US / aDay))
}

describe('the parts of a snapshot', () => {
  test('are none without rows, and one where there are few', () => {
    expect(partStarts(new Float64Array(0))).toEqual([])
    expect(partStarts(evenly(10, 100))).toEqual([0])
  })

  test('are days where days are large, else months, else years, else the whole', () => {
    expect(partStarts(evenly(20, 5000))).toHaveLength(20)
    // 30 March to 26 September: two days of March, then April to September.
    expect(partStarts(evenly(180, 500))).toHaveLength(7)
    expect(partStarts(evenly(1000, 70))).toHaveLength(3)
    expect(partStarts(evenly(4000, 17))).toHaveLength(12)
    expect(partStarts(evenly(70_000, 1))).toEqual([0])
  })

  test('are what the source declares, however few its rows', () => {
    const times = Float64Array.of(at('2018-01-01'), at('2018-01-01T23:59:59'), at('2018-02-01'))
    expect(partStarts(times, 'day')).toEqual([0, 2])
    expect(partStarts(times, 'month')).toEqual([0, 2])
    expect(partStarts(times, 'year')).toEqual([0])
    expect(partStarts(times, 'whole')).toEqual([0])
  })

  test('are one where rows are not in order of time', () => {
    expect(partStarts(Float64Array.of(2 * DAY_US, 0, DAY_US), 'day')).toEqual([0])
  })

  test('hold one calendar period each, all of it, and cover every row', () => {
    const time = fc.integer({ min: at('1965-01-01'), max: at('2031-01-01') })
    const granularity = fc.constantFrom<Exclude<Granularity, 'whole'>>('day', 'month', 'year')
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 60 }), granularity, (found, by) => {
        const times = Float64Array.from(found).sort()
        const starts = partStarts(times, by)
        const length = { day: 10, month: 7, year: 4 }[by]
        const period = (us: number) =>
          new Date(Math.floor(us / 1000)).toISOString().slice(0, length)
        // Naive: a part begins at each row of another period than the row before it.
        const naive = [...times.keys()].filter(
          (row) => row === 0 || period(times[row]) !== period(times[row - 1]),
        )
        expect(starts).toEqual(naive)
      }),
    )
  })
})
