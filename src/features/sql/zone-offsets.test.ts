import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_US, HOUR_US, MINUTE_US, calendar } from '../../lib/time.ts'
import { zoneOffsets } from './zone-offsets.ts'

const from = Date.UTC(2015, 0, 1) * 1000
const to = Date.UTC(2024, 0, 1) * 1000

describe('the offsets of a zone', () => {
  test('change with its clocks, to the quarter of an hour', () => {
    const year = [Date.UTC(2023, 0, 1) * 1000, Date.UTC(2024, 0, 1) * 1000] as const
    expect(zoneOffsets('Europe/Amsterdam', ...year)).toEqual([
      { fromUs: year[0], offsetUs: HOUR_US },
      { fromUs: Date.UTC(2023, 2, 26, 1) * 1000, offsetUs: 2 * HOUR_US },
      { fromUs: Date.UTC(2023, 9, 29, 1) * 1000, offsetUs: HOUR_US },
    ])
  })

  test.each(['America/New_York', 'Africa/Casablanca', 'Australia/Lord_Howe', 'Asia/Kathmandu'])(
    'give the runtime’s calendar at every instant in %s',
    (zone) => {
      const offsets = zoneOffsets(zone, from, to)!
      fc.assert(
        fc.property(fc.integer({ min: from, max: to }), (us) => {
          const { offsetUs } = offsets.findLast(({ fromUs }) => fromUs <= us)!
          const { dayNumber, hour, minute } = calendar(us, zone)
          const local = Math.floor((us + offsetUs) / MINUTE_US)
          expect(local).toBe((dayNumber * DAY_US + hour * HOUR_US) / MINUTE_US + minute)
        }),
      )
    },
  )

  test('are not listed for times of odd seconds, nor for a century', () => {
    expect(zoneOffsets('Europe/Amsterdam', -1, 0)).toBeUndefined()
    expect(zoneOffsets('Europe/Amsterdam', from, from + 100 * 366 * DAY_US)).toBeUndefined()
    expect(zoneOffsets('UTC', -1, to)).toEqual([{ fromUs: -1, offsetUs: 0 }])
  })
})
