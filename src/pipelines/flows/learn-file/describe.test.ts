import { expect, test } from 'vitest'
import type { FrameColumn, FrameType, TableFile } from '../../../data/index.ts'
import { describeFile } from './describe.ts'

function fileOf(columns: Readonly<Record<string, readonly [FrameType, FrameColumn]>>): TableFile {
  const entries = Object.entries(columns)
  return {
    frame: {
      rows: entries[0][1][1].length,
      columns: Object.fromEntries(entries.map(([name, [, values]]) => [name, values])),
    },
    schema: { columns: entries.map(([name, [type]]) => ({ name, type })) },
  }
}

const rows = 200
const text = (of: (row: number) => string | undefined): readonly [FrameType, FrameColumn] => [
  'text',
  Array.from({ length: rows }, (_, row) => of(row)),
]
const whole = (type: FrameType, of: (row: number) => number): readonly [FrameType, FrameColumn] => [
  type,
  Float64Array.from({ length: rows }, (_, row) => of(row)),
]

test('columns are told with what they hold; few values one by one', () => {
  const { rows: told, columns } = describeFile(
    fileOf({
      age: whole('integer', (row) => row),
      kind: text((row) => (row % 4 === 0 ? undefined : row % 2 === 0 ? 'a' : 'b')),
    }),
  )
  expect(told).toBe(rows)
  expect(columns).toMatchObject([
    { name: 'age', type: 'integer', distinct: 200, values: [] },
    {
      name: 'kind',
      missing: 50,
      distinct: 2,
      values: [
        { value: 'b', count: 100 },
        { value: 'a', count: 50 },
      ],
    },
  ])
})

test('the target, what belongs together and the time are guessed by name, type and values', () => {
  const guess = (columns: Parameters<typeof fileOf>[0]) => describeFile(fileOf(columns)).guess
  const customer = text((row) => `c${row % 60}`)
  const day = whole('time', (row) => row * 86_400e6)
  const flag = whole('integer', (row) => row % 2)
  const size = whole('number', (row) => row * 1.5)
  expect(guess({ customer_id: customer, day, churn: flag, size })).toEqual({
    target: 'churn',
    group: 'customer_id',
    time: 'day',
  })
  // Without a telling name it is the last column, if it has few values.
  expect(guess({ size, flag })).toMatchObject({ target: 'flag', group: null, time: null })
  expect(guess({ flag, size })).toMatchObject({ target: null })
  // Of several telling names the last: "default" may well be a feature.
  expect(guess({ default: flag, size, y: flag })).toMatchObject({ target: 'y' })
  expect(guess({ day, other: day, y: flag })).toMatchObject({ time: null })
})
