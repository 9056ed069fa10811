import { expect, test } from 'vitest'
import type { TableFile } from '../../../data/index.ts'
import { groundOf } from './judge.ts'
import { learnable, type FileQuestion } from './question.ts'

/** Rows of a target in turn, with what parts them. */
function ground(count: number, asked: Partial<FileQuestion>, by: (row: number) => number) {
  const column = (value: (row: number) => number) =>
    Float64Array.from({ length: count }, (_, row) => value(row))
  const file: TableFile = {
    frame: {
      rows: count,
      columns: {
        y: column((row) => row % 2),
        x: column((row) => row),
        z: column((row) => row % 7),
        by: column(by),
      },
    },
    schema: { columns: ['y', 'x', 'z', 'by'].map((name) => ({ name, type: 'number' })) },
  }
  return groundOf(learnable(file, { target: 'y', drop: [], ...asked }), 1)
}

test('ten rows are judged in folds, fewer are refused with the number that is needed', () => {
  expect(ground(10, {}, (row) => row).folds.length).toBe(15)
  expect(() => ground(9, {}, (row) => row)).toThrow(
    '9 rows with a target; to learn and to judge takes 10',
  )
})

test('what cannot be parted is said in words of the command', () => {
  expect(() => ground(60, { group: 'by' }, (row) => row % 4)).toThrow('4 groups; at least 5')
  expect(() => ground(60, { time: 'by' }, (row) => row % 4)).toThrow('judge without --time')
  const both = { time: 'by', group: 'x' }
  expect(ground(60, both, (row) => row).folds.length).toBe(5)
  expect(() => ground(60, { time: 'x', group: 'by' }, (row) => row % 3)).toThrow('by --group alone')
})

test('customers who come again in every period are learnt from or tested on, never both', () => {
  const { folds, rows, words } = ground(600, { time: 'x', group: 'by' }, (row) => row % 40)
  expect(words).toContain('a fifth of the groups a period')
  const groupOf = (row: number) => rows.group![row]
  for (const { train, test: tested, validation } of folds) {
    const learnt = new Set([...train, ...validation!].map(groupOf))
    expect([...tested].some((row) => learnt.has(groupOf(row)))).toBe(false)
    expect(Math.max(...train, ...validation!)).toBeLessThan(Math.min(...tested))
    expect(tested.length).toBeGreaterThan(10)
    expect(train.length).toBeGreaterThan(40)
  }
})
