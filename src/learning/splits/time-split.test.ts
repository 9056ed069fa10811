import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { DAY_US, parseTimestamp } from '../../lib/time.ts'
import { shiftSplit, splitRows, timeSplit } from './time-split.ts'

const declared = {
  train: ['2018-07-25', '2018-07-31'],
  delay: '7d',
  test: ['2018-08-08', '2018-08-14'],
  dropKnown: 'customer_id',
} as const

const at = (text: string) => parseTimestamp(text) as number

describe('a time split', () => {
  test('holds whole days of both periods', () => {
    const split = timeSplit(declared)
    const eventTimeUs = [
      at('2018-07-24 23:59:59'),
      at('2018-07-25 00:00:00'),
      at('2018-07-31 23:59:59'),
      at('2018-08-01 00:00:00'),
      at('2018-08-08 00:00:00'),
      at('2018-08-14 23:59:59'),
      at('2018-08-15 00:00:00'),
    ]
    const customer = eventTimeUs.map((_, i) => i)
    const rows = splitRows(split, { eventTimeUs, label: eventTimeUs.map(() => 0), customer })
    expect([...rows.train]).toEqual([1, 2])
    expect([...rows.test]).toEqual([4, 5])
  })

  test('drops customers from the day on which their fraud is known', () => {
    // Frauds in training (a), on the last training day (b), and on 1 August (c), known after the 8th.
    const events: [string, string, number][] = [
      ['2018-07-26 10:00:00', 'a', 1],
      ['2018-07-31 10:00:00', 'b', 1],
      ['2018-08-01 10:00:00', 'c', 1],
      ['2018-08-06 10:00:00', 'd', 1],
      ['2018-08-08 10:00:00', 'a', 0],
      ['2018-08-08 11:00:00', 'b', 0],
      ['2018-08-08 12:00:00', 'c', 0],
      ['2018-08-09 12:00:00', 'c', 0],
      ['2018-08-13 12:00:00', 'd', 0],
      ['2018-08-14 12:00:00', 'd', 0],
      ['2018-07-24 10:00:00', 'e', 1],
      ['2018-08-08 10:00:00', 'e', 0],
    ]
    const input = {
      eventTimeUs: events.map(([time]) => at(time)),
      customer: events.map(([, who]) => who),
      label: events.map(([, , label]) => label),
    }
    // c stays on the 8th, d until the 13th; e's fraud lies before the training and is not counted.
    expect([...splitRows(timeSplit(declared), input).test]).toEqual([6, 8, 11])
    const { dropKnown: _, ...all } = declared
    expect(splitRows(timeSplit(all), input).test.length).toBe(7)
  })

  test('leaves out rows without a label', () => {
    const eventTimeUs = [at('2018-07-25 00:00:00'), at('2018-08-08 00:00:00')]
    const rows = splitRows(timeSplit(declared), {
      eventTimeUs,
      label: [NaN, NaN],
      customer: [1, 2],
    })
    expect([rows.train.length, rows.test.length]).toEqual([0, 0])
  })

  test('moves in time as a whole', () => {
    const earlier = shiftSplit(timeSplit(declared), -14 * DAY_US)
    expect(earlier.train.fromUs).toBe(at('2018-07-11 00:00:00'))
    expect(earlier.test.toUs).toBe(at('2018-08-01 00:00:00'))
  })

  test('is refused when the test begins before the labels are known, or days are no days', () => {
    expect(() => timeSplit({ ...declared, delay: '8d' })).toThrow('before the labels')
    expect(() => timeSplit({ ...declared, train: ['2018-07-32', '2018-08-01'] })).toThrow(
      'training',
    )
    const none = { eventTimeUs: [], label: [] }
    expect(() => splitRows(timeSplit(declared), none)).toThrow('no customers')
  })
})

const file = new URL(
  '../../../../shared/data/fraud_handbook/transactions_raw.csv.gz',
  import.meta.url,
)

test.skipIf(!existsSync(file))('the handbook split has the published number of rows', () => {
  const eventTimeUs: number[] = []
  const customer: number[] = []
  const label: number[] = []
  const lines = gunzipSync(readFileSync(file)).toString('latin1').split('\n')
  for (const line of lines.slice(1)) {
    const [, time, who, , , , , fraud] = line.split(',')
    if (time === undefined || time < '2018-07-25' || time >= '2018-08-15') continue
    eventTimeUs.push(at(time))
    customer.push(Number(who))
    label.push(Number(fraud))
  }
  const { train, test } = splitRows(timeSplit(declared), { eventTimeUs, customer, label })
  const frauds = (rows: Uint32Array) => rows.reduce((sum, row) => sum + label[row], 0)
  expect([train.length, frauds(train)]).toEqual([67_240, 598])
  expect([test.length, frauds(test)]).toEqual([58_264, 385])
})
