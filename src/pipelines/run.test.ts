import { expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { createIds } from '../lib/ids.ts'
import { createMemoryPipelineRuns } from './memory.ts'
import { runPipeline } from './run.ts'
import type { PipelineRun } from './types.ts'

const ports = () => {
  const clock = manualClock(1_000_000)
  return {
    store: createMemoryPipelineRuns(),
    clock,
    ids: createIds(clock, (n) => new Uint8Array(n)),
  }
}
const pipeline = { name: 'learn', key: 'abc', actor: 'ada' }

test('steps run in order and the record keeps what each of them found', async () => {
  const used = ports()
  const seen: string[] = []
  const run = await runPipeline(
    pipeline,
    [
      { name: 'data', title: 'Data', run: async () => (seen.push('data'), '10 rows') },
      { name: 'learn', title: 'Learning', run: async () => (seen.push('learn'), 'AP .70') },
    ],
    used,
  )
  expect(seen).toEqual(['data', 'learn'])
  expect(run.steps.map(({ status, figure }) => [status, figure])).toEqual([
    ['done', '10 rows'],
    ['done', 'AP .70'],
  ])
  expect(await used.store.get(run.id)).toEqual(run)
})

test('a step that fails ends the run, and the record says which one and why', async () => {
  const used = ports()
  const steps = [
    { name: 'data', title: 'Data', run: () => Promise.reject(new Error('the file is truncated')) },
    { name: 'learn', title: 'Learning', run: async () => 'never' },
  ]
  await expect(runPipeline(pipeline, steps, used)).rejects.toThrow('truncated')
  const [run] = await used.store.list(1)
  expect(run).toMatchObject({ status: 'failed', problem: 'the file is truncated' })
  expect(run?.steps.map(({ status }) => status)).toEqual(['failed', 'waiting'])
})

test('the figure that a step returns is the last one shown, whatever it reported before', async () => {
  const used = ports()
  const shown: PipelineRun[] = []
  await runPipeline(
    pipeline,
    [
      {
        name: 'data',
        title: 'Data',
        run: async (report) => {
          report('half')
          return 'all'
        },
      },
    ],
    { ...used, onProgress: (run) => shown.push(run) },
  )
  expect(shown.map((run) => run.steps[0]?.figure)).toContain('half')
  expect(shown.at(-1)?.steps[0]?.figure).toBe('all')
})
