import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { systemActor } from '../../access/index.ts'
import { manualClock } from '../../lib/clock.ts'
import { createSeal, createWebhooks, versionHash, type Notice } from '../../registry/index.ts'
import { openSqlite } from './index.ts'
import { registryMigrations } from './registry.ts'
import { openTemporary } from './temporary.cases.ts'

/** A record as a home of the first release holds it, byte for byte, and its hash. */
const oldRecord =
  '{"model":"card-fraud","project":"bank","kind":"boosted-trees","version":1,' +
  `"modelHash":"${'m'.repeat(64)}","build":{"declaration":"trees","runId":"run_1",` +
  '"snapshots":{"transactions":"s1"},"featureSets":[{"name":"handbook","version":"f1"}],' +
  '"label":"fraud","learner":{"kind":"boosted-trees","trees":100},"split":{"train":[1,2]},' +
  '"codeRevision":"c1","seed":42},"thresholds":{"decline":0.30000000000000004},' +
  '"metrics":{"roc_auc":{"value":0.871,"low":0.86,"high":0.88,"n":58264}},' +
  '"trainedBy":["identity_1"],"registeredBy":"identity_1","registeredAtUs":1534000000000001,' +
  '"hash":"OLD"}'
const oldHash = '104cf1e9fc4223f44c592854e33c6f2d4d3e4bb846d35b016601e143dfaa5e61'

test('records of the first release read on with the hash that they always had', async () => {
  const opened = openTemporary()
  const file = path.join(opened.directory, 'old.sqlite')
  const old = new DatabaseSync(file)
  old.exec('CREATE TABLE schema_versions (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
  old.exec(registryMigrations.migrations[0].sql)
  old.exec("INSERT INTO schema_versions VALUES ('registry', 1)")
  old.exec("INSERT INTO registry_models VALUES ('card-fraud', 'bank', 7, 'identity_1')")
  old
    .prepare("INSERT INTO registry_versions VALUES ('card-fraud', 1, ?, ?, 'refused', 'Weak')")
    .run(oldHash, oldRecord.replace('OLD', oldHash))
  old.exec("INSERT INTO registry_aliases VALUES ('card-fraud', 'stable', 1)")
  old.close()

  const { registry, close } = openSqlite(file)
  const version = await registry.version('card-fraud', 1)
  expect(version && versionHash(version)).toBe(oldHash)
  expect(await registry.labelled('card-fraud', 1)).toMatchObject({
    labels: { stage: 'none', tags: {}, updatedAtUs: 1534000000000001 },
    aliases: ['stable'],
  })
  expect(await registry.model('card-fraud')).toMatchObject({ updatedAtUs: 7, tags: {} })
  expect(await registry.nameUse('card-fraud')).toEqual({ now: 'card-fraud', lastVersion: 1 })
  for (const input of [
    { kind: 'snapshot', name: 'transactions', hash: 's1' },
    { kind: 'feature-set', name: 'handbook', hash: 'f1' },
  ] as const) {
    const known = { versions: [{ model: 'card-fraud', version: 1 }], more: false }
    expect(await registry.trainedOn(input, 1)).toEqual(known)
  }
  expect(await registry.statusCounts()).toEqual({ refused: 1 })
  // Whether it was ever approved is not known, so no retention removes it.
  await registry.changeLabels('card-fraud', 1, { deletedAtUs: 10 })
  expect(await registry.removable(11, 9)).toEqual([])
  await close()
  await opened.close()
})

test('what was to be told survives the end of the process after the commit', async () => {
  const opened = openTemporary()
  const by = { actor: systemActor, reason: 'Test' }
  const told: string[] = []
  let made = 0
  const desk = ({ webhooks: store, unit }: Pick<typeof opened, 'webhooks' | 'unit'>) =>
    createWebhooks({
      store,
      unit,
      clock: manualClock(5_000_000),
      policy: { allowPrivate: false },
      audit: { append: async () => undefined as never },
      ids: (prefix) => `${prefix}_${made++}`,
      seal: createSeal(new Uint8Array(32), (length) => new Uint8Array(length)),
      isPrompt: async () => false,
      send: async ({ body }) => {
        told.push(body)
        return { status: 200, body: '' }
      },
    })
  const notice: Notice = { event: 'model_version_alias.deleted', model: 'churn', alias: 'next' }
  const first = desk(opened)
  const events = [notice.event] as const
  await first.create({ name: 'hook', url: 'https://example.com/', events }, by)
  await opened.unit.transaction(() => first.notify(notice))
  const undone = opened.unit.transaction(async () => {
    await first.notify(notice)
    throw new Error('no')
  })
  await expect(undone).rejects.toThrow('no')
  // The process is gone without a goodbye: nothing was closed, and nothing had been sent.
  const again = openSqlite(path.join(opened.directory, 'assay.sqlite'))
  expect(await desk(again).deliverDue()).toBe(1)
  expect(told.map((body) => JSON.parse(body).data)).toEqual([{ name: 'churn', alias: 'next' }])
  expect(await desk(again).deliverDue()).toBe(0)
  await again.close()
  await opened.close()
})
