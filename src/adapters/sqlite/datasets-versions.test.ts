import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { snapshotRecord } from '../../data/catalog.cases.ts'
import { by } from '../../data/example.cases.ts'
import { datasetHash, type SnapshotRecord } from '../../data/index.ts'
import { versionStoreCases } from '../../data/versions-store.cases.ts'
import { dataMigrations } from './datasets.ts'
import { openSqlite } from './index.ts'
import { migrate } from './migrations.ts'
import { openForTest } from './temporary.cases.ts'

versionStoreCases('SQLite', async () => openForTest())

/** A metadata file as a home from before versions has it. */
function oldFile(records: readonly SnapshotRecord[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'assay-versions-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'assay.sqlite')
  const database = new DatabaseSync(path)
  const { room, migrations } = dataMigrations
  migrate(database, [{ room, migrations: migrations.slice(0, 1) }])
  const insert = database.prepare(
    'INSERT INTO data_snapshots (dataset, hash, mode, rowCount, fromUs, toUs, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  for (const record of records) {
    const { dataset, hash, mode, rows, fromUs, toUs } = record
    insert.run(dataset, hash, mode, rows, fromUs, toUs, JSON.stringify(record))
  }
  database.close()
  return path
}

test('a home from before versions has one for each ingestion that it recorded', async () => {
  const labels = { dataset: 'fraud', kind: 'labels', ingestion: 'ing_1' } as const
  const old = [
    snapshotRecord(1),
    snapshotRecord(7, labels),
    snapshotRecord(2, { mode: 'append' }),
    snapshotRecord(3),
    snapshotRecord(4, { mode: 'append', ingestion: 'ing_4' }),
    snapshotRecord(5, { mode: 'append', ingestion: 'ing_4' }),
  ]
  const { versions, catalog, close } = openSqlite(oldFile(old))
  onTestFinished(() => close())
  const found = await versions.versions('payments')
  expect(found).toMatchObject([
    { number: 4, parent: 3, rows: 120, snapshots: 3, recordedBy: null, reason: null },
    { number: 3, parent: 2, rows: 30, snapshots: 1, mode: 'replace' },
    { number: 2, parent: 1, rows: 30, snapshots: 2, mode: 'append', recordedAtUs: 2 },
    { number: 1, parent: null, rows: 10, snapshots: 1 },
  ])
  expect(found[2].hash).toBe(datasetHash([old[0], old[2]]))
  expect(await versions.versionsNamed('payments', found[2].hash.slice(0, 10))).toEqual([found[2]])
  expect(await versions.versions('fraud')).toMatchObject([{ number: 1, rows: 70 }])

  // Old and new versions are one sequence, and an old one can come back.
  await catalog.record([snapshotRecord(6, { mode: 'append' })], by)
  expect(await versions.version('payments', 5)).toMatchObject({ rows: 180, parent: 4 })
  const back = await versions.restore({ dataset: 'payments', number: 2, atUs: 9 }, by)
  expect(back).toMatchObject({ number: 6, restores: 2, hash: found[2].hash })
})
