import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { openSqlite } from './index.ts'
import { migrate } from './migrations.ts'
import { trackingMigrations } from './tracking.ts'

test('runs of the first version keep all that was logged to them', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-tracking-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = path.join(directory, 'assay.sqlite')
  const old = new DatabaseSync(file)
  migrate(old, [{ room: 'tracking', migrations: trackingMigrations.migrations.slice(0, 1) }])
  old.exec(`
    INSERT INTO tracking_experiments VALUES ('e1', 'cards', 1, 'i1');
    INSERT INTO tracking_runs VALUES ('r1', 'e1', 'trees', 'finished', 2, 9, 'i1'),
      ('r0', 'e1', 'lines', 'running', 3, NULL, 'i1');
    INSERT INTO tracking_params VALUES ('r1', 'text', '"ä \\"x\\""'), ('r1', 'rate', '0.1'),
      ('r1', 'fast', 'true'), ('r1', 'like a number', '"7"');
    INSERT INTO tracking_tags VALUES ('r1', 'a', 'b');
    INSERT INTO tracking_metrics VALUES (1, 'r1', 'auc', 0.1, NULL, NULL, NULL, 2, 5),
      (2, 'r1', 'auc', 0.2, 0.1, 0.3, 50, 1, 5), (3, 'r1', 'auc', 0.3, NULL, NULL, NULL, 2, 5);
    INSERT INTO tracking_metrics_latest VALUES ('r1', 'auc', 0.3, NULL, NULL, NULL, 2, 5);
    INSERT INTO tracking_artifacts VALUES ('r1', 'roc.json', 'application/json', '${'a'.repeat(64)}', 2);`)
  old.close()

  const { tracking, unit, close } = openSqlite(file)
  onTestFinished(close)
  expect(await tracking.experiment('e1')).toMatchObject({ name: 'cards', updatedAtUs: 1, tags: {} })
  const run = await tracking.run('r1')
  expect(run).toMatchObject({
    endedAtUs: 9,
    updatedAtUs: 9,
    params: { text: 'ä "x"', rate: 0.1, fast: true, 'like a number': '7' },
    tags: { a: 'b' },
    metrics: { auc: { value: 0.3, step: 2 } },
    artifacts: [{ name: 'roc.json', size: 2 }],
  })
  await unit.transaction(() =>
    tracking.appendMetrics('r1', [{ name: 'auc', value: 0.4, step: 2, atUs: 5 }]),
  )
  const { metrics } = await tracking.metricHistory('r1', 'auc', { limit: 10 })
  expect(metrics.map(({ value }) => value)).toEqual([0.2, 0.1, 0.3, 0.4])
  expect(metrics[0]).toMatchObject({ low: 0.1, high: 0.3, n: 50 })
  const everything = { experimentIds: ['e1'], deleted: 'without', order: [], limit: 9 } as const
  const { items } = await tracking.searchRuns(everything)
  expect(items.map(({ id }) => id)).toEqual(['r0', 'r1'])
  expect((await tracking.columns(['e1'])).metrics).toEqual([{ name: 'auc', runs: 1 }])
})
