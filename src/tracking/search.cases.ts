/**
 * What every tracking store must answer to searches: the same as the plain meaning of them, on
 * random runs, filters and orders. The in-memory store is that plain meaning.
 */
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ComparisonOperator, Filter } from '../lib/filter.ts'
import type { Page, PageKey } from '../lib/paging.ts'
import { createMemoryTrackingStore } from './memory.ts'
import type { TrackingStore } from './ports.ts'
import type { RunField, RunSearch, SearchOrder, StoreSearch } from './search.ts'
import type { OpenedTrackingStore } from './store.cases.ts'
import { datasetContextTag, type Metric, type Run, type Tags } from './types.ts'

// Few values each, so that they meet; among them what SQL and JavaScript see differently.
const texts = [
  '',
  'a',
  'A',
  'ä',
  'Ä',
  'ab',
  'a%b',
  'a_b',
  'a*b',
  '[a]',
  '?',
  '10',
  '9',
  '😀',
  '\uffff',
  "o'x",
]
const names = ['x', 'y', 'loss rate', '__proto__']
const numbers = [NaN, -Infinity, Infinity, -1, 0, 0.1, 0.30000000000000004, 3, 1e300]
const patterns = ['%', '_', 'a%', '%b', 'A_B', 'a*b', '[a]', '%%', 'ä', '', '_😀', '😀', 'a\\%']

const anyText = fc.constantFrom(...texts)
const anyName = fc.constantFrom(...names)
const record = <T>(value: fc.Arbitrary<T>) =>
  fc.uniqueArray(fc.tuple(anyName, value), { selector: ([name]) => name, maxLength: 3 })

const anyRun = fc.record({
  experiment: fc.constantFrom('e1', 'e2'),
  name: anyText,
  status: fc.constantFrom<Run['status']>('running', 'finished', 'failed'),
  startedAtUs: fc.integer({ min: 1, max: 4 }),
  endedAtUs: fc.option(fc.integer({ min: 4, max: 6 })),
  deleted: fc.boolean(),
  params: record(fc.oneof(anyText, fc.constantFrom(0.5, 10, 9, 1e21, true, false))),
  tags: record(anyText),
  metrics: record(fc.constantFrom(...numbers)),
  datasets: fc.uniqueArray(fc.tuple(fc.constantFrom('d1', 'd2', 'ä'), fc.option(anyText)), {
    selector: ([name]) => name,
    maxLength: 2,
  }),
})
type GeneratedRun = typeof anyRun extends fc.Arbitrary<infer T> ? T : never

const textFields = fc.oneof(
  fc.record({ of: fc.constantFrom('param' as const, 'tag' as const), name: anyName }),
  fc.record({
    of: fc.constant('attribute' as const),
    name: fc.constantFrom(
      'id' as const,
      'name' as const,
      'status' as const,
      'artifactUri' as const,
    ),
  }),
  fc.record({
    of: fc.constant('dataset' as const),
    name: fc.constantFrom('name' as const, 'digest' as const, 'context' as const),
  }),
)
const numberFields = fc.oneof(
  fc.record({ of: fc.constant('metric' as const), name: anyName }),
  fc.record({
    of: fc.constant('attribute' as const),
    name: fc.constantFrom('startedAtUs' as const, 'endedAtUs' as const),
  }),
)
const anyField: fc.Arbitrary<RunField> = fc.oneof(textFields, numberFields)

const ordering = ['=', '!=', '<', '<=', '>', '>='] as const
const finite = fc.constantFrom(...numbers.filter(Number.isFinite), 2, 5)
const texted = fc.oneof(anyText, fc.constantFrom('r1', 'r2', 'd1', 'running', 'runs:/r1'))
const comparisonOf = <T>(
  field: fc.Arbitrary<RunField>,
  op: fc.Arbitrary<ComparisonOperator>,
  value: fc.Arbitrary<T>,
) => fc.record({ field, op, value }) as fc.Arbitrary<Filter<RunField>>
const anyComparison: fc.Arbitrary<Filter<RunField>> = fc.oneof(
  comparisonOf(numberFields, fc.constantFrom(...ordering), finite),
  comparisonOf(numberFields, fc.constantFrom('in', 'not-in'), fc.array(finite, { maxLength: 3 })),
  comparisonOf(textFields, fc.constantFrom(...ordering), texted),
  comparisonOf(textFields, fc.constantFrom('in', 'not-in'), fc.array(texted, { maxLength: 3 })),
  comparisonOf(textFields, fc.constantFrom('like', 'ilike'), fc.constantFrom(...patterns)),
  fc.record({ field: anyField, op: fc.constantFrom('is-null' as const, 'is-not-null' as const) }),
)
const { filter: anyFilter } = fc.letrec<{ filter: Filter<RunField> }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    anyComparison,
    fc.record({ all: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('filter'), { maxLength: 3 }) }),
  ),
}))
const anyOrder: fc.Arbitrary<SearchOrder<RunField>[]> = fc.array(
  fc.record({ field: anyField, descending: fc.boolean() }),
  { maxLength: 2 },
)
const anySearch = fc.record({
  experimentIds: fc.constantFrom([], ['e1'], ['e1', 'e2'], ['e3']),
  filter: fc.option(anyFilter, { nil: undefined }),
  deleted: fc.constantFrom('without' as const, 'only' as const, 'with' as const),
  order: anyOrder,
})

async function fill(store: TrackingStore, runs: readonly GeneratedRun[]): Promise<void> {
  for (const id of ['e1', 'e2']) {
    const made = { createdAtUs: 1, createdBy: 'i1', updatedAtUs: 1, tags: {} }
    await store.insertExperiment({ id, name: id, ...made })
  }
  for (const [index, run] of runs.entries()) {
    const { experiment: experimentId, name, status, startedAtUs, endedAtUs } = run
    const id = `r${index}`
    const head = { id, experimentId, name, status, startedAtUs, startedBy: 'i1', updatedAtUs: 1 }
    await store.insertRun({ ...head, ...(endedAtUs !== null && { endedAtUs }) })
    await store.setParams(id, Object.fromEntries(run.params))
    await store.setTags(id, Object.fromEntries(run.tags))
    const metrics = run.metrics.map(([metric, value]): Metric => {
      return { name: metric, value, step: 0, atUs: 1 }
    })
    await store.appendMetrics(id, metrics)
    await store.addDatasets(
      id,
      run.datasets.map(([dataset, context]) => ({
        name: dataset,
        digest: `${dataset}#`,
        sourceType: 'local',
        source: 'x',
        tags: (context === null ? {} : { [datasetContextTag]: context }) as Tags,
      })),
    )
    if (run.deleted) await store.updateRun(id, { deletedAtUs: 9 })
  }
}

export async function everyPage(
  store: TrackingStore,
  search: Omit<StoreSearch<RunSearch>, 'after'>,
): Promise<Run[]> {
  const found: Run[] = []
  let after: PageKey | undefined
  do {
    const page: Page<Run> = await store.searchRuns({ ...search, after })
    expect(page.items.length).toBeLessThanOrEqual(search.limit)
    found.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return found
}

export function runSearchCases(name: string, open: () => Promise<OpenedTrackingStore>): void {
  describe(`${name}, asked for runs`, () => {
    let opened: OpenedTrackingStore
    let oracle: TrackingStore
    const runs = fc.sample(anyRun, { numRuns: 60, seed: 5 })
    beforeAll(async () => {
      opened = await open()
      oracle = createMemoryTrackingStore()
      await opened.unit.transaction(() => fill(opened.store, runs))
      await fill(oracle, runs)
    })
    afterAll(async () => {
      await opened.close?.()
    })

    test('finds and orders as the plain meaning of filter and order says', async () => {
      const property = fc.asyncProperty(anySearch, async (search) => {
        const wanted = await oracle.searchRuns({ ...search, limit: 1000 })
        const found = await opened.store.searchRuns({ ...search, limit: 1000 })
        expect(found.items.map(({ id }) => id)).toEqual(wanted.items.map(({ id }) => id))
        expect(found).toEqual(wanted)
      })
      await fc.assert(property, { numRuns: 300 })
    })

    test('turns pages over each run exactly once, in the same order', async () => {
      const property = fc.asyncProperty(
        anySearch,
        fc.integer({ min: 1, max: 9 }),
        async (search, limit) => {
          const whole = await oracle.searchRuns({ ...search, limit: 1000 })
          const paged = await everyPage(opened.store, { ...search, limit })
          expect(paged.map(({ id }) => id)).toEqual(whole.items.map(({ id }) => id))
        },
      )
      await fc.assert(property, { numRuns: 100 })
    })

    test('reads only the parts that are asked for', async () => {
      const parts = { metrics: ['x'], params: 'none', tags: 'all' } as const
      const search = { experimentIds: [], deleted: 'with', order: [], limit: 1000, parts } as const
      const found = await opened.store.searchRuns(search)
      expect(found).toEqual(await oracle.searchRuns(search))
      expect(found.items.some((run) => Object.keys(run.metrics).length > 0)).toBe(true)
      expect(found.items.flatMap((run) => Object.keys(run.params))).toEqual([])
    })

    test('says which names occur and which data sets were read', async () => {
      for (const ids of [[], ['e1'], ['e1', 'e2'], ['e3']]) {
        expect(await opened.store.columns(ids)).toEqual(await oracle.columns(ids))
        const byText = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort()
        expect(byText(await opened.store.datasets(ids))).toEqual(byText(await oracle.datasets(ids)))
      }
    })
  })
}
