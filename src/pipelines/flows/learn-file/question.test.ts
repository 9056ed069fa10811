import { describe, expect, test } from 'vitest'
import type { FrameColumn, FrameType, TableFile } from '../../../data/index.ts'
import { learnable, rowsOf, type FileQuestion } from './question.ts'

function tableFile(
  columns: Readonly<Record<string, readonly [FrameType, FrameColumn]>>,
): TableFile {
  const entries = Object.entries(columns)
  return {
    frame: {
      rows: entries[0][1][1].length,
      columns: Object.fromEntries(entries.map(([name, [, values]]) => [name, values])),
    },
    schema: { columns: entries.map(([name, [type]]) => ({ name, type })) },
  }
}

const numbers = (...values: number[]): readonly [FrameType, FrameColumn] => [
  'number',
  Float64Array.from(values),
]
const texts = (...values: (string | undefined)[]): readonly [FrameType, FrameColumn] => [
  'text',
  values,
]
const asking = (target: string, more: Partial<FileQuestion> = {}): FileQuestion => ({
  target,
  drop: [],
  ...more,
})

describe('what a target is', () => {
  test('two values are a binary task, of which the rarer one is asked for', () => {
    const file = tableFile({ y: texts('no', 'yes', 'no', 'no'), a: numbers(1, 2, 3, 4) })
    const rows = learnable(file, asking('y'))
    expect([rows.task, rows.classes]).toEqual(['binary', ['no', 'yes']])
    expect(rows.y).toEqual(Float64Array.of(0, 1, 0, 0))
  })

  test('of 0 and 1 it is 1, however frequent', () => {
    const file = tableFile({ y: numbers(1, 1, 0, 1), a: numbers(1, 2, 3, 4) })
    expect(learnable(file, asking('y')).classes).toEqual(['0', '1'])
  })

  test('a positive class that is named is it, and turns several classes into two', () => {
    const file = tableFile({ y: texts('a', 'b', 'c', 'b'), x: numbers(1, 2, 3, 4) })
    const rows = learnable(file, asking('y', { task: 'binary', positive: 'c' }))
    expect(rows.classes).toEqual(['not c', 'c'])
    expect(rows.y).toEqual(Float64Array.of(0, 0, 1, 0))
  })

  test('a positive class makes the task binary, and 1.0 of a person is 1 of a column', () => {
    const file = tableFile({ y: numbers(1, 2, 3, 2), x: numbers(1, 2, 3, 4) })
    const rows = learnable(file, asking('y', { positive: '1.0' }))
    expect([rows.task, rows.classes]).toEqual(['binary', ['not 1', '1']])
    expect(() => learnable(file, asking('y', { task: 'regression', positive: '1' }))).toThrow(
      'only a binary task has',
    )
  })

  test('times and a single number are nothing to learn, whatever the task', () => {
    const when: readonly [FrameType, FrameColumn] = ['time', Float64Array.of(1, 2, 3)]
    const file = tableFile({ when, same: numbers(3, 3, 3), x: numbers(1, 2, 4) })
    for (const task of ['binary', 'regression'] as const) {
      expect(() => learnable(file, asking('when', { task }))).toThrow('holds times')
      expect(() => learnable(file, asking('same', { task }))).toThrow('alone')
    }
  })

  test('more words are classes, more numbers are numbers', () => {
    const file = tableFile({ y: texts('a', 'b', 'c'), n: numbers(1, 2, 3), x: numbers(3, 1, 2) })
    expect(learnable(file, asking('y')).task).toBe('multiclass')
    expect(learnable(file, asking('n', { drop: ['y'] })).task).toBe('regression')
  })

  test.each([
    ['z', {}, 'no column "z"'],
    ['one', {}, 'the value "a" alone'],
    ['empty', {}, 'no value'],
    ['y', { positive: 'maybe' }, 'never is "maybe"'],
    ['y', { drop: ['y'] }, 'cannot be'],
    ['y', { drop: ['a', 'one', 'empty'] }, 'No column is left'],
    ['y', { time: 'one' }, 'neither times nor numbers'],
    ['y', { task: 'regression' as const }, 'holds text'],
  ])('%s with %j is refused: %s', (target, more, message) => {
    const file = tableFile({
      y: texts('no', 'yes', 'no'),
      a: numbers(1, 2, 2),
      one: texts('a', 'a', 'a'),
      empty: texts(undefined, undefined, undefined),
    })
    expect(() => learnable(file, asking(target, more))).toThrow(message)
  })
})

describe('what is learnt from', () => {
  test('rows without a label are left out and counted', () => {
    const file = tableFile({ y: texts('no', undefined, 'yes'), a: numbers(1, 2, 3) })
    const rows = learnable(file, asking('y'))
    expect([rows.y.length, rows.unlabelled, rows.table.rows]).toEqual([2, 1, 2])
  })

  test('names of rows, columns of one value, times, and the group are no features', () => {
    const many = Array.from({ length: 30 }, (_, i) => i)
    const file = tableFile({
      id: ['integer', Float64Array.from(many)],
      name: ['text', many.map((i) => `customer ${i}`)],
      same: ['number', new Float64Array(30).fill(7)],
      when: ['time', Float64Array.from(many, (i) => i * 1e6)],
      customer: ['text', many.map((i) => `c${i % 5}`)],
      amount: ['number', Float64Array.from(many, (i) => i / 7)],
      y: ['number', Float64Array.from(many, (i) => i % 2)],
    })
    const rows = learnable(file, asking('y', { group: 'customer', time: 'when' }))
    expect(rows.table.columns.map(({ name }) => name)).toEqual(['amount'])
    expect(rows.leftOut.map(({ column }) => column)).toEqual([
      'id',
      'name',
      'same',
      'when',
      'customer',
    ])
    expect(rows.group?.[6]).toBe('c1')
    expect(rows.time?.[6]).toBe(6e6)
  })
})

describe('a test file', () => {
  const file = tableFile({ y: texts('<=50K', '>50K', '<=50K'), a: numbers(1, 2, 4) })
  const rows = learnable(file, asking('y'))

  test('has the classes of the first, a full stop after them ignored', () => {
    const test = tableFile({ y: texts('>50K.', '<=50K.'), a: numbers(1, 2) })
    expect(rowsOf(test, asking('y'), rows).y).toEqual(Float64Array.of(1, 0))
  })

  test('is refused where it has another class, or lacks the target', () => {
    const other = tableFile({ y: texts('many'), a: numbers(1) })
    expect(() => rowsOf(other, asking('y'), rows)).toThrow('is "many" in row 1')
    expect(() => rowsOf(tableFile({ a: numbers(1) }), asking('y'), rows)).toThrow('no column "y"')
  })
})
