import { expect, test } from 'vitest'
import { fromRows, readRow, selectColumns, selectRows } from './matrix.ts'

const matrix = fromRows(
  ['a', 'b'],
  [
    [1, 2],
    [3, NaN],
    [5, 6],
  ],
)

test('a matrix keeps its rows by column', () => {
  expect(matrix.rows).toBe(3)
  expect(matrix.columns).toEqual([Float64Array.of(1, 3, 5), Float64Array.of(2, NaN, 6)])
  expect(readRow(matrix, 1)).toEqual(Float64Array.of(3, NaN))
})

test('rows and columns are selected in the order asked for', () => {
  expect(selectRows(matrix, [2, 0, 2]).columns[0]).toEqual(Float64Array.of(5, 1, 5))
  expect(selectColumns(matrix, ['b', 'a']).columns[1]).toBe(matrix.columns[0])
})

test('an unknown column is named in the error', () => {
  expect(() => selectColumns(matrix, ['c'])).toThrow('no column "c"')
})
