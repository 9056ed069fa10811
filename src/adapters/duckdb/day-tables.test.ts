import fc from 'fast-check'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ExportRow } from '../../decisions/index.ts'
import { literal, withDatabase } from './database.ts'
import { openDayTables } from './day-tables.ts'

function folder(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-days-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function write(directory: string, rows: readonly (readonly [string, ExportRow])[]) {
  const tables = await openDayTables(directory)
  for (const [day, row] of rows) await tables.add('decisions', day, row)
  const written = await tables.finish()
  await tables.close()
  return written
}

const read = (file: string) =>
  withDatabase({}, async (connection) => {
    const result = await connection.runAndReadAll(
      `SELECT * FROM read_parquet(${literal(file)}, hive_partitioning = false)`,
    )
    return result.getRowObjectsJson()
  })

test('a day is a folder, and a second export of it gives the same bytes', async () => {
  const directory = folder()
  const row = (sequence: number) => ({ sequence, received_at: sequence * 1_000_000, rules: ['a'] })
  const rows = [1, 2, 3].map((n) => [n < 3 ? '2026-01-01' : '2026-01-02', row(n)] as const)
  const written = await write(directory, rows)
  expect(written.map(({ file, rows: n }) => [path.relative(directory, file), n])).toEqual([
    ['decisions/day=2026-01-01/decisions.parquet', 2],
    ['decisions/day=2026-01-02/decisions.parquet', 1],
  ])
  const [{ file }] = written
  expect(await read(file)).toMatchObject([
    { sequence: '1', received_at: '1970-01-01 00:00:01', rules: ['a'] },
    { sequence: '2' },
  ])
  const before = readFileSync(file)
  await write(directory, rows)
  expect(readFileSync(file).equals(before)).toBe(true)
  expect(readdirSync(directory)).toEqual(['decisions'])
})

test('an export that breaks off leaves what was there before', async () => {
  const directory = folder()
  const [{ file }] = await write(directory, [['2026-01-01', { sequence: 1 }]])
  const before = readFileSync(file)
  const tables = await openDayTables(directory)
  await tables.add('decisions', '2026-01-01', { sequence: 2 })
  await tables.close()
  expect(readFileSync(file).equals(before)).toBe(true)
  expect(existsSync(file)).toBe(true)
  expect(readdirSync(directory)).toEqual(['decisions'])
})

test('numbers and texts come back as they were, bit for bit', async () => {
  const row = fc.record({
    score: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
    input_amount: fc.maxSafeInteger(),
    input_text: fc.string({ unit: 'grapheme' }),
    late: fc.boolean(),
    features: fc.array(
      fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (drawn) => {
      const rows = drawn.map((each) => JSON.parse(JSON.stringify(each)) as ExportRow)
      const [{ file }] = await write(
        folder(),
        rows.map((each) => ['2026-01-01', each] as const),
      )
      const found = await read(file)
      expect(
        found.map((each) => ({ ...each, input_amount: Number(each['input_amount']) })),
      ).toEqual(rows)
    }),
    { numRuns: 20 },
  )
})
