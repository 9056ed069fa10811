import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { isAssayError } from '../../lib/errors.ts'
import { readTableFile } from './table-file.ts'
import { writeParquet } from './write-parquet.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-table-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function read(name: string, content: string | Uint8Array) {
  const { frame, schema } = await readTableFile(file(name, content))
  const types = Object.fromEntries(schema.columns.map((column) => [column.name, column.type]))
  return { rows: frame.rows, columns: frame.columns, types }
}

test('a CSV file is read with its types, whatever its delimiter', async () => {
  const comma = 'id,amount,when,kind\n1,2.5,2024-01-02,a\n2,?,2024-01-03,NA\n'
  for (const text of [comma, comma.replaceAll(',', ';'), comma.replaceAll(',', '\t')]) {
    const { rows, columns, types } = await read('rows.csv', text)
    expect(rows).toBe(2)
    expect(types).toEqual({ id: 'integer', amount: 'number', when: 'time', kind: 'text' })
    expect(columns['amount']).toEqual(Float64Array.of(2.5, Number.NaN))
    expect(columns['kind']).toEqual(['a', undefined])
    expect(columns['when']).toEqual(Float64Array.of(1_704_153_600e6, 1_704_240_000e6))
  }
})

test('a file without a header has numbered columns, and text is trimmed', async () => {
  const { columns } = await read('bare.data', '39, State-gov, 77516\n50, Private, 83311\n')
  expect(columns['column1']).toEqual(['State-gov', 'Private'])
})

test('a gzip file is read as what it holds', async () => {
  const { rows } = await read('rows.csv.gz', gzipSync('a,b\n1,x\n2,y\n3,z\n'))
  expect(rows).toBe(3)
})

test('gzip is known by its content, whatever the name', async () => {
  expect((await read('named.csv', gzipSync('a,b\n1,x\n2,y\n3,z\n'))).rows).toBe(3)
  expect((await read('plain.csv.gz', 'a,b\n1,x\n2,y\n3,z\n')).rows).toBe(3)
})

test('the path adds no columns, and its signs are no patterns', async () => {
  mkdirSync(join(folder, 'year=2024'))
  file('rows1.csv', 'other,columns\n1,2\n')
  for (const name of ['year=2024/rows.csv', 'rows[1].csv', 'rows*.csv']) {
    expect(Object.keys((await read(name, 'a,b\n1,x\n2,y\n')).columns)).toEqual(['a', 'b'])
  }
})

test('times with a zone are instants', async () => {
  const { columns, types } = await read(
    'zoned.csv',
    'at,n\n2024-01-02T01:00:00+01:00,1\n2024-01-03T00:00:00Z,2\n',
  )
  expect(types['at']).toBe('time')
  expect(columns['at']).toEqual(Float64Array.of(1_704_153_600e6, 1_704_240_000e6))
})

test('columns are read as text where that is asked for', async () => {
  const path = file('codes.csv', 'code,n\n1.50,1\n2,2\n')
  const { frame } = await readTableFile(path, {}, ['code', 'elsewhere'])
  expect(frame.columns['code']).toEqual(['1.50', '2'])
  expect(frame.columns['n']).toEqual(Float64Array.of(1, 2))
})

test('yes and no stay words, and ids that no double holds stay text', async () => {
  const { types } = await read('words.csv', 'y,id\nyes,9007199254740993\nno,9007199254740995\n')
  expect(types).toEqual({ y: 'text', id: 'text' })
})

test('Parquet is recognised by its content', async () => {
  const bytes = await writeParquet(
    ['a', 'b'],
    [
      [1, 'x'],
      [2, null],
    ],
  )
  const { rows, columns } = await read('table.bin', bytes)
  expect(rows).toBe(2)
  expect(columns['b']).toEqual(['x', undefined])
})

test.each([
  ['empty.csv', '', 'file_empty'],
  ['header.csv', 'a,b\n', 'file_empty'],
  ['broken.parquet', 'PAR1 and nothing else', 'file_damaged'],
  ['infinite.csv', 'a,b\n1,2\n2,inf\n3,4\n', 'file_damaged'],
  ['beyond.csv', 'a,b\n1,2\n2,1e400\n3,4\n', 'file_damaged'],
  ['cut.csv.gz', gzipSync('a,b\n'.repeat(9000)).subarray(0, -20), 'file_damaged'],
  ['sheet.xlsx', 'PK\u0003\u0004 and more', 'file_damaged'],
  ['binary.csv', new Uint8Array([0, 159, 146, 150, 0, 1, 2, 3, 255]), 'file_damaged'],
])('%s is refused with its reason', async (name, content, code) => {
  const error = await read(name, content).catch((thrown: unknown) => thrown)
  expect(isAssayError(error, code), String(error)).toBe(true)
})

test('a path where no file is, is said so', async () => {
  await expect(readTableFile(join(folder, 'nothing.csv'))).rejects.toThrow('not a file')
  await expect(readTableFile(folder)).rejects.toThrow('not a file')
})
