import { copyFile, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, describe, expect, test } from 'vitest'
import type { Frame, FrameSchema } from '../../data/index.ts'
import { manifestHash, manifestOf } from '../../data/index.ts'
import { snapshotStoreCases } from '../../data/snapshot-store.cases.ts'
import { duckdbSnapshots, duckdbStepTables } from './index.ts'

const folders: string[] = []

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'assay-snapshots-'))
  folders.push(made)
  return made
}

afterEach(async () => {
  for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true })
})

snapshotStoreCases('DuckDB', async () => duckdbSnapshots({ directory: await folder() }))

const schema: FrameSchema = {
  columns: [
    { name: 'at', type: 'time' },
    { name: 'amount', type: 'money', currency: 'EUR', exponent: 2 },
  ],
}
const frame: Frame = {
  rows: 2,
  columns: { at: Float64Array.of(0, 1_500_000), amount: Float64Array.of(5716, NaN) },
}
const other: Frame = { ...frame, columns: { ...frame.columns, amount: Float64Array.of(1, 2) } }

describe('a snapshot’s Parquet file', () => {
  test('can be read by any engine: times as timestamps, money as whole minor units', async () => {
    const { path } = await duckdbSnapshots({ directory: await folder() }).write(frame, schema)
    const connection = await (await DuckDBInstance.create()).connect()
    const result = await connection.runAndReadAll(
      `SELECT CAST("at" AS VARCHAR), typeof("at"), amount, typeof(amount) FROM '${path}'`,
    )
    expect(result.getRows()).toEqual([
      ['1970-01-01 00:00:00', 'TIMESTAMP', 5716n, 'BIGINT'],
      ['1970-01-01 00:00:01.5', 'TIMESTAMP', null, 'BIGINT'],
    ])
    connection.closeSync()
  })

  test('is itself in a folder whose name looks like a pattern or a partition', async () => {
    const directory = join(await folder(), 'bank=7', 'home [a]*')
    const store = duckdbSnapshots({ directory })
    const { hash, path } = await store.write(frame, schema)
    expect((await store.read(hash)).columns).toEqual(frame.columns)
    const tables = duckdbStepTables()
    const { columns } = await tables.describe([path!])
    expect(columns.map(({ name }) => name)).toEqual(['at', 'amount'])
  })

  test('that was swapped or damaged is refused by name', async () => {
    const directory = await folder()
    const store = duckdbSnapshots({ directory })
    const { hash } = await store.write(frame, schema)
    await copyFile((await store.write(other, schema)).path!, join(directory, `${hash}.parquet`))
    await expect(store.read(hash)).rejects.toMatchObject({ code: 'snapshot_damaged' })
    await writeFile(join(directory, `${hash}.parquet`), 'PAR1 but not really')
    await expect(store.read(hash)).rejects.toMatchObject({ code: 'snapshot_damaged' })
    await expect(store.read('../../etc/passwd')).rejects.toMatchObject({
      code: 'snapshot_not_found',
    })
  })

  test.skipIf(process.platform !== 'linux')(
    'is not left half-written when the disk is full',
    async () => {
      const directory = await folder()
      const store = duckdbSnapshots({ directory })
      await rm((await store.write(other, schema)).path!)
      const hash = manifestHash(manifestOf(frame, schema))
      // Linux's /dev/full takes no byte: what is written to the temporary file finds no space.
      await symlink('/dev/full', join(directory, `${hash}.parquet.${process.pid}.part`))
      await expect(store.write(frame, schema)).rejects.toMatchObject({ code: 'snapshot_disk_full' })
      expect(await readdir(directory)).toEqual([])
      expect((await store.write(frame, schema)).hash).toBe(hash)
      expect(await readdir(directory)).toEqual([`${hash}.parquet`])
    },
  )

  test('that a killed process left half-written is removed before the next is written', async () => {
    const directory = await folder()
    await writeFile(join(directory, `${'0'.repeat(64)}.parquet.1.part`), 'half')
    const { hash } = await duckdbSnapshots({ directory }).write(frame, schema)
    expect(await readdir(directory)).toEqual([`${hash}.parquet`])
  })
})
