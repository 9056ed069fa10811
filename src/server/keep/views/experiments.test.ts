import { expect, test } from 'vitest'
import { systemActor, type Identity } from '../../../access/index.ts'
import { manualClock } from '../../../lib/clock.ts'
import { createIds, systemRandomBytes } from '../../../lib/ids.ts'
import { createMemoryUnitOfWork } from '../../../lib/unit-of-work.ts'
import {
  createMemoryArtifactStore,
  createMemoryPartStore,
  createMemoryRunViews,
  createMemoryTrackingStore,
  createRunViews,
  createTracking,
} from '../../../tracking/index.ts'
import type { BodyOf, OperationName, ParamsOf, QueryOf, ResponseOf } from '../../contract/index.ts'
import type { Rooms } from '../rooms.ts'
import { experimentViews } from './experiments.ts'

const ada: Identity = {
  id: 'id_ada',
  name: 'Ada',
  kind: 'person',
  roles: ['analyst'],
  createdAtUs: 0,
}

const by = { actor: systemActor, reason: 'A test' }

async function open() {
  const clock = manualClock(1_000_000)
  const ids = createIds(clock, systemRandomBytes)
  const audit = { append: async (entry: object) => ({ ...entry, index: 0, id: 'x', atUs: 0 }) }
  const store = createMemoryTrackingStore()
  const common = { unit: createMemoryUnitOfWork([store]), audit: audit as never, clock, ids }
  const tracking = createTracking({
    ...common,
    store,
    artifacts: createMemoryArtifactStore(),
    parts: createMemoryPartStore(),
    random: systemRandomBytes,
  })
  const experiment = await tracking.ensureExperiment('card-fraud', by)
  const run = await tracking.startRun({ experimentId: experiment.id, name: 'trees' }, by)
  const runViews = createRunViews({
    ...common,
    store: createMemoryRunViews(),
  })
  const made: object[] = []
  const rooms = {
    tracking,
    runViews,
    clock,
    access: {
      identities: async () => [ada],
      createIdentity: async (identity: object) => {
        made.push(identity)
        return { ...ada, ...identity, id: 'id_program' }
      },
      issueKey: async ({ identityId }: { identityId: string }) => ({
        key: 'ak_secret',
        record: { id: `key of ${identityId}` },
      }),
    },
    registry: { registeredFrom: async () => [] },
  } as unknown as Rooms
  const views = experimentViews(rooms) as unknown as Record<
    string,
    (call: unknown) => Promise<unknown>
  >
  /** Calls one operation as the doors do, by Ada. */
  const ask = async <Name extends OperationName>(
    name: Name,
    call: { query?: QueryOf<Name>; params?: ParamsOf<Name>; body?: BodyOf<Name> } = {},
  ) =>
    (await views[name]?.({
      query: {},
      params: {},
      body: {},
      ...call,
      identity: ada,
    })) as ResponseOf<Name>
  return { tracking, experiment, run, clock, ask, made }
}

/** Three runs with other depths and scores; the first has no score yet. */
async function threeRuns() {
  const opened = await open()
  const { tracking, experiment, run } = opened
  await tracking.logParams(run.id, { depth: 2 })
  const others = []
  for (const [depth, auc] of [
    [6, 0.9],
    [4, Number.NaN],
  ] as const) {
    opened.clock.set(opened.clock.nowUs() + 1_000_000)
    const other = await tracking.startRun(
      { experimentId: experiment.id, name: `depth-${depth}` },
      by,
    )
    await tracking.log(other.id, {
      params: { depth, team: 'risk' },
      metrics: [{ name: 'auc', value: auc }],
    })
    others.push(other)
  }
  return { ...opened, others }
}

test('a list of runs has the columns that were asked for, in their order, and nothing else', async () => {
  const { ask } = await threeRuns()
  const { columns, items, total } = await ask('runs', {
    query: { columns: 'metrics.auc,params.depth,attributes.status' },
  })
  expect(columns.map(({ key }) => key)).toEqual([
    'metrics.auc',
    'params.depth',
    'attributes.status',
  ])
  expect(items.map(({ values }) => values)).toEqual([
    ['NaN', '4', 'running'],
    [0.9, '6', 'running'],
    [null, '2', 'running'],
  ])
  expect(total).toBe(3)
})

test('without a wish the usual columns come: what was measured, and the parameters that differ', async () => {
  const { ask } = await threeRuns()
  const { columns } = await ask('runs')
  const keys = columns.map(({ key }) => key)
  expect(keys).toContain('metrics.auc')
  expect(keys.indexOf('params.depth')).toBeGreaterThan(0)
})

test('usual columns are those that most of the shown runs have, whatever weighs elsewhere', async () => {
  const { ask, tracking, run, others } = await threeRuns()
  const ours = ['average_precision', 'roc_auc', 'ks', 'brier'].map((name) => ({ name, value: 0.5 }))
  await tracking.log(run.id, { metrics: ours })
  for (const { id } of others) {
    await tracking.log(id, { metrics: [{ name: 'business_value', value: 7 }] })
  }
  const metricsOf = async (query: QueryOf<'runs'>) =>
    (await ask('runs', { query })).columns
      .filter(({ kind }) => kind === 'metric')
      .map(({ name }) => name)
  const shown = await metricsOf({})
  expect(shown.slice(0, 2).sort()).toEqual(['auc', 'business_value'])
  expect(shown.slice(2)).toEqual(['average_precision', 'roc_auc'])
  expect(await metricsOf({ order: 'metrics.ks desc' })).toEqual(shown)
  expect(await metricsOf({ filter: "params.team = 'risk'" })).not.toContain('roc_auc')
})

test('a star stands for all names of a kind, and a comma in a name is written encoded', async () => {
  const { ask, tracking, run } = await threeRuns()
  await tracking.logParams(run.id, { 'a,b': 'x' })
  const all = await ask('runs', { query: { columns: 'params.*' } })
  expect(all.columns.map(({ name }) => name).sort()).toEqual(['a,b', 'depth', 'team'])
  const one = await ask('runs', { query: { columns: 'params.a%2Cb' } })
  expect(one.items.map(({ values }) => values[0])).toEqual([null, null, 'x'])
})

test('runs are ordered by any column, what has no value last in both directions', async () => {
  const { ask } = await threeRuns()
  const names = async (order: string) =>
    (await ask('runs', { query: { order } })).items.map(({ name }) => name)
  expect(await names('metrics.auc desc')).toEqual(['depth-6', 'depth-4', 'trees'])
  expect(await names('metrics.auc asc')).toEqual(['depth-6', 'depth-4', 'trees'])
  expect(await names('attributes.run_name')).toEqual(['depth-4', 'depth-6', 'trees'])
  await expect(names('attributes.duration')).rejects.toMatchObject({ code: 'filter_invalid' })
})

test('a filter speaks of metrics, parameters, people and times', async () => {
  const { ask, others } = await threeRuns()
  const names = async (filter: string) =>
    (await ask('runs', { query: { filter } })).items.map(({ name }) => name)
  expect(await names("metrics.auc > 0.8 AND params.depth = '6'")).toEqual(['depth-6'])
  expect(await names("params.depth = '2' OR (params.depth = '4' AND tags.x IS NULL)")).toEqual([
    'depth-4',
    'trees',
  ])
  expect(await names("attributes.status = 'RUNNING'")).toHaveLength(3)
  expect(await names("started > '1970-01-01'")).toHaveLength(3)
  expect(await names(`start_time >= ${(others[0]?.startedAtUs ?? 0) / 1000}`)).toHaveLength(2)
})

test('a filter that cannot be read says where it stops', async () => {
  const { ask } = await threeRuns()
  const asking = ask('runs', { query: { filter: 'metrics.auc >> 1' } })
  await expect(asking).rejects.toMatchObject({
    code: 'filter_invalid',
    extra: { position: expect.any(Number) },
  })
})

test('pages follow one another without a run twice, and another filter refuses the token', async () => {
  const { ask } = await threeRuns()
  const first = await ask('runs', { query: { limit: 2 } })
  const second = await ask('runs', { query: { limit: 2, cursor: first.next ?? '' } })
  expect([...first.items, ...second.items].map(({ name }) => name)).toEqual([
    'depth-4',
    'depth-6',
    'trees',
  ])
  expect(second.next).toBeNull()
  const other = ask('runs', { query: { limit: 2, cursor: first.next ?? '', text: 'depth' } })
  await expect(other).rejects.toMatchObject({ code: 'page_token_invalid' })
})

test('deleted runs leave the list, are found when asked for, and come back', async () => {
  const { ask, run } = await threeRuns()
  const { done, undoUntil, sentence } = await ask('deleteRuns', { body: { ids: [run.id] } })
  expect(done).toEqual([run.id])
  expect(undoUntil).not.toBeNull()
  expect(sentence).toBe('1 run deleted.')
  expect((await ask('runs')).items).toHaveLength(2)
  expect((await ask('runs', { query: { deleted: 'only' } })).items.map(({ id }) => id)).toEqual([
    run.id,
  ])
  await ask('restoreRuns', { body: { ids: [run.id] } })
  expect((await ask('runs')).items).toHaveLength(3)
})

test('where one of several ids is wrong none of the runs is deleted', async () => {
  const { ask, run } = await threeRuns()
  const wrong = ask('deleteRuns', { body: { ids: [run.id, 'run_x'] } })
  await expect(wrong).rejects.toMatchObject({ code: 'run_not_found' })
  expect((await ask('runs')).items).toHaveLength(3)
})

test('a run of a client shows its tags in words: note, source, parent and children', async () => {
  const { ask, tracking, run, others } = await threeRuns()
  const [child] = others
  await tracking.logTags(child?.id ?? '', { 'mlflow.parentRunId': run.id })
  await tracking.logTags(run.id, {
    'mlflow.note.content': 'Deeper **trees**',
    'mlflow.source.name': 'train.py',
    'mlflow.source.git.commit': 'abc123',
  })
  const seen = await ask('run', { params: { runId: run.id } })
  expect(seen).toMatchObject({
    note: 'Deeper **trees**',
    source: { name: 'train.py' },
    codeRevision: 'abc123',
    children: [{ id: child?.id, name: 'depth-6' }],
    seed: null,
  })
  const inner = await ask('run', { params: { runId: child?.id ?? '' } })
  expect(inner.parent).toMatchObject({ id: run.id })
})

test('a file that is only called like our report breaks nothing', async () => {
  const { ask, tracking, run } = await open()
  for (const content of ['no json', '{"log":[],"snapshots":[],"calibration":3}', '7']) {
    const file = { name: 'report.json', contentType: 'application/json', content }
    await tracking.logArtifact(run.id, file)
    const seen = await ask('run', { params: { runId: run.id } })
    expect(seen.roc).toBeNull()
  }
})

test('metrics of a run have their extremes and a thinned curve', async () => {
  const { ask, tracking, run } = await open()
  const values = Array.from({ length: 900 }, (_, step) => ({
    name: 'loss',
    step,
    value: step === 431 ? -5 : 1 / (step + 1),
  }))
  await tracking.logMetrics(run.id, values)
  const { items, next } = await ask('runMetrics', { params: { runId: run.id }, query: {} })
  expect(next).toBeNull()
  expect(items[0]).toMatchObject({ name: 'loss', min: -5, max: 1, step: 899 })
  expect(items[0]?.curve.length).toBeLessThanOrEqual(120)
  const { series } = await ask('runCurves', {
    query: { ids: run.id, metric: 'loss', points: 40 },
  })
  expect(series[0]?.values).toContain(-5)
  expect(series[0]?.values.length).toBeLessThanOrEqual(40)
})

test('saved views belong to who saved them', async () => {
  const { ask } = await open()
  const body = { name: 'best', view: 'order=metrics.auc%20desc', shared: true }
  const saved = await ask('saveView', { body })
  expect(saved).toMatchObject({ name: 'best', mine: true, by: { name: 'Ada' } })
  expect((await ask('savedViews')).items).toHaveLength(1)
  await ask('deleteView', { params: { viewId: saved.id } })
  expect((await ask('savedViews')).items).toEqual([])
})

test('a program gets a key of its own, shown in that answer alone', async () => {
  const { ask, made: identities } = await open()
  const made = await ask('createProgramKey', { body: { name: ' notebook ' } })
  expect(made).toEqual({ id: 'key of id_program', name: 'notebook', key: 'ak_secret' })
  expect(identities).toMatchObject([{ roles: ['analyst'] }])
  await ask('createProgramKey', { body: { name: 'switch', role: 'caller' } })
  expect(identities[1]).toMatchObject({ name: 'switch', roles: ['caller'] })
})

test('experiments are counted, renamed, deleted with their runs and restored', async () => {
  const { ask, experiment } = await open()
  const params = { experimentId: experiment.id }
  expect((await ask('experiments')).items).toMatchObject([{ name: 'card-fraud', runs: 1 }])
  expect(await ask('renameExperiment', { params, body: { name: 'cards' } })).toMatchObject({
    name: 'cards',
  })
  await ask('deleteExperiment', { params })
  expect((await ask('experiments')).items).toEqual([])
  expect((await ask('runs')).items).toEqual([])
  expect((await ask('experiments', { query: { deleted: 'only' } })).items).toHaveLength(1)
  await ask('restoreExperiment', { params })
  expect((await ask('runs')).items).toHaveLength(1)
})

test('experiments come page by page, and are found by a part of the name, the name or the id', async () => {
  const { ask, tracking, experiment } = await open()
  for (let i = 0; i < 250; i++) await tracking.ensureExperiment(`trial ${i}`, by)
  const names: string[] = []
  for (let cursor: string | undefined; ;) {
    const page = await ask('experiments', { query: { ...(cursor && { cursor }) } })
    expect(page).toMatchObject({ runs: 1 })
    names.push(...page.items.map(({ name }) => name))
    if (page.next === null) break
    cursor = page.next
  }
  expect(new Set(names).size).toBe(251)
  const found = async (query: QueryOf<'experiments'>) =>
    (await ask('experiments', { query })).items.map(({ name }) => name)
  expect(await found({ text: 'CARD' })).toEqual(['card-fraud'])
  expect(await found({ named: 'trial 7' })).toEqual(['trial 7'])
  expect(await found({ named: experiment.id })).toEqual(['card-fraud'])
})

test('more than 100 runs, or one, are not compared', async () => {
  const { ask, run } = await open()
  const many = Array.from({ length: 101 }, (_, i) => `run_${i}`).join(',')
  for (const ids of [run.id, many]) {
    const asking = ask('compareRuns', { query: { ids } })
    await expect(asking).rejects.toMatchObject({ code: 'comparison_invalid' })
  }
})

test('metrics that are called like parts of a JavaScript object have their names as titles', async () => {
  const { ask, tracking, run } = await open()
  const names = ['__proto__', 'constructor', 'toString']
  await tracking.log(run.id, { metrics: names.map((name) => ({ name, value: 1 })) })
  const { items } = await ask('runMetrics', { params: { runId: run.id }, query: {} })
  expect(items.map(({ title }) => title)).toEqual(['  proto  ', 'constructor', 'toString'])
})
