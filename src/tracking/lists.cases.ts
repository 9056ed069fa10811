/**
 * What every tracking store must answer about experiments, logged models and curves: the same as the
 * in-memory store, which is their plain meaning.
 */
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PageKey } from '../lib/paging.ts'
import { createMemoryTrackingStore } from './memory.ts'
import type { HistoryKey, TrackingStore } from './ports.ts'
import type { ExperimentSearch, LoggedModelSearch, StoreSearch } from './search.ts'
import type { OpenedTrackingStore } from './store.cases.ts'
import type { Metric } from './types.ts'

export function trackingListCases(name: string, open: () => Promise<OpenedTrackingStore>): void {
  describe(`${name}, asked for experiments, logged models and curves`, () => {
    let opened: OpenedTrackingStore
    let both: readonly TrackingStore[]
    beforeEach(async () => {
      opened = await open()
      both = [opened.store, createMemoryTrackingStore()]
    })
    afterEach(async () => {
      await opened.close?.()
    })

    /** Does the same to the store and to the plain one. */
    const onBoth = async (work: (store: TrackingStore) => Promise<unknown>) => {
      for (const store of both) await opened.unit.transaction(() => work(store))
    }
    const same = async <T>(ask: (store: TrackingStore) => Promise<T>): Promise<T> => {
      const [found, wanted] = await Promise.all(both.map(ask))
      expect(found).toEqual(wanted)
      return found
    }
    const experiment = (id: string, more: object = {}) => {
      return { id, name: id, createdAtUs: 1, createdBy: 'i1', updatedAtUs: 1, tags: {}, ...more }
    }
    const run = (id: string, experimentId: string) => {
      const times = { startedAtUs: 1, updatedAtUs: 1 }
      return { id, experimentId, name: id, status: 'running' as const, startedBy: 'i1', ...times }
    }

    test('searches experiments by name, time and tag, page by page', async () => {
      await onBoth(async (store) => {
        await store.insertExperiment(experiment('a', { tags: { team: 'x' } }))
        await store.insertExperiment(experiment('B', { createdAtUs: 2, tags: { team: 'y' } }))
        await store.insertExperiment(experiment('c', { artifactLocation: 's3://x' }))
        await store.insertExperiment(experiment('d'))
        await store.updateExperiment('d', { deletedAtUs: 4 })
      })
      const tag = { of: 'tag', name: 'team' } as const
      const attribute = (of: 'name' | 'createdAtUs') => ({ of: 'attribute', name: of }) as const
      const filters: ExperimentSearch['filter'][] = [
        undefined,
        { field: tag, op: '=', value: 'x' },
        { field: tag, op: 'is-null' },
        { field: attribute('name'), op: 'ilike', value: 'b%' },
        { field: attribute('createdAtUs'), op: '>', value: 1 },
      ]
      const orders: ExperimentSearch['order'][] = [
        [],
        [{ field: tag, descending: true }],
        [{ field: attribute('name'), descending: false }],
      ]
      for (const filter of filters) {
        for (const order of orders) {
          for (const deleted of ['without', 'only', 'with'] as const) {
            let after: PageKey | undefined
            do {
              const search: StoreSearch<ExperimentSearch> = {
                filter,
                order,
                deleted,
                limit: 2,
                after,
              }
              after = (await same((store) => store.searchExperiments(search))).next
            } while (after !== undefined)
          }
        }
      }
    })

    test('takes runs and models along with an experiment, and brings back only those', async () => {
      await onBoth(async (store) => {
        await store.insertExperiment(experiment('e'))
        for (const id of ['r1', 'r2']) await store.insertRun(run(id, 'e'))
        await store.updateRun('r2', { deletedAtUs: 5 })
        expect(await store.deleteContents('e', 5)).toBe(1)
      })
      const all = { experimentIds: [], deleted: 'only', order: [], limit: 10 } as const
      expect((await same((store) => store.searchRuns(all))).items).toHaveLength(2)
      await onBoth(async (store) => expect(await store.restoreContents('e')).toBe(1))
      const left = await same((store) => store.searchRuns(all))
      expect(left.items.map(({ id }) => id)).toEqual(['r2'])
    })

    test('searches logged models by metric on a data set, param, tag and attribute', async () => {
      await onBoth(async (store) => {
        for (const id of ['e', 'f']) await store.insertExperiment(experiment(id))
        await store.insertRun(run('r1', 'e'))
        for (const [index, id] of ['m1', 'm2', 'm3'].entries()) {
          await store.insertLoggedModel({
            id,
            experimentId: index === 2 ? 'f' : 'e',
            name: `model ${id}`,
            modelType: 'trees',
            ...(index === 0 && { sourceRunId: 'r1' }),
            status: 'pending',
            createdAtUs: 7,
            updatedAtUs: 7,
            createdBy: 'i1',
            params: { depth: String(index) },
            tags: index === 1 ? { a: 'b' } : {},
          })
        }
        const measure = (modelId: string, value: number, dataset?: string): Metric => {
          const ref = dataset === undefined ? {} : { dataset: { name: dataset, digest: '1' } }
          return { name: 'auc', value, step: 0, atUs: 1, modelId, ...ref }
        }
        await store.appendMetrics('r1', [
          measure('m1', 0.7),
          measure('m1', 0.9, 'test'),
          measure('m2', 0.8, 'test'),
          measure('m2', 0.95, 'train'),
          measure('m3', NaN),
        ])
        await store.updateLoggedModel('m2', { status: 'ready', statusMessage: 'ok' })
        await store.setLoggedModelTags('m1', { c: 'd' })
      })
      const auc = { of: 'metric', name: 'auc' } as const
      const first = { experimentIds: [], deleted: 'without', order: [], limit: 1 } as const
      const searches: Partial<StoreSearch<LoggedModelSearch>>[] = [
        {},
        { experimentIds: ['e'] },
        { filter: { field: auc, op: '>', value: 0.85 } },
        { filter: { field: auc, op: '>', value: 0.85 }, datasets: [{ name: 'test' }] },
        { order: [{ field: auc, descending: true }] },
        { order: [{ field: auc, descending: true }], datasets: [{ name: 'test', digest: '1' }] },
        { datasets: [{ name: 'test' }], onlyMeasured: true },
        { datasets: [{ name: 'train', digest: '1' }, { name: 'none' }], onlyMeasured: true },
        { datasets: [{ name: 'train', digest: '2' }], onlyMeasured: true },
        { onlyMeasured: true },
        { order: [{ field: { of: 'param', name: 'depth' }, descending: true }] },
        { filter: { field: { of: 'tag', name: 'a' }, op: '=', value: 'b' } },
        { filter: { field: { of: 'attribute', name: 'sourceRunId' }, op: 'is-null' } },
        { order: [{ field: { of: 'attribute', name: 'sourceRunId' }, descending: false }] },
      ]
      for (const search of searches) {
        let after: PageKey | undefined
        do {
          const asked = { ...first, ...search, after }
          after = (await same((store) => store.searchLoggedModels(asked))).next
        } while (after !== undefined)
      }
    })

    test('does not add a value again that a run has logged, where it is repeated for a model', async () => {
      await onBoth(async (store) => {
        await store.insertExperiment(experiment('e'))
        await store.insertRun(run('r1', 'e'))
        const logged: Metric = { name: 'auc', value: 0.5, step: 0, atUs: 1 }
        await store.appendMetrics('r1', [logged])
        await store.appendMetrics('r1', [{ ...logged, modelId: 'm-1' }])
        await store.appendMetrics('r1', [{ ...logged, value: 0.6, modelId: 'm-1' }])
        await store.appendMetrics('r1', [logged])
      })
      const { metrics } = await same((store) => store.metricHistory('r1', 'auc', { limit: 9 }))
      expect(metrics.map(({ value }) => value)).toEqual([0.5, 0.6, 0.5])
    })

    test('gives a history page by page, each value once, in order', async () => {
      await onBoth(async (store) => {
        await store.insertExperiment(experiment('e'))
        await store.insertRun(run('r1', 'e'))
        const steps = [3, 1, 1, 2, 1, 3]
        const metrics = steps.map((step, index): Metric => {
          return { name: 'auc', value: index, step, atUs: index % 2 }
        })
        await store.appendMetrics('r1', metrics.slice(0, 3))
        await store.appendMetrics('r1', metrics.slice(3))
      })
      const values: number[] = []
      let after: HistoryKey | undefined
      do {
        const place = after
        const page = await same((s) => s.metricHistory('r1', 'auc', { limit: 2, after: place }))
        values.push(...page.metrics.map(({ value }) => value))
        after = page.next
      } while (after !== undefined)
      expect(values).toEqual([2, 4, 1, 3, 0, 5])
    })

    test('turns pages over each run once while others start and go', async () => {
      await onBoth((store) => store.insertExperiment(experiment('e')))
      const add = (id: string, startedAtUs: number) =>
        onBoth((store) => store.insertRun({ ...run(id, 'e'), startedAtUs }))
      for (let index = 0; index < 10; index++) await add(`r${index}`, 10 + (index % 3))
      const seen: string[] = []
      let after: PageKey | undefined
      do {
        const search = {
          experimentIds: ['e'],
          deleted: 'without',
          order: [],
          limit: 3,
          after,
        } as const
        const page = await same((store) => store.searchRuns(search))
        seen.push(...page.items.map(({ id }) => id))
        after = page.next
        await add(`new ${seen.length}`, 99)
        await onBoth((store) => store.updateRun(seen.at(-1)!, { deletedAtUs: 1 }))
      } while (after !== undefined)
      expect(seen.toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => `r${index}`))
    })

    test('thins a curve without losing the extremes of any of its ranges', async () => {
      const value = fc.oneof(
        fc.constantFrom(NaN, 0, 1, Infinity),
        fc.double().map((x) => x + 0),
      )
      const curve = fc.array(
        fc.record({
          value,
          step: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(0), fc.maxSafeInteger()),
          atUs: fc.integer({ min: 0, max: 40 }),
        }),
        { maxLength: 80 },
      )
      await onBoth(async (store) => {
        await store.insertExperiment(experiment('e'))
        await store.insertRun(run('r1', 'e'))
      })
      let curves = 0
      const property = fc.asyncProperty(
        curve,
        fc.boolean(),
        fc.integer({ min: 4, max: 30 }),
        fc.option(fc.integer({ min: -20, max: 20 }), { nil: undefined }),
        async (points, oneStep, most, fromStep) => {
          const logged = `curve ${curves++}`
          const metrics = points.map((p) => ({ ...p, name: logged, ...(oneStep && { step: 7 }) }))
          await onBoth((store) => store.appendMetrics('r1', metrics))
          const query = { runIds: ['r1', 'none'], name: logged, fromStep, points: most }
          const [found, none] = await same((store) => store.metricHistories(query))
          expect(none.metrics).toEqual([])
          expect(found.metrics.length).toBeLessThanOrEqual(most)
          const inside = metrics
            .map(({ step, value: measured }) => ({ step, value: measured }))
            .filter(({ step }) => fromStep === undefined || step >= fromStep)
          const sampled = await same((store) => store.metricSamples('r1', query))
          expect(sampled).toHaveLength(Math.min(most, inside.length))
          const numbers = inside.map((m) => m.value).filter((v) => !Number.isNaN(v))
          const kept = found.metrics.map((m) => m.value)
          if (numbers.length > 0) {
            expect(kept).toContain(numbers.reduce((a, b) => (b < a ? b : a)))
            expect(kept).toContain(numbers.reduce((a, b) => (b > a ? b : a)))
          }
        },
      )
      await fc.assert(property, { numRuns: 120 })
    })

    test('purges runs, models and empty experiments, and nothing beside them', async () => {
      await onBoth(async (store) => {
        for (const id of ['e', 'f'])
          await store.insertExperiment(experiment(id, { tags: { a: id } }))
        for (const [id, of] of [
          ['r1', 'e'],
          ['r2', 'e'],
          ['r3', 'f'],
        ]) {
          await store.insertRun(run(id, of))
          await store.setParams(id, { p: id })
          await store.setTags(id, { t: id })
          await store.appendMetrics(id, [{ name: 'auc', value: 1, step: 0, atUs: 0 }])
          const dataset = { name: 'd', digest: '1', sourceType: 's', source: 's', tags: {} }
          await store.addDatasets(id, [dataset])
          await store.addModelInputs(id, ['m1'])
          await store.addModelOutputs(id, [{ modelId: 'm2', step: 1 }])
        }
        await store.deleteContents('f', 3)
        await store.updateRun('r1', { deletedAtUs: 9 })
        await store.updateExperiment('f', { deletedAtUs: 3 })
        const old = (kind: 'experiment' | 'run' | 'logged-model', us: number, after?: string) =>
          store.deletedBefore(kind, us, { limit: 1, after })
        expect(await old('experiment', 9)).toEqual(['f'])
        expect(await old('run', 9)).toEqual(['r3'])
        expect(await old('logged-model', 9)).toEqual([])
        expect(await old('run', 10)).toEqual(['r1'])
        expect(await old('run', 10, 'r1')).toEqual(['r3'])
        expect(await old('run', 10, 'r3')).toEqual([])
        await store.purgeRuns(['r1'])
        expect(await store.purgeExperiments(['f', 'e'])).toEqual([])
        await store.purgeRuns(['r3'])
        expect(await store.purgeExperiments(['f', 'e'])).toEqual(['f'])
      })
      const everything = { experimentIds: [], deleted: 'with', order: [], limit: 9 } as const
      const { items } = await same((store) => store.searchRuns(everything))
      expect(items.map(({ id }) => id)).toEqual(['r2'])
      const columns = await same((store) => store.columns([]))
      expect(columns.params).toEqual([{ name: 'p', runs: 1 }])
      expect((await same((store) => store.datasets([]))).length).toBe(1)
      expect(await same((store) => store.experimentByName('f'))).toBeUndefined()
    })
  })
}
