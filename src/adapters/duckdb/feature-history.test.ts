import fc from 'fast-check'
import { expect, test } from 'vitest'
import { duckdbDialect } from '../../features/index.ts'
import { historyEngineCases } from '../../features/sql/engine.cases.ts'
import { withDatabase } from './database.ts'
import { duckdbHistoryEngine } from './index.ts'

// A statement with every feature takes some 100 ms to plan, however few the events.
historyEngineCases('DuckDB', duckdbHistoryEngine(), 24)

/** Integers whose nearest double is hard to find: half-way between two, or just off. */
const wideIntegers = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 2n ** 53n }),
    fc.nat(72),
    fc.constantFrom(-1n, 0n, 1n),
    fc.boolean(),
  )
  .map(([bits, shift, off, negative]) => {
    const half = ((2n * bits + 1n) << BigInt(shift)) + off
    return negative ? -half : half
  })

test('an integer of 128 bits becomes the nearest double, ties to even', async () => {
  await withDatabase({}, async (connection) => {
    await fc.assert(
      fc.asyncProperty(fc.array(wideIntegers, { minLength: 1, maxLength: 200 }), async (all) => {
        const rows = all.map((value) => `(CAST('${value}' AS HUGEINT))`).join(', ')
        const sql = `SELECT ${duckdbDialect.wideToNumber('value')} FROM (VALUES ${rows}) t(value)`
        const result = await connection.runAndReadAll(sql)
        expect(result.getRows().flat()).toEqual(all.map(Number))
      }),
    )
  })
})
