// What every store of the engine does, memory and SQLite alike.
import { describe, expect, test } from 'vitest'
import type { PipelineRun, PipelineRunStore } from '../types.ts'
import { allSteps } from './plan.ts'
import type {
  BackfillState,
  KeyParts,
  PipelineEngineStore,
  StepPlace,
  StepRecord,
} from './records.ts'

interface Opened {
  readonly store: PipelineEngineStore
  readonly runs: PipelineRunStore
  close(): Promise<void>
}

export function pipelineEngineCases(name: string, open: () => Promise<Opened>): void {
  const withStore = (act: (opened: Opened) => Promise<void>) => async () => {
    const opened = await open()
    try {
      await act(opened)
    } finally {
      await opened.close()
    }
  }

  describe(`the store of the pipeline engine: ${name}`, () => {
    test(
      'a run is listed beside others, with its steps in order',
      withStore(async ({ store, runs }) => {
        await runs.save({ ...run('pipe_0'), engine: undefined, pipeline: 'learn', startedAtUs: 1 })
        const steps = [step('pipe_1', 'b', 1), step('pipe_1', 'a', 0)]
        await store.record({ run: run('pipe_1'), steps })
        expect((await store.steps('pipe_1')).map((each) => each.step)).toEqual(['a', 'b'])
        expect((await runs.list(10)).map(({ id }) => id)).toEqual(['pipe_1', 'pipe_0'])
        expect((await runs.list(10, 'texts')).map(({ id }) => id)).toEqual(['pipe_1'])
        expect(await store.steps('pipe_2')).toEqual([])
      }),
    )

    test(
      'a step that is recorded again is replaced',
      withStore(async ({ store }) => {
        await store.record({ steps: [step('pipe_1', 'a', 0)] })
        await store.record({ steps: [{ ...step('pipe_1', 'a', 0), status: 'failed' }] })
        expect(await store.steps('pipe_1')).toMatchObject([{ status: 'failed' }])
      }),
    )

    test(
      'earlier attempts are those that were run, newest first',
      withStore(async ({ store }) => {
        const ranOrNot = ['done', 'cached', 'failed', 'running', 'waiting'] as const
        for (const [i, status] of ranOrNot.entries()) {
          const parts = status === 'cached' ? null : partsWith(i)
          const record = { ...step(`pipe_${i}`, 'a', 0), status, parts, startedAtUs: i }
          await store.record({ steps: [record] })
        }
        const earlier = await store.earlier('texts', 'a', 10)
        expect(earlier.map(({ runId, parts }) => [runId, parts.params])).toEqual([
          ['pipe_2', { days: 2 }],
          ['pipe_0', { days: 0 }],
        ])
        expect(await store.earlier('texts', 'a', 1)).toHaveLength(1)
        expect(await store.earlier('others', 'a', 1)).toEqual([])
      }),
    )

    test(
      'a result is found under its key',
      withStore(async ({ store }) => {
        const madeBy = { runId: 'pipe_1', pipeline: 'texts', step: 'a', atUs: 5 }
        const entry = { key: 'k', madeBy, figure: '7', outputs: { rows: kept('d1') }, checks: [] }
        await store.record({ cache: [entry] })
        expect(await store.cached('k')).toEqual(entry)
        expect(await store.cached('other')).toBeUndefined()
      }),
    )

    test(
      'a product of the same content keeps its version, another content makes the next',
      withStore(async ({ store }) => {
        const make = (digest: string, partition: string | null, atUs: number) =>
          store.record({
            products: [
              {
                pipeline: 'texts',
                output: 'rows',
                partition,
                kept: kept(digest),
                runId: 'r',
                atUs,
              },
            ],
          })
        await make('d1', null, 1)
        await make('d1', null, 2)
        await make('d2', null, 3)
        await make('d9', '2026-01', 4)
        expect(await store.product('texts', 'rows', null)).toMatchObject({ version: 2, atUs: 3 })
        expect(await store.product('texts', 'rows', '2026-01')).toMatchObject({ version: 1 })
        expect(await store.product('texts', 'other', null)).toBeUndefined()
        const all = await store.products('texts', 10)
        expect(all.map(({ version, atUs }) => [version, atUs])).toEqual([
          [1, 4],
          [2, 3],
          [1, 2],
        ])
      }),
    )

    test(
      'every version of every product is found page by page',
      withStore(async ({ store }) => {
        const kinds = [
          ['a', 'x', null, 'd1'],
          ['a', 'x', null, 'd2'],
          ['a', 'x', '2026-01', 'd3'],
          ['a', 'y', null, 'd4'],
          ['b', 'x', null, 'd1'],
        ] as const
        for (const [pipeline, output, partition, digest] of kinds) {
          const product = { pipeline, output, partition, kept: kept(digest), runId: 'r', atUs: 1 }
          await store.record({ products: [product] })
        }
        const found: string[] = []
        for (let page = await store.allProducts(null, 2); page.length > 0;) {
          found.push(...page.map(({ kept: { digest } }) => digest))
          page = await store.allProducts(page.at(-1)!, 2)
        }
        expect(found).toEqual(['d1', 'd2', 'd3', 'd4', 'd1'])
      }),
    )

    test(
      'what is used by runs that go on, wait or are young is found page by page',
      withStore(async ({ store }) => {
        const runs = [
          { ...run('pipe_0'), status: 'done', endedAtUs: 99 },
          { ...run('pipe_1'), status: 'failed', endedAtUs: 100 },
          { ...run('pipe_2'), status: 'running' },
          { ...run('pipe_3'), status: 'waiting' },
          { ...run('pipe_4'), status: 'interrupted', startedAtUs: 99 },
          { ...run('pipe_5'), status: 'interrupted', startedAtUs: 100 },
        ] as const
        for (const each of runs) {
          const read = { kind: 'json', digest: `in ${each.id}`, source: 'file a' } as const
          const outputs = { rows: kept(`out ${each.id}`) }
          const made = { ...step(each.id, 'a', 0), inputs: { read }, outputs }
          await store.record({ run: each, steps: [made, step(each.id, 'b', 1)] })
        }
        const found: string[] = []
        let pages = 0
        for (let after: StepPlace | null = null; pages === 0 || after !== null; pages++) {
          const page = await store.usedByRuns(100, after, 5)
          found.push(...page.objects.map(({ digest }) => digest))
          after = page.next
        }
        const used = ['pipe_1', 'pipe_2', 'pipe_3', 'pipe_5']
        expect(found).toEqual(used.flatMap((id) => [`in ${id}`, `out ${id}`]))
        expect(pages).toBe(3)
      }),
    )

    test(
      'the spread of the last version that passed takes the place of the one before',
      withStore(async ({ store }) => {
        const at = { pipeline: 'texts', step: 'a', output: 'rows', column: 'x' }
        for (const count of [1, 2]) {
          const spread = { kind: 'text', counts: { a: count } } as const
          await store.record({ spreads: [{ ...at, spread }] })
        }
        expect(await store.spreads('texts', 'a')).toEqual([
          { ...at, spread: { kind: 'text', counts: { a: 2 } } },
        ])
      }),
    )

    test(
      'backfills are kept by their ids and listed newest first',
      withStore(async ({ store }) => {
        const states = [backfill('fill_1', 1), backfill('fill_2', 2), backfill('fill_3', 2, 'b')]
        for (const state of states) await store.saveBackfill(state)
        await store.saveBackfill({ ...states[0], state: 'done' })
        expect(await store.backfill('fill_1')).toMatchObject({ state: 'done', from: 'a' })
        expect(await store.backfill('fill_4')).toBeUndefined()
        const ids = async (...args: [number, string?]) =>
          (await store.backfills(...args)).map(({ id }) => id)
        expect(await ids(10)).toEqual(['fill_3', 'fill_2', 'fill_1'])
        expect(await ids(1)).toEqual(['fill_3'])
        expect(await ids(10, 'texts')).toEqual(['fill_2', 'fill_1'])
      }),
    )

    test(
      'answers and the first cancellation of a run are kept',
      withStore(async ({ store }) => {
        const who = { identityId: 'i', identityName: 'Ada', reason: 'fine', atUs: 1 }
        const answer = {
          runId: 'pipe_1',
          step: 'look',
          verdict: 'approve',
          shown: 'h',
          ...who,
        } as const
        await store.answer(answer)
        expect(await store.answers('pipe_1')).toEqual([answer])
        await store.cancel({ runId: 'pipe_1', ...who })
        await store.cancel({ runId: 'pipe_1', ...who, reason: 'later' })
        expect(await store.cancellation('pipe_1')).toMatchObject({ reason: 'fine' })
        expect(await store.cancellation('pipe_2')).toBeUndefined()
      }),
    )

    test(
      'partitions are counted by status and listed by pages or by keys',
      withStore(async ({ store }) => {
        for (const [key, status] of [
          ['a', 'done'],
          ['b', 'failed'],
          ['c', 'done'],
        ] as const) {
          const partition = { pipeline: 'texts', key, status, runId: 'r', atUs: 1 }
          await store.record({ partitions: [partition] })
        }
        expect(await store.partitionCounts('texts')).toEqual({
          running: 0,
          done: 2,
          failed: 1,
          cancelled: 0,
        })
        const keysOf = async (query: Parameters<typeof store.partitions>[1]) =>
          (await store.partitions('texts', query)).map(({ key }) => key)
        expect(await keysOf({ limit: 2 })).toEqual(['a', 'b'])
        expect(await keysOf({ limit: 2, after: 'b' })).toEqual(['c'])
        expect(await keysOf({ limit: 9, status: 'done' })).toEqual(['a', 'c'])
        expect(await keysOf({ limit: 9, keys: ['c', 'x', 'a'] })).toEqual(['c', 'a'])
        expect(await keysOf({ limit: 9, keys: [] })).toEqual([])
      }),
    )

    test(
      'a mark is what was set last',
      withStore(async ({ store }) => {
        expect(await store.mark('trigger')).toBeUndefined()
        await store.setMark('trigger', '1')
        await store.setMark('trigger', '2')
        expect(await store.mark('trigger')).toBe('2')
      }),
    )
  })
}

const kept = (digest: string) => ({ kind: 'json', digest, bytes: 1 }) as const

export function run(id: string): PipelineRun {
  return {
    id,
    pipeline: 'texts',
    key: 'k',
    status: 'running',
    actor: 'ada',
    startedAtUs: 10,
    endedAtUs: null,
    steps: [],
    problem: null,
    engine: {
      partition: null,
      params: {},
      why: { kind: 'person', words: 'asked' },
      options: allSteps,
      backfill: null,
      declaration: 'd',
      counts: { waiting: 2 },
      runner: 'test',
    },
  }
}

export function step(runId: string, name: string, place: number): StepRecord {
  return {
    runId,
    pipeline: 'texts',
    partition: null,
    step: name,
    place,
    title: name,
    status: 'done',
    figure: '',
    startedAtUs: 1,
    endedAtUs: 2,
    before: [],
    key: 'k',
    parts: null,
    cache: null,
    attempts: [],
    inputs: {},
    outputs: {},
    checks: [],
    problem: null,
    approval: null,
  }
}

function backfill(id: string, startedAtUs: number, pipeline = 'texts'): BackfillState {
  return {
    id,
    pipeline,
    params: {},
    from: 'a',
    to: 'c',
    state: 'running',
    actor: 'ada',
    runner: 'work',
    startedAtUs,
    endedAtUs: null,
    counts: null,
    progress: { done: 0, total: 3 },
    problem: null,
  }
}

function partsWith(days: number): KeyParts {
  return {
    step: 'a',
    code: { files: { 'a.ts': 'h' }, packages: null },
    params: { days },
    inputs: {},
    environment: { assay: '1', node: '26', platform: 'x', variables: {} },
  }
}
