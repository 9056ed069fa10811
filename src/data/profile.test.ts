import { expect, test } from 'vitest'
import { HOUR_US } from '../lib/time.ts'
import type { FrameSchema } from './frame.ts'
import { profileFrame } from './profile.ts'

const schema: FrameSchema = {
  columns: [
    { name: 'at', type: 'time' },
    { name: 'amount', type: 'money', currency: 'EUR', exponent: 2 },
    { name: 'score', type: 'number' },
    { name: 'channel', type: 'text' },
    { name: 'customer', type: 'integer' },
  ],
}
const frame = {
  rows: 4,
  columns: {
    at: Float64Array.of(0, HOUR_US, 23 * HOUR_US, 24 * HOUR_US),
    amount: Float64Array.of(100, 200, 200, NaN),
    score: Float64Array.of(NaN, NaN, NaN, NaN),
    channel: ['card', undefined, 'card', 'cash'],
    customer: Float64Array.of(1, 1, 1, 1),
  },
}
const options = { eventTime: 'at', timeZone: 'UTC', personal: new Set(['customer']) }

test('a profile says what a column holds: counts, moments, top values, bins', () => {
  const [, amount, score, channel] = profileFrame(frame, schema, options).columns
  expect(amount).toMatchObject({
    currency: 'EUR',
    count: 3,
    nulls: 1,
    distinct: 2,
    distinctExact: true,
    min: 100,
    max: 200,
    top: [{ value: '200', count: 2 }],
  })
  expect(amount.mean).toBeCloseTo(500 / 3, 10)
  expect(amount.std).toBeCloseTo(Math.sqrt(10_000 / 3), 10)
  expect(amount.histogram.length).toBeLessThanOrEqual(20)
  expect(amount.histogram.reduce((sum, bin) => sum + bin.count, 0)).toBe(3)
  expect(amount.histogram[0]).toEqual({ from: 100, to: 106, count: 1 })
  expect(score).toMatchObject({ count: 0, nulls: 4, mean: null, std: null, histogram: [] })
  expect(channel).toMatchObject({
    nulls: 1,
    distinct: 2,
    min: null,
    top: [{ value: 'card', count: 2 }],
  })
})

test('a profile is plain JSON and shows no single value of a personal column', () => {
  const profile = profileFrame(frame, schema, options)
  expect(JSON.parse(JSON.stringify(profile))).toEqual(profile)
  expect(profile.columns[4]).toMatchObject({ personal: true, distinct: 1, top: [] })
})

test('a profile counts rows a day in the source’s zone', () => {
  const days = (timeZone: string) => profileFrame(frame, schema, { ...options, timeZone }).days
  expect(days('UTC')).toEqual([
    { day: '1970-01-01', rows: 3 },
    { day: '1970-01-02', rows: 1 },
  ])
  expect(days('Europe/Berlin')).toEqual([
    { day: '1970-01-01', rows: 2 },
    { day: '1970-01-02', rows: 2 },
  ])
})
