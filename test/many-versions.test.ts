import { mkdtempSync, rmSync } from 'node:fs'
import { StatementSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openSqlite } from '../src/adapters/sqlite/index.ts'
import { decisionErrors } from '../src/decisions/index.ts'
import { manualClock } from '../src/lib/clock.ts'
import { createRegistry, versionHash, type ModelVersion } from '../src/registry/index.ts'
import { dataInUse } from '../src/roles/data-in-use.ts'
import { dataVersionViews } from '../src/server/keep/views/data-versions.ts'
import { featureViews } from '../src/server/keep/views/features.ts'
import { governanceViews } from '../src/server/keep/views/governance.ts'
import { lineageViews } from '../src/server/keep/views/lineage.ts'
import { modelViews } from '../src/server/keep/views/models.ts'
import { overviewViews } from '../src/server/keep/views/overview.ts'
import { policyViews } from '../src/server/keep/views/policy.ts'
import type { Rooms } from '../src/server/keep/rooms.ts'

const VERSIONS = 20_000
/** Rows that one answer may take, whatever the bank has: it names 200 things at most. */
const ROWS_MAX = 1000

const directory = mkdtempSync(join(tmpdir(), 'assay-many-versions-'))
const stores = openSqlite(join(directory, 'assay.sqlite'))
const clock = manualClock(1_000_000)
const registry = createRegistry({
  store: stores.registry,
  unit: stores.unit,
  clock,
  audit: { append: async () => undefined as never },
  models: { put: async () => undefined as never, get: async () => undefined },
})

function versionOf(version: number): ModelVersion {
  const immutable = {
    model: 'card-fraud',
    project: 'bank',
    kind: 'boosted-trees',
    version,
    modelHash: 'm'.repeat(64),
    build: {
      declaration: 'trees',
      runId: `run_${version}`,
      snapshots: { payments: 's1' },
      featureSets: [{ name: 'handbook', version: 'f1' }],
      label: 'fraud',
      learner: {},
      split: {},
      codeRevision: 'c1',
      seed: 1,
    },
    thresholds: {},
    metrics: {},
    trainedBy: ['identity_1'],
    registeredBy: 'identity_1',
    registeredAtUs: version,
  }
  const status = version === 7 ? 'live' : version % 3 === 0 ? 'refused' : 'candidate'
  return { ...immutable, hash: versionHash(immutable), status, statusReason: 'Test' }
}

beforeAll(async () => {
  const empty = { tags: {}, updatedAtUs: 1 }
  await stores.unit.transaction(async () => {
    const model = { name: 'card-fraud', project: 'bank', createdAtUs: 1, createdBy: 'identity_1' }
    await stores.registry.insertModel({ ...model, ...empty })
    for (let n = 1; n <= VERSIONS; n++) {
      await stores.registry.insertVersion(versionOf(n), { stage: 'none', ...empty })
    }
  })
}, 120_000)
afterAll(async () => {
  await stores.close()
  rmSync(directory, { recursive: true })
})

/** The rows that SQLite gave for an answer, and the answer. */
async function read<T>(ask: () => Promise<T>): Promise<{ rows: number; answer: T }> {
  const all = vi.spyOn(StatementSync.prototype, 'all')
  try {
    const answer = await ask()
    const rows = all.mock.results.reduce(
      (sum, { value }) => sum + (Array.isArray(value) ? value.length : 0),
      0,
    )
    return { rows, answer }
  } finally {
    all.mockRestore()
  }
}

const set = { name: 'handbook', version: 'f1', source: 'payments', description: '', features: [] }
const rooms = {
  ...stores,
  registry,
  clock,
  project: () => undefined,
  decide: { namespaces: async () => [], status: async () => ({ latency: { p99Us: null, n: 0 } }) },
  serving: { current: async () => undefined, history: async () => [] },
  afterReviews: { list: async () => [] },
  reviewCapacity: async () => null,
  livePolicy: () => Promise.reject(decisionErrors.policy_not_found('No policy is live.')),
  tracking: {
    run: async (id: string) => ({ id, name: id, status: 'finished', datasets: [], tags: {} }),
    runs: async () => [],
    artifact: async () => undefined,
  },
  versions: {
    history: async () => ({
      versions: [
        {
          number: 1,
          hash: 'v1',
          lastSnapshot: 's1',
          rows: 1,
          origin: { name: 'a' },
          fromUs: null,
          toUs: null,
          recordedAtUs: 1,
        },
      ],
      tags: [],
      holds: [],
      retention: null,
      next: null,
    }),
  },
} as unknown as Rooms
const call = (more: object) =>
  ({ query: {}, params: {}, body: {}, identity: { roles: [] }, ...more }) as never

test('the count sees every row of a read of them all', async () => {
  expect((await read(() => registry.versions('card-fraud'))).rows).toBe(VERSIONS)
})

test('the overview counts versions and reads the live one alone', async () => {
  const { rows, answer } = await read(() => overviewViews(rooms).overview(call({})))
  expect(rows).toBeLessThan(20)
  expect(answer).toMatchObject({
    strip: expect.arrayContaining([
      expect.objectContaining({
        stage: 'model',
        target: expect.objectContaining({ id: 'card-fraud/7' }),
      }),
      expect.objectContaining({ stage: 'gate', figure: '13,334', unit: 'passed, 6,666 refused' }),
    ]),
  })
})

test('data, features, lineage and search name the first versions and say that there are more', async () => {
  const data = await read(() =>
    dataVersionViews(rooms).datasetVersions(call({ params: { dataset: 'payments' } })),
  )
  expect(data.answer).toMatchObject({ items: [{ usedByMore: true }] })
  const features = await read(() =>
    featureViews({
      ...rooms,
      project: () => ({ featureSets: [set], policies: [], sources: [] }) as never,
    }).features(call({})),
  )
  expect(features.answer).toMatchObject({ sets: [{ usedByMore: true }] })
  const query = { kind: 'snapshot', id: 'payments/s1', direction: 'down' }
  const lineage = await read(() => lineageViews(rooms).lineage(call({ query })))
  expect(lineage.answer).toMatchObject({ cut: true })
  const found = await read(() =>
    policyViews(rooms).search(call({ query: { q: 'card-fraud 19999' } })),
  )
  expect(found.answer).toMatchObject({ items: [{ target: { id: 'card-fraud/19999' } }] })
  for (const { rows } of [data, features, lineage, found]) expect(rows).toBeLessThan(ROWS_MAX)
})

test('the list of models and governance count versions and read those they show', async () => {
  const standing = { state: 'ready', message: '', required: 2, given: 0, approvals: [] }
  const governed = {
    ...rooms,
    models: async () => [],
    access: { identities: async () => [] },
    governance: {
      inventory: async () => [{ model: 'card-fraud', updatedAtUs: 1 }],
      inventoryEntry: async () => undefined,
      standing: async () => standing,
      card: async () => undefined,
      gate: async () => undefined,
      gateRuns: async () => [],
    },
  } as unknown as Rooms
  const models = await read(() => modelViews(governed as never).models(call({})))
  expect(models.answer).toMatchObject({
    items: [{ versions: VERSIONS, live: { version: 7 }, latest: { version: VERSIONS } }],
  })
  const governance = await read(() => governanceViews(governed).governance(call({})))
  expect(governance.answer).toMatchObject({
    inventory: [{ live: { id: 'card-fraud/7' } }],
    waitingMore: true,
  })
  for (const { rows } of [models, governance]) expect(rows).toBeLessThan(ROWS_MAX)
})

test('what retention asks is read without the versions that hold no data', async () => {
  const { rows, answer } = await read(() => dataInUse(registry, stores.pipelines))
  expect(answer.hashes).toEqual(new Set(['s1']))
  expect(rows).toBeLessThan(10)
})
