import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { pipelineEngineCases, run, step } from '../../pipelines/engine/store.cases.ts'
import { openSqlite } from './index.ts'
import { migrate } from './migrations.ts'
import { pipelineMigrations } from './pipelines.ts'
import { openTemporary } from './temporary.cases.ts'

pipelineEngineCases('SQLite', async () => {
  const { pipelineEngine: store, pipelines: runs, close } = openTemporary()
  return { store, runs, close }
})

test('runs are listed with the states of their steps, one and all alike', async () => {
  const { pipelineEngine: store, pipelines: runs, close } = openTemporary()
  onTestFinished(() => close())
  const steps = [step('pipe_1', 'b', 1), { ...step('pipe_1', 'a', 0), endedAtUs: null }]
  await store.record({ run: run('pipe_1'), steps })
  await store.record({ run: run('pipe_2'), steps: [step('pipe_2', 'a', 0)] })
  const done = { status: 'done', figure: '', startedAtUs: 1 } as const
  const [a, b] = [
    { ...done, name: 'a', title: 'a', endedAtUs: null },
    { ...done, name: 'b', title: 'b', endedAtUs: 2 },
  ]
  expect((await runs.get('pipe_1'))?.steps).toEqual([a, b])
  const listed = await runs.list(10)
  expect(listed.find(({ id }) => id === 'pipe_1')?.steps).toEqual([a, b])
  expect(listed.find(({ id }) => id === 'pipe_2')?.steps).toEqual([{ ...a, endedAtUs: 2 }])
})

test('backfills that earlier versions kept as a mark are brought over, and only they', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-sqlite-old-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = path.join(directory, 'assay.sqlite')
  const old = new DatabaseSync(file)
  const { room, migrations } = pipelineMigrations
  migrate(old, [{ room, migrations: migrations.slice(0, 2) }])
  const kept = [1, 2].map((n) => ({
    id: `fill_${n}`,
    pipeline: 'daily',
    startedAtUs: n,
    from: 'a',
  }))
  const insert = old.prepare('INSERT INTO pipeline_marks VALUES (?, ?)')
  insert.run('backfills', JSON.stringify(kept))
  insert.run('trigger/daily/1', '{"atUs":1}')
  old.close()
  const stores = openSqlite(file)
  onTestFinished(() => stores.close())
  expect(await stores.pipelineEngine.backfills(10, 'daily')).toEqual(kept.toReversed())
  expect(await stores.pipelineEngine.mark('backfills')).toBeUndefined()
  expect(await stores.pipelineEngine.mark('trigger/daily/1')).toBe('{"atUs":1}')
})
