import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { fileStoreCases } from '../../tracking/files-store.cases.ts'
import { openSqlite } from './index.ts'
import { migrate } from './migrations.ts'
import { openStore } from './temporary.cases.ts'
import { trackingMigrations } from './tracking.ts'

fileStoreCases('SQLite', async () => {
  const { store, ...opened } = await openStore('tracking')
  return { ...opened, store: store.files }
})

test('the artifacts of the first versions are files of their runs', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-sqlite-old-'))
  const file = path.join(directory, 'assay.sqlite')
  try {
    const old = new DatabaseSync(file)
    migrate(old, [{ room: 'tracking', migrations: trackingMigrations.migrations.slice(0, 1) }])
    old.exec(`
      INSERT INTO tracking_experiments VALUES ('e1', 'first', 1, 'i1');
      INSERT INTO tracking_runs VALUES ('r1', 'e1', 'ended', 'finished', 2, 9, 'i1');
      INSERT INTO tracking_runs VALUES ('r2', 'e1', 'running', 'running', 3, NULL, 'i1');
      INSERT INTO tracking_artifacts VALUES ('r1', 'report.json', 'application/json', 's1', 10);
      INSERT INTO tracking_artifacts VALUES ('r1', 'model.json', 'application/json', 's2', 20);
      INSERT INTO tracking_artifacts VALUES ('r2', 'report.json', 'text/plain', 's1', 10);`)
    old.close()
    const stores = openSqlite(file)
    const { tracking } = stores
    expect((await tracking.run('r1'))?.artifacts).toEqual([
      { name: 'model.json', contentType: 'application/json', sha256: 's2', size: 20 },
      { name: 'report.json', contentType: 'application/json', sha256: 's1', size: 10 },
    ])
    const times = await Promise.all(
      ['r1', 'r2'].map(
        async (id) => (await tracking.files.file({ kind: 'run', id }, 'report.json'))?.putAtUs,
      ),
    )
    expect(times).toEqual([9, 3])
    await stores.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
