import { expect, test } from 'vitest'
import { parseTimestamp } from '../../lib/time.ts'
import { runBackfill } from './backfill.ts'
import { pipeline, step } from './declare.ts'
import { allSteps, loadedPipeline } from './plan.ts'
import type { BackfillCounts } from './records.ts'
import { localAttempts, testEngine } from './runner.cases.ts'
import { partitionBy } from './when.ts'

function dailyEngine() {
  const ran: string[] = []
  const failing = new Set<string>()
  const count = step('count', {
    params: { day: '' },
    outputs: { counted: 'json' },
    async run({ params, outputs }) {
      ran.push(params.day)
      if (failing.has(params.day)) throw new Error('no data')
      await outputs.counted.write(params.day)
    },
  })
  const daily = pipeline('daily', {
    steps: ({ partition }) => ({ count: count({ params: { day: partition } }) }),
    partitions: partitionBy.day({ from: '2023-11-01' }),
  })
  const use = daily.steps['count']
  if (use.kind !== 'step-use') throw new Error('It is a step.')
  const engine = testEngine({ attempts: localAttempts(() => ({ count: use.step })) })
  engine.manual.set(parseTimestamp('2023-11-20T12:00:00Z')!)
  const fill = (
    from: string,
    to: string,
    onPartition: (key: string) => void = () => {},
    signal = new AbortController().signal,
  ): Promise<BackfillCounts> =>
    runBackfill(
      {
        directory: engine.folder,
        pipeline: loadedPipeline(daily),
        params: {},
        options: allSteps,
        why: { kind: 'person', words: 'a test' },
        actor: 'ada',
        backfill: 'fill_1',
        runner: 'test',
        from,
        to,
      },
      {
        ...engine.ports,
        begin: (run) => engine.runs.save(run),
        onPartition: ({ key }) => onPartition(key),
      },
      signal,
    )
  return { ...engine, fill, ran, failing }
}

test('a backfill runs each partition of a range once, and again only those that are not done', async () => {
  const { fill, failing, ran, store, runs } = dailyEngine()
  failing.add('2023-11-03')
  const first = await fill('2023-11-01', '2023-11-04')
  expect(first).toEqual({ total: 4, done: 3, failed: 1, known: 0, left: 0 })
  expect(await store.partitionCounts('daily')).toMatchObject({ done: 3, failed: 1 })
  failing.clear()
  const second = await fill('2023-11-01', '2023-11-05')
  expect(second).toEqual({ total: 5, done: 2, failed: 0, known: 3, left: 0 })
  expect(ran.filter((day) => day === '2023-11-03')).toHaveLength(2)
  const [newest] = await runs.list(1, 'daily')
  expect(newest.engine).toMatchObject({ backfill: 'fill_1', why: { words: 'Backfill fill_1' } })
})

test('a stopped backfill leaves the rest, and goes on with it', async () => {
  const { fill } = dailyEngine()
  const stop = new AbortController()
  const first = await fill('2023-11-01', '2023-11-10', () => stop.abort('stopped'), stop.signal)
  expect(first.left).toBeGreaterThan(5)
  const { done, known } = await fill('2023-11-01', '2023-11-10')
  expect(done + known).toBe(10)
  expect(known).toBe(first.done)
})

test('a range must lie among the partitions that there are', async () => {
  const { fill } = dailyEngine()
  await expect(fill('2023-10-31', '2023-11-02')).rejects.toThrow(
    'no partition "2023-10-31": 2023-11-01 to 2023-11-19',
  )
  await expect(fill('2023-11-19', '2023-11-20')).rejects.toThrow('no partition "2023-11-20"')
  await expect(fill('2023-11-05', '2023-11-04')).rejects.toThrow('lies before')
})
