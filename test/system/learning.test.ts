// A file that a person brings: uploaded, learnt from in the background, stopped, and read again.
import { expect, test } from 'vitest'
import { runningBank } from './bank.ts'
import { createRandom } from '../../src/lib/random.ts'
import { refusalOf } from './client.ts'
import { eventually } from './server.ts'

const bank = runningBank('learning')
const client = bank.admin

/** Customers who leave more often when they are young and have little. */
function customers(rows: number): string {
  const random = createRandom(7)
  const lines = Array.from({ length: rows }, (_, row) => {
    const age = 18 + random.int(60)
    const balance = random.int(5000)
    const leaves = random.int(100) < (age < 40 && balance < 2500 ? 70 : 10)
    return `c${row},${age},${balance},${['north', 'south'][random.int(2)]},${leaves ? 'yes' : 'no'}`
  })
  return `customer_id,age,balance,region,churn\n${lines.join('\n')}\n`
}

async function bring(content: string, name: string) {
  const response = await fetch(
    `${bank.server.url}/api/v1/learning/files?name=${encodeURIComponent(name)}`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${bank.server.key}`, 'content-type': 'text/csv' },
      body: content,
    },
  )
  if (response.status !== 200) return refusalOf(response)
  return (await response.json()) as {
    id: string
    rows: number
    columns: { name: string }[]
    guess: object
  }
}

const file = { id: '' }

test('a file’s columns are told, with a guess of what it is for', async () => {
  const brought = await bring(customers(400), 'folder/churn.csv')
  if (typeof brought === 'string') throw new Error(brought)
  expect(brought).toMatchObject({ name: 'churn.csv', rows: 400, guess: { target: 'churn' } })
  expect(brought.columns.map(({ name }) => name)).toContain('region')
  expect(await client.ask('learningFile', { params: { fileId: brought.id } })).toEqual(brought)
  file.id = brought.id
})

test('it is learnt from in the background while decisions go on, and the report is read', async () => {
  const { id } = await client.ask('startLearning', { body: { file: file.id, target: 'churn' } })
  const learning = await eventually('it is learnt', async () => {
    const now = await client.ask('learning', { params: { learningId: id } })
    expect((await client.ask('replay')).state).not.toBe('failed')
    return now.state === 'running' ? null : now
  })
  expect(learning).toMatchObject({ state: 'done', title: 'churn from churn.csv' })
  expect(learning.pipeline.by.kind).toBe('person')
  expect(learning.verdict.sentence).toContain('does best')
  const { report } = learning
  expect(report.contenders[0].name).toBe(report.best)
  expect(report.contenders[0].figures.roc_auc.value).toBeGreaterThan(0.7)
  expect(report.leftOut).toMatchObject([{ column: 'customer_id' }])
  expect(report.contributions.columns[0].contributions.length).toBeGreaterThanOrEqual(20)
  const html = await client.get(learning.html)
  expect(await html.text()).toContain('churn from churn.csv')
  const run = await client.ask('run', { params: { runId: learning.run.id } })
  expect(run.by.kind).toBe('person')
  // Columns of a file are no features of the project.
  expect(run.importance.map(({ target }: { target: unknown }) => target)).toContain(null)
  const { items } = await client.ask('learnings')
  expect(items[0]).toMatchObject({ id, state: 'done', run: { id: run.id } })
}, 120_000)

test('runs of the project on the same rows are compared pair by pair', async () => {
  const { items } = await client.ask('runs', { query: { experiment: 'tiny' } })
  const ids = items.map(({ id }: { id: string }) => id).join(',')
  const { pairs, runs, verdict } = await client.ask('compareRuns', { query: { ids } })
  expect(runs).toHaveLength(2)
  expect(pairs.map(({ name }: { name: string }) => name)).toEqual(['average_precision', 'roc_auc'])
  const [{ best, differences }] = pairs
  expect(differences[best]).toBeNull()
  expect(differences[1 - best].value).toBeLessThanOrEqual(0)
  expect(verdict.sentence).toContain('the best average precision')
})

test('what cannot be learnt says why, in its record', async () => {
  const { id } = await client.ask('startLearning', { body: { file: file.id, target: 'nothing' } })
  const learning = await eventually('it failed', async () => {
    const now = await client.ask('learning', { params: { learningId: id } })
    return now.state === 'failed' && now
  })
  expect(learning.pipeline.problem).toContain('no column "nothing"')
  expect(learning.run).toBeNull()
})

test('what is being learnt is stopped, and what waits behind it begins', async () => {
  const large = await bring(customers(20_000), 'many.csv')
  if (typeof large === 'string') throw new Error(large)
  const start = (target: string) =>
    client.ask('startLearning', { body: { file: large.id, target } })
  const [current, next] = [await start('churn'), await start('nothing')]
  const state = async ({ id }: { id: string }) =>
    (await client.ask('learning', { params: { learningId: id } })).state
  await eventually('it runs', async () => (await state(current)) === 'running')
  expect(await state(next)).toBe('waiting')
  // What waits is bounded, and can be stopped before its turn.
  const waiting = await Promise.all(Array.from({ length: 7 }, () => start('nothing')))
  expect(await client.refusal('startLearning', { body: { file: large.id, target: 'churn' } })).toBe(
    '429 learning_full',
  )
  for (const { id } of waiting) await client.ask('cancelLearning', { params: { learningId: id } })
  expect(await state(waiting[0])).toBe('failed')
  const { sentence } = await client.ask('cancelLearning', { params: { learningId: current.id } })
  expect(sentence).toContain('stopped')
  expect(await client.ask('learning', { params: { learningId: current.id } })).toMatchObject({
    state: 'failed',
    pipeline: { problem: 'Stopped by Administrator.' },
  })
  await eventually('the next one had its turn', async () => (await state(next)) === 'failed')
  expect(await client.refusal('cancelLearning', { params: { learningId: current.id } })).toBe(
    '409 learning_ended',
  )
}, 120_000)

test('bad files and unknown ones are refused', async () => {
  expect(await bring('', 'empty.csv')).toBe('422 file_empty')
  expect(
    await client.refusal('startLearning', { body: { file: 'a'.repeat(64), target: 'y' } }),
  ).toBe('404 learning_file_missing')
  expect(await client.refusal('learning', { params: { learningId: 'pipe_1' } })).toBe(
    '404 learning_not_found',
  )
})
