import { describe, expect, test } from 'vitest'
import { sliceFrame, type Frame, type FrameSchema } from './frame.ts'
import type { SnapshotStore } from './ports.ts'

const schema: FrameSchema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'at', type: 'time' },
    { name: 'amount', type: 'money', currency: 'EUR', exponent: 2 },
    { name: 'score', type: 'number' },
    { name: 'online', type: 'boolean' },
    { name: 'odd "name"', type: 'text' },
    { name: 'author', type: 'text' },
  ],
}

/** A frame with the extremes of every type, `rows` rows long. */
function extremes(rows: number): Frame {
  const cycle = <T>(...values: T[]): T[] =>
    Array.from({ length: rows }, (_, row) => values[row % values.length])
  return {
    rows,
    columns: {
      id: Float64Array.from({ length: rows }, (_, row) => row - 3),
      at: Float64Array.from(cycle(0, 1_522_540_831_000_001, NaN, -1, 7_258_118_400_000_000)),
      amount: Float64Array.from(cycle(2 ** 53 - 1, -(2 ** 53 - 1), 0, NaN, 5716)),
      score: Float64Array.from(cycle(0.1, -1e-308, 1.7976931348623157e308, NaN, 5e-324)),
      online: Float64Array.from(cycle(0, 1, NaN)),
      'odd "name"': cycle<string | undefined>(
        '',
        'a',
        undefined,
        'ü€😀',
        "it's",
        'long '.repeat(100),
      ),
      author: new Array<string | undefined>(rows).fill(undefined),
    },
  }
}

/** What every store of snapshots must do. */
export function snapshotStoreCases(name: string, open: () => Promise<SnapshotStore>): void {
  describe(`${name} as a snapshot store`, () => {
    test.each([0, 1, 5000])('gives back every value of %i rows exactly', async (rows) => {
      const store = await open()
      const frame = extremes(rows)
      const { hash } = await store.write(frame, schema)
      expect(await store.read(hash)).toEqual(frame)
    })

    test('names a snapshot by its content alone', async () => {
      const store = await open()
      const first = await store.write(extremes(10), schema)
      // Written down, because a change of the hash would orphan every snapshot there is.
      expect(first.hash.slice(0, 12)).toBe('e0825d598e1c')
      expect(await store.write(extremes(10), schema)).toEqual(first)
      const other = extremes(10)
      ;(other.columns['amount'] as Float64Array)[3] = 1
      expect((await store.write(other, schema)).hash).not.toBe(first.hash)
      const dollars = {
        columns: schema.columns.map((c) => (c.currency ? { ...c, currency: 'USD' } : c)),
      }
      expect((await store.write(extremes(10), dollars)).hash).not.toBe(first.hash)
    })

    test('reads only the columns that are asked for', async () => {
      const store = await open()
      const { hash } = await store.write(extremes(10), schema)
      const frame = await store.read(hash, { columns: ['score', 'id'] })
      expect(Object.keys(frame.columns)).toEqual(['score', 'id'])
      expect(frame.columns['id']).toEqual(extremes(10).columns['id'])
      await expect(store.read(hash, { columns: ['nope'] })).rejects.toMatchObject({
        code: 'snapshot_column_unknown',
      })
    })

    test('describes what it holds', async () => {
      const store = await open()
      const { hash } = await store.write(extremes(10), schema)
      expect(await store.describe(hash)).toMatchObject({ hash, rows: 10, schema })
      expect(await store.describe('0'.repeat(64))).toBeUndefined()
      await expect(store.read('0'.repeat(64))).rejects.toMatchObject({ code: 'snapshot_not_found' })
    })

    test('gives back a snapshot in parts as it does one in one piece, under the same name', async () => {
      const whole = await (await open()).write(extremes(50), schema)
      const store = await open()
      const cut = await store.write(extremes(50), schema, { parts: [0, 10, 11, 40] })
      expect(cut.hash).toBe(whole.hash)
      expect(cut.parts.map(({ rows }) => rows)).toEqual([10, 1, 29, 10])
      expect(await store.read(cut.hash)).toEqual(extremes(50))
      expect(await store.read(cut.parts[1].hash)).toEqual(sliceFrame(extremes(50), 10, 11))
      const some = await store.read(cut.hash, { columns: ['odd "name"', 'at'] })
      expect(some.columns['at']).toEqual(extremes(50).columns['at'])
      expect(await store.describe(cut.hash)).toEqual(cut)
    })

    test('stores a part that two snapshots share once', async () => {
      const store = await open()
      const other = extremes(50)
      ;(other.columns['id'] as Float64Array)[45] = 1000
      const first = await store.write(extremes(50), schema, { parts: [0, 20, 40] })
      const second = await store.write(other, schema, { parts: [0, 20, 40] })
      expect(second.hash).not.toBe(first.hash)
      expect(second.parts.slice(0, 2)).toEqual(first.parts.slice(0, 2))
      expect(second.parts[2]).not.toEqual(first.parts[2])
      // Two snapshots, and four parts of the six that they name.
      const stored = await store.stored()
      expect(stored).toHaveLength(6)
      const partsOf = new Map(stored.map(({ hash, parts }) => [hash, parts]))
      expect(partsOf.get(second.hash)).toEqual(second.parts.map(({ hash }) => hash))
      expect(partsOf.get(second.parts[0].hash)).toEqual([])
    })

    test('removes what is left over, and nothing that was used since', async () => {
      const store = await open()
      const { hash, parts } = await store.write(extremes(50), schema, { parts: [0, 25] })
      const used = (await store.stored()).map(({ usedAtUs }) => usedAtUs)
      await store.remove(parts[0].hash, Math.min(...used))
      expect(await store.read(hash)).toEqual(extremes(50))
      await store.remove(hash, Infinity)
      expect(await store.describe(hash)).toBeUndefined()
      for (const part of parts) await store.remove(part.hash, Infinity)
      expect(await store.stored()).toEqual([])
      await store.write(extremes(50), schema, { parts: [0, 25] })
      expect(await store.read(hash)).toEqual(extremes(50))
    })

    test('hands out copies, so that nobody changes a snapshot', async () => {
      const store = await open()
      const { hash } = await store.write(extremes(10), schema)
      const frame = await store.read(hash)
      ;(frame.columns['id'] as Float64Array).fill(0)
      expect(await store.read(hash)).toEqual(extremes(10))
    })
  })
}
