import { expect, test } from 'vitest'
import type { FrameColumn, FrameType, TableFile } from '../../../data/index.ts'
import { learnable, type FileQuestion } from './question.ts'
import { likeTheFirst, textColumns } from './test-file.ts'

type Columns = Readonly<Record<string, readonly [FrameType, FrameColumn]>>

function tableFile(columns: Columns): TableFile {
  const entries = Object.entries(columns)
  return {
    frame: {
      rows: entries[0][1][1].length,
      columns: Object.fromEntries(entries.map(([name, [, values]]) => [name, values])),
    },
    schema: { columns: entries.map(([name, [type]]) => ({ name, type })) },
  }
}

const question: FileQuestion = { target: 'y', drop: ['spare'], group: 'who', time: 'when' }
const first = tableFile({
  size: ['number', Float64Array.of(1, 2, 3)],
  code: ['text', ['a', '12', 'b']],
  spare: ['number', Float64Array.of(1, 2, 1)],
  who: ['integer', Float64Array.of(1, 2, 3)],
  when: ['number', Float64Array.of(1, 2, 3)],
  y: ['integer', Float64Array.of(0, 1, 0)],
})
const rows = learnable(first, question)

const liken = (columns: Columns) =>
  likeTheFirst(tableFile(columns), 'test.csv', first, question, rows)

const size: Columns[string] = ['integer', Float64Array.of(4, 5)]
const code: Columns[string] = ['text', ['a', 'b']]
const y: Columns[string] = ['integer', Float64Array.of(0, 1)]

test('a test file needs only what was learnt by; what it has alone is named', () => {
  const { file, question: asked, testOnly } = liken({ y, more: size, code, size })
  expect(file.schema.columns).toEqual([
    { name: 'size', type: 'number' },
    { name: 'code', type: 'text' },
    { name: 'y', type: 'integer' },
  ])
  expect([asked.group, asked.time, asked.drop]).toEqual([undefined, undefined, []])
  expect(testOnly).toEqual([{ column: 'more', why: 'is in test.csv alone' }])
})

test('digits in a column of text are text, and an empty column of numbers holds none', () => {
  expect(textColumns(first)).toEqual(['code'])
  const { file } = liken({
    size: ['text', [undefined, undefined]],
    code: ['integer', Float64Array.of(12, NaN)],
    y,
  })
  expect(file.frame.columns['code']).toEqual(['12', undefined])
  expect(file.frame.columns['size']).toEqual(Float64Array.of(NaN, NaN))
})

test.each([
  [{ code, y }, 'test.csv has no column "size"'],
  [{ code, size }, 'test.csv has no column "y", which is to be learnt'],
  [{ code, y, size: ['text', [undefined, 'big']] }, 'text, such as "big"'],
  [{ code, y, size: ['time', Float64Array.of(1, 2)] }, 'in test.csv times'],
] as [Columns, string][])('a column that lacks or differs is named: %#', (columns, words) => {
  expect(() => liken(columns)).toThrow(words)
})
