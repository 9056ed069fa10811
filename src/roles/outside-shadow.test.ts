// Challengers in shadow by the very ways that `decide` asks them: a thread that falls, a server that hangs.
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { closeServices, openBank } from '../../test/running-bank.ts'
import { deployment, memoryDeployments, payment } from '../../test/small-bank.ts'
import { startRemoteModel } from '../../test/system/remote-model.ts'
import { createModelThreads, openRemote, type ModelRuntime } from '../serving/index.ts'
import { outsideModels } from './outside-models.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await closeServices()
  for (const end of ends.splice(0).toReversed()) await end()
})

/** A thread whose model ends it when it is asked. */
const falls = `
const { parentPort } = require('node:worker_threads')
const signature = {
  inputs: [{ name: 'AMOUNT', datatype: 'FP64', shape: [-1] }],
  outputs: [{ name: 'chance', datatype: 'FP64', shape: [-1] }],
}
parentPort.on('message', ({ id, request: { act } }) => {
  const done = (answer) => parentPort.postMessage({ kind: 'done', id, answer })
  if (act === 'open') return done({ kind: 'opened', platform: 'test', signature })
  if (act === 'close') return done({ kind: 'closed' })
  process.exit(1)
})
parentPort.postMessage({ kind: 'ready' })
`

async function fallingThread(): Promise<ModelRuntime> {
  const threads = createModelThreads({ start: () => new Worker(falls, { eval: true }) })
  ends.push(() => threads.close())
  return threads.open({ file: 'graph.json', hash: 'served' })
}

async function hangingServer(): Promise<ModelRuntime> {
  const remote = await startRemoteModel('graph', ['AMOUNT'], 0.5)
  ends.push(() => remote.close())
  const runtime = await openRemote({ url: remote.url, model: 'graph' }, { allowPrivate: false })
  remote.behaviour = 'hangs'
  return runtime
}

test.each([
  ['a thread that falls', fallingThread],
  ['a server that hangs', hangingServer],
])('%s in shadow leaves every answer to the champion, and is told as no score', async (_, open) => {
  const runtime = await open()
  const deployments = memoryDeployments()
  const { policy } = deployment()
  const model = {
    name: 'graph',
    number: 2,
    version: 'graph 2',
    body: { kind: 'outside', features: ['AMOUNT'], served: 'served' },
  } as const
  const challenger = {
    name: 'graph',
    model,
    thresholds: { decline: 0.9, review: 0.5 },
    traffic: { mode: 'shadow', share: 1 },
  } as const
  const fallback = {
    deadlineMs: 50,
    lastGood: true,
    outcome: 'review',
    failures: 5,
    pauseS: 60,
  } as const
  const hash = deployments.add(
    deployment({
      policy: { ...policy, fallback },
      sticky: 'customer',
      challengers: [challenger],
    }),
  )
  const { answer, remote, service, warnings } = await openBank({
    deployments,
    outsideModels: outsideModels({ runtimeOf: () => runtime }),
  })
  const by = { namespace: 'live', actor: 'ann', reason: 'r' }
  await remote.switchDeployment({ ...by, deployment: hash })
  for (let n = 1; n <= 60; n++) {
    const { score, unanswered } = await answer(payment(n))
    expect([typeof score, unanswered]).toEqual(['number', undefined])
  }
  await vi.waitFor(
    () =>
      expect(service.metrics().shadows).toEqual({
        answered: 0,
        unanswered: 60,
        dropped: 0,
        failed: 0,
      }),
    { timeout: 20_000 },
  )
  expect(service.metrics().unanswered).toEqual({})
  expect(warnings).toEqual([])
})
