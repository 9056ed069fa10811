import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTimestamp } from '../lib/time.ts'
import { compileSource } from './compile.ts'
import { category, eventTime, id, integer, key, money, number, source } from './declarations.ts'
import { createMemoryDifferences } from './difference-memory.ts'
import type { DatasetDifference, DifferenceEngine, DifferenceRequest } from './difference.ts'
import { fraudContract } from './example.cases.ts'
import { labelsSchema, sourceSchema, type Frame } from './frame.ts'
import { createMemorySnapshots } from './memory.ts'
import type { SnapshotStore } from './ports.ts'

const columns = {
  payment: id(),
  at: eventTime(),
  customer: key('text', { personal: true, nullable: true }),
  amount: money('EUR', { nullable: true }),
  score: number({ nullable: true }),
  channel: category(['card', 'transfer'], { nullable: true }),
}
const contract = compileSource(source('payments', { columns }))

interface Payment {
  readonly id: number | string
  readonly at: number
  readonly customer?: string | undefined
  readonly amount?: number | undefined
  readonly score?: number | undefined
  readonly channel?: string | undefined
}

const start = parseTimestamp('2018-04-01')!

function frameOf(rows: readonly Payment[]): Frame {
  const ids = rows.map((row) => row.id)
  return {
    rows: rows.length,
    columns: {
      payment: ids.every((one) => typeof one === 'number')
        ? Float64Array.from(ids)
        : ids.map(String),
      at: Float64Array.from(rows, (row) => start + row.at),
      customer: rows.map((row) => row.customer),
      amount: Float64Array.from(rows, (row) => row.amount ?? NaN),
      score: Float64Array.from(rows, (row) => row.score ?? NaN),
      channel: rows.map((row) => row.channel),
    },
  }
}

export interface DifferenceStores {
  readonly snapshots: SnapshotStore
  readonly differences: DifferenceEngine
}

/** Writes rows as a version of one snapshot, in parts of so many rows. */
async function version(
  { snapshots }: Pick<DifferenceStores, 'snapshots'>,
  rows: readonly Payment[],
  rowsOfPart = Infinity,
): Promise<string[]> {
  if (rows.length === 0) return []
  const frame = frameOf(rows)
  const parts = rows.map((_, row) => row).filter((row) => row % rowsOfPart === 0 || row === 0)
  return [(await snapshots.write(frame, sourceSchema(contract, frame), { parts })).hash]
}

const payment = fc.record({
  id: fc.integer({ min: 0, max: 12 }),
  at: fc.integer({ min: 0, max: 3 }),
  customer: fc.option(fc.constantFrom('a', 'ü', '😀', 'zz'), { nil: undefined }),
  amount: fc.option(fc.integer({ min: -2, max: 2 }), { nil: undefined }),
  score: fc.option(fc.constantFrom(0.1, 1e-300, -2.5, 0.30000000000000004), { nil: undefined }),
  channel: fc.option(fc.constantFrom('card', 'transfer'), { nil: undefined }),
})

/** What must be equal: how much was read is the engine's own affair, and float sums may differ in the last digits. */
function comparable({ parts: _, profile, ...rest }: DatasetDifference) {
  const round = (mean: number | null) => (mean === null ? null : Number(mean.toPrecision(12)))
  return {
    ...rest,
    profile: profile?.map(({ before, after, ...column }) => ({
      ...column,
      before: { ...before, mean: round(before.mean) },
      after: { ...after, mean: round(after.mean) },
    })),
  }
}

/** What every engine of differences must do. */
export function differenceCases(name: string, open: () => Promise<DifferenceStores>): void {
  describe(`${name} as an engine of differences`, () => {
    const between = (before: readonly string[], after: readonly string[]): DifferenceRequest => ({
      before: { contract, snapshots: before },
      after: { contract, snapshots: after },
      rowsMax: 100,
      profile: true,
    })

    test('tells rows that were added, removed and changed, and in which columns', async () => {
      const stores = await open()
      const kept = { id: 1, at: 0, customer: 'a', amount: 5, channel: 'card' }
      const old = { id: 2, at: 1, customer: 'b', amount: 7, score: 0.5 }
      const before = await version(stores, [kept, old, { id: 3, at: 2 }])
      const now = { ...old, customer: 'c', amount: undefined }
      const after = await version(stores, [kept, now, { id: 4, at: 3, customer: 'd' }])
      const found = await stores.differences.compare(between(before, after))
      expect(found.rows).toEqual({ before: 3, after: 3, added: 1, removed: 1, changed: 1 })
      expect(found.columns).toEqual([
        { column: 'customer', changed: 1 },
        { column: 'amount', changed: 1 },
      ])
      expect(found.sample.changed).toEqual([
        {
          id: '2',
          atUs: start + 1,
          columns: ['customer', 'amount'],
          before: { at: start + 1, customer: '(personal)', amount: 7, score: 0.5, channel: null },
          after: { at: start + 1, customer: '(personal)', amount: null, score: 0.5, channel: null },
        },
      ])
      expect(found.sample.added).toMatchObject([{ id: '4', before: null }])
      expect(found.sample.removed).toMatchObject([{ id: '3', after: null }])
    })

    test('finds nothing between equal versions, whatever their parts', async () => {
      const stores = await open()
      const rows = Array.from({ length: 20 }, (_, row) => ({ id: row, at: row, amount: row }))
      const whole = await version(stores, rows)
      const cut = [
        ...(await version(stores, rows.slice(0, 7))),
        ...(await version(stores, rows.slice(7))),
      ]
      for (const after of [whole, cut]) {
        const found = await stores.differences.compare(between(whole, after))
        expect(found.rows).toEqual({ before: 20, after: 20, added: 0, removed: 0, changed: 0 })
        expect(found.columns).toEqual([])
      }
    })

    test('counts rows that a version holds twice, and a part that it names twice, as often', async () => {
      const stores = await open()
      const rows = [
        { id: 1, at: 0 },
        { id: 2, at: 1 },
      ]
      const once = await version(stores, rows, 1)
      const twice = [...once, ...once]
      const more = await stores.differences.compare(between(once, twice))
      expect(more.rows).toEqual({ before: 2, after: 4, added: 2, removed: 0, changed: 0 })
      const fewer = await stores.differences.compare(between(twice, once))
      expect(fewer.rows).toEqual({ before: 4, after: 2, added: 0, removed: 2, changed: 0 })
    })

    test('takes a number and its text for one id', async () => {
      const stores = await open()
      const before = await version(stores, [
        { id: 1, at: 0 },
        { id: 2, at: 1 },
      ])
      const after = await version(stores, [
        { id: 1, at: 0 },
        { id: 2, at: 1 },
        { id: 'x', at: 2 },
      ])
      const { rows } = await stores.differences.compare(between(before, after))
      expect(rows).toMatchObject({ added: 1, removed: 0, changed: 0 })
    })

    test('compares what both contracts have, and names what they have not', async () => {
      const stores = await open()
      const { score: _, ...others } = columns
      const newer = compileSource(
        source('payments', { columns: { ...others, amount: money('USD'), branch: integer() } }),
      )
      const before = await version(stores, [{ id: 1, at: 0, amount: 5, score: 1, channel: 'card' }])
      const frame = frameOf([{ id: 1, at: 0, amount: 6, channel: 'transfer' }])
      const withBranch = { ...frame, columns: { ...frame.columns, branch: Float64Array.of(9) } }
      const { hash } = await stores.snapshots.write(withBranch, sourceSchema(newer, withBranch))
      const found = await stores.differences.compare({
        ...between(before, [hash]),
        after: { contract: newer, snapshots: [hash] },
      })
      expect(found.schema).toEqual({
        contractBefore: contract.version,
        contractAfter: newer.version,
        added: ['branch'],
        removed: ['score'],
        retyped: [{ column: 'amount', before: 'money, EUR', after: 'money, USD' }],
      })
      // Amounts in different currencies are not compared.
      expect(found.columns).toEqual([{ column: 'channel', changed: 1 }])
    })

    test('hides ids that are personal', async () => {
      const stores = await open()
      const hidden = compileSource(
        source('payments', { columns: { ...columns, payment: id({ personal: true }) } }),
      )
      const after = await version(stores, [{ id: 4711, at: 0 }])
      const { sample } = await stores.differences.compare({
        ...between([], after),
        after: { contract: hidden, snapshots: after },
      })
      expect(sample.added).toMatchObject([{ id: '(personal)' }])
    })

    test('pairs labels of one event, of which there may be many', async () => {
      const stores = await open()
      const labelled = async (
        rows: readonly (readonly [id: number, value: number, at: number])[],
      ) => {
        const frame: Frame = {
          rows: rows.length,
          columns: {
            event_id: Float64Array.from(rows, ([event]) => event),
            value: Float64Array.from(rows, ([, value]) => value),
            event_time: Float64Array.from(rows, () => NaN),
            arrival_time: Float64Array.from(rows, ([, , at]) => at),
            arrival_assumed: Float64Array.from(rows, () => 0),
            author: rows.map(() => undefined),
          },
        }
        return [(await stores.snapshots.write(frame, labelsSchema(frame))).hash]
      }
      const before = await labelled([
        [1, 0, 10],
        [2, 0, 11],
        [1, 0, 12],
        [2, 1, 13],
      ])
      const after = await labelled([
        [1, 0, 10],
        [1, 1, 12],
        [2, 1, 13],
        [3, 1, 14],
        [3, 1, 14],
      ])
      const { rows, columns: changed } = await stores.differences.compare({
        ...between(before, after),
        before: { contract: fraudContract, snapshots: before },
        after: { contract: fraudContract, snapshots: after },
      })
      expect(rows).toEqual({ before: 4, after: 5, added: 2, removed: 1, changed: 1 })
      expect(changed).toEqual([{ column: 'value', changed: 1 }])
    })

    test('shows at most as many rows as are asked for, and counts all', async () => {
      const stores = await open()
      const rows = Array.from({ length: 300 }, (_, row) => ({ id: row, at: row }))
      const after = await version(stores, rows)
      const few = await stores.differences.compare({ ...between([], after), rowsMax: 3 })
      expect(few.rows.added).toBe(300)
      expect(few.sample.added.map((row) => row.id)).toEqual(['0', '1', '2'])
      const many = await stores.differences.compare({ ...between([], after), rowsMax: 1000 })
      expect(many.sample.added).toHaveLength(100)
    })

    test('says when a version’s files are gone', async () => {
      const { differences } = await open()
      const gone = differences.compare(between(['0'.repeat(64)], []))
      await expect(gone).rejects.toMatchObject({ code: 'snapshot_not_found' })
    })

    test(
      'finds on any two versions what a comparison of all rows finds',
      { timeout: 60_000 },
      async () => {
        const stores = await open()
        const memory = createMemorySnapshots()
        const naive = createMemoryDifferences(memory)
        const rows = fc.array(payment, { maxLength: 25 })
        await fc.assert(
          fc.asyncProperty(
            rows,
            rows,
            fc.integer({ min: 2, max: 9 }),
            async (base, fresh, rowsOfPart) => {
              // The second version keeps most of the first, so that parts are shared.
              const next = [...base.slice(0, Math.max(0, base.length - 4)), ...fresh.slice(0, 6)]
              const request = between(
                await version(stores, base, rowsOfPart),
                await version(stores, next, rowsOfPart),
              )
              const found = await stores.differences.compare(request)
              await version({ snapshots: memory }, base, rowsOfPart)
              await version({ snapshots: memory }, next, rowsOfPart)
              expect(comparable(found)).toEqual(comparable(await naive.compare(request)))
            },
          ),
          { numRuns: 60 },
        )
      },
    )
  })
}
