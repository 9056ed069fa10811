/** Reuse of parts in files: what is written, and what a crash leaves. */
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { partStarts, type Frame, type FrameSchema } from '../../data/index.ts'
import { DAY_US } from '../../lib/time.ts'
import { duckdbSnapshots } from './index.ts'

const folders: string[] = []

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'assay-parts-'))
  folders.push(made)
  return made
}

afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true })
})

const schema: FrameSchema = {
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'at', type: 'time' },
    { name: 'amount', type: 'money', currency: 'EUR', exponent: 2 },
    { name: 'channel', type: 'text' },
  ],
}

/** Payments, evenly over days; pseudo-random so that Parquet cannot shrink them to nothing. */
function paymentsOver(days: number, rows: number): Frame {
  const channels = ['card', 'transfer', undefined]
  let state = 1
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  return {
    rows,
    columns: {
      id: Float64Array.from({ length: rows }, (_, row) => row),
      at: Float64Array.from({ length: rows }, (_, row) => Math.floor((row * days * DAY_US) / rows)),
      amount: Float64Array.from({ length: rows }, () => random() % 100_000),
      channel: Array.from({ length: rows }, () => channels[random() % 3]),
    },
  }
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name))).size
  return bytes
}

describe('a file that comes again', () => {
  test(
    'with one of 180 days changed writes less than 5 % of 2 million rows',
    { timeout: 60_000 },
    async () => {
      const directory = await folder()
      const store = duckdbSnapshots({ directory })
      const frame = paymentsOver(180, 2_000_000)
      const parts = partStarts(frame.columns['at'] as Float64Array)
      expect(parts).toHaveLength(180)
      const first = await store.write(frame, schema, { parts })
      const full = await bytesIn(directory)

      const amounts = frame.columns['amount'] as Float64Array
      for (let row = parts[90]; row < parts[91]; row += 3) amounts[row] += 1
      const second = await store.write(frame, schema, { parts })
      const written = (await bytesIn(directory)) - full
      expect(second.hash).not.toBe(first.hash)
      expect(written).toBeGreaterThan(0)
      expect(written / full).toBeLessThan(0.05)
      const changed = second.parts.filter(({ hash }, index) => hash !== first.parts[index].hash)
      expect(changed).toHaveLength(1)
      expect((await store.read(second.hash)).columns['amount']).toEqual(amounts)
    },
  )

  test('reads as it was taken in, whatever its parts', async () => {
    const directory = await folder()
    const store = duckdbSnapshots({ directory })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 199 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 199 }), { maxLength: 3 }),
        async (rows, cuts, changes) => {
          const frame = paymentsOver(20, rows)
          const channel = frame.columns['channel'] as (string | undefined)[]
          for (const row of changes) if (row < rows) channel[row] = `changed "${row}", ü`
          const inside = cuts.filter((cut) => cut < rows).sort((a, b) => a - b)
          const { hash } = await store.write(frame, schema, { parts: [0, ...inside] })
          expect(await store.read(hash)).toEqual(frame)
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('a snapshot in parts', () => {
  test('whose part was lost or swapped is refused by name', async () => {
    const directory = await folder()
    const store = duckdbSnapshots({ directory })
    const { hash, parts } = await store.write(paymentsOver(4, 40), schema, { parts: [0, 10, 20] })
    await rm(parts[1].path!)
    await expect(store.read(hash)).rejects.toMatchObject({ code: 'snapshot_damaged' })
    // Written again, it is whole again.
    await store.write(paymentsOver(4, 40), schema, { parts: [0, 10, 20] })
    expect(await store.read(hash)).toEqual(paymentsOver(4, 40))
    await writeFile(join(directory, `${hash}.parts.json`), '{"manifest":{}}')
    await expect(store.read(hash)).rejects.toMatchObject({ code: 'snapshot_damaged' })
    await writeFile(join(directory, `${hash}.parts.json`), 'half a lis')
    await expect(store.read(hash)).rejects.toMatchObject({ code: 'snapshot_damaged' })
  })

  test('counts as used when it is written again, so that a cleaner leaves it', async () => {
    const directory = await folder()
    const store = duckdbSnapshots({ directory })
    await store.write(paymentsOver(4, 40), schema, { parts: [0, 10] })
    const long = new Date('2020-01-01')
    for (const name of await readdir(directory)) await utimes(join(directory, name), long, long)
    const before = Date.parse('2021-01-01') * 1000
    expect((await store.stored()).every(({ usedAtUs }) => usedAtUs < before)).toBe(true)
    await store.write(paymentsOver(4, 40), schema, { parts: [0, 10] })
    for (const { hash } of await store.stored()) expect(await store.remove(hash, before)).toBe(0)
    expect(await readdir(directory)).toHaveLength(3)
  })
})
