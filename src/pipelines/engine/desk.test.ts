import { expect, test } from 'vitest'
import type { Identity } from '../../access/index.ts'
import type { NewAuditEntry } from '../../audit/index.ts'
import { createMemoryUnitOfWork } from '../../lib/unit-of-work.ts'
import { newBackfill } from './backfill.ts'
import { approval, pipeline, step } from './declare.ts'
import { createPipelineDesk } from './desk.ts'
import { testEngine } from './runner.cases.ts'

const person = (id: string, roles: Identity['roles'], kind: Identity['kind'] = 'person') =>
  ({ id, name: id.toUpperCase(), kind, roles, createdAtUs: 0 }) satisfies Identity
const people = [
  person('ada', ['analyst', 'approver']),
  person('bea', ['approver']),
  person('cy', ['analyst']),
  person('bot', ['approver'], 'script'),
]
const by = (id: string, reason = 'looked at it') => ({
  actor: people.find((each) => each.id === id)!,
  reason,
})

const asked = pipeline('asked', {
  steps() {
    const look = approval({ question: 'Good?' })
    return {
      look,
      next: step('next', { outputs: {}, run: async () => {} })({ after: [look] }),
    }
  },
})

async function deskWithHeldRun() {
  const engine = testEngine()
  const entries: NewAuditEntry[] = []
  const desk = createPipelineDesk({
    unit: createMemoryUnitOfWork([]),
    audit: {
      append: async (entry) => {
        entries.push(entry)
        return { ...entry, index: 0, id: 'a', atUs: 0 }
      },
    },
    store: engine.store,
    runs: engine.runs,
    access: { identity: async (id) => people.find((each) => each.id === id) },
    clock: engine.clock,
  })
  const held = await engine.run(asked)
  const answer = (id: string, verdict: 'approve' | 'refuse' = 'approve', reason?: string) =>
    desk.answer({ runId: held.run.id, step: 'look', verdict }, by(id, reason))
  const goOn = () => engine.run(asked, { again: held.run })
  return { ...engine, desk, entries, held, answer, goOn }
}

test('people with the right to approve who did not start the run may answer, nobody else', async () => {
  const { answer, entries, goOn } = await deskWithHeldRun()
  await expect(answer('ada')).rejects.toMatchObject({ code: 'approval_own_run' })
  await expect(answer('cy')).rejects.toMatchObject({ code: 'approval_forbidden' })
  await expect(answer('bot')).rejects.toMatchObject({ code: 'approval_forbidden' })
  await expect(answer('bea', 'approve', ' ')).rejects.toMatchObject({ code: 'reason_missing' })
  expect(entries).toEqual([])
  await answer('bea')
  expect(entries).toMatchObject([
    { actor: 'bea', action: 'pipelines.step-approved', reason: 'looked at it' },
  ])
  expect((await goOn()).run.status).toBe('done')
  await expect(answer('bea')).rejects.toMatchObject({ code: 'pipeline_run_ended' })
})

test('one no ends the step, and what comes after it', async () => {
  const { answer, goOn } = await deskWithHeldRun()
  await answer('bea', 'refuse', 'too few')
  const { run, statuses } = await goOn()
  expect(run).toMatchObject({ status: 'failed', problem: 'Good?: refused by BEA: too few' })
  expect(statuses).toEqual(['failed', 'skipped'])
})

test('a run that waits for people is cancelled at once, with its reason', async () => {
  const { desk, held, runs, store, entries } = await deskWithHeldRun()
  await desk.cancel(held.run.id, by('cy', 'wrong month'))
  expect(await runs.get(held.run.id)).toMatchObject({
    status: 'cancelled',
    problem: 'Cancelled by CY: wrong month',
  })
  expect((await store.steps(held.run.id)).map(({ status }) => status)).toEqual([
    'cancelled',
    'cancelled',
  ])
  expect(entries).toMatchObject([{ action: 'pipelines.run-cancelled' }])
  await expect(desk.cancel(held.run.id, by('cy'))).rejects.toMatchObject({
    code: 'pipeline_run_ended',
  })
  await expect(desk.cancel('pipe_0', by('cy'))).rejects.toMatchObject({ code: 'pipeline_unknown' })
})

test('a backfill is audited at its beginning, when somebody cancels it, and at its end', async () => {
  const { desk, store, entries, ports } = await deskWithHeldRun()
  const asked = { pipeline: 'daily', params: {}, from: 'a', to: 'c' }
  const state = newBackfill(asked, { ...ports, actor: 'cy', runner: 'work' })
  await expect(desk.beginBackfill(state, by('cy', ' '))).rejects.toMatchObject({
    code: 'reason_missing',
  })
  await desk.beginBackfill(state, by('cy', 'a new column'))
  await desk.cancelBackfill(state.id, by('bea', 'wrong year'))
  expect(await store.cancellation(state.id)).toMatchObject({ identityId: 'bea' })
  const counts = { total: 3, done: 1, failed: 0, known: 0, left: 2 }
  await desk.endBackfill({ ...state, state: 'cancelled', counts, problem: 'Cancelled by BEA' })
  const object = { kind: 'pipeline-backfill', id: state.id }
  expect(entries).toMatchObject([
    { actor: 'cy', action: 'pipelines.backfill-started', object, reason: 'a new column' },
    { actor: 'bea', action: 'pipelines.backfill-cancelled', object, reason: 'wrong year' },
    {
      action: 'pipelines.backfill-ended',
      object,
      reason: 'Cancelled by BEA; 1 done, 0 failed, 0 done before, 2 not reached',
      details: { state: 'cancelled' },
    },
  ])
  await expect(desk.cancelBackfill(state.id, by('bea'))).rejects.toMatchObject({
    code: 'pipeline_run_ended',
  })
  await expect(desk.cancelBackfill('fill_0', by('bea'))).rejects.toMatchObject({
    code: 'pipeline_unknown',
  })
})
