import { expect, onTestFinished, test } from 'vitest'
import { pipelineEngineCases, run, step } from '../../pipelines/engine/store.cases.ts'
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
