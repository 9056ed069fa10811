import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { csvField } from '../../data/index.ts'
import { csvToParquet } from './csv-to-parquet.ts'
import { duckdbParquetRows } from './parquet-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-csv-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const columns = [
  { name: 'row', type: 'number' },
  { name: 'score "x"', type: 'number' },
  { name: "why, o'why", type: 'text' },
] as const

async function rowsOf(path: string): Promise<string[][]> {
  const rows: string[][] = []
  const { columns: found, batches } = await duckdbParquetRows().open(path)
  expect(found).toEqual(columns.map(({ name }) => name))
  for await (const batch of batches) rows.push(...batch.map((row) => [...row]))
  return rows
}

const cell = fc.oneof(
  fc.constantFrom('', 'a', '"', 'a,b', 'two\nlines', 'two\r\nlines', 'NULL', 'é', '#x', "it's"),
  fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0')),
)
const row = fc.record({
  score: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
  why: fc.option(cell, { nil: undefined }),
})

test('rows are the same in Parquet, wherever one file ended and the next began', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), fc.nat(30), async (rows, cut) => {
      const lines = rows.map(({ score, why }, at) => {
        const text = why === undefined ? '' : csvField(why)
        return `${at},${score === undefined ? '' : String(score)},${text}\n`
      })
      const write = (name: string, content: readonly string[]) => {
        writeFileSync(join(folder, name), content.join(''))
        return join(folder, name)
      }
      const to = (name: string) => join(folder, name)
      await csvToParquet([write('all.csv', lines)], columns, to('one.parquet'))
      const parts = [write('a.csv', lines.slice(0, cut)), write('b.csv', lines.slice(cut))]
      await csvToParquet(parts, columns, to('two.parquet'))
      const [one, two] = ['one.parquet', 'two.parquet'].map((name) =>
        createHash('sha256')
          .update(readFileSync(to(name)))
          .digest('hex'),
      )
      expect(two).toBe(one)
      const got = await rowsOf(to('one.parquet'))
      expect(got.map(([, score]) => (score === '' ? undefined : Number(score) + 0))).toEqual(
        rows.map(({ score }) => (score === undefined ? undefined : score + 0)),
      )
      expect(got.map(([, , why]) => why)).toEqual(rows.map(({ why }) => why ?? ''))
    }),
    { numRuns: 30 },
  )
})

test('no files are a table without rows', async () => {
  await csvToParquet([], columns, join(folder, 'none.parquet'))
  expect(await rowsOf(join(folder, 'none.parquet'))).toEqual([])
})
