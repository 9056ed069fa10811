import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMlflowDoor } from '../../../test/mlflow-door.ts'

interface Point {
  readonly step: number
  readonly value: number
  readonly run_id: string
}

let door: Awaited<ReturnType<typeof openMlflowDoor>>
beforeAll(async () => (door = await openMlflowDoor()))
afterAll(() => door.app.close())

async function post(path: string, payload: object) {
  const answer = await door.app.inject({ method: 'POST', url: `/api/2.0/mlflow/${path}`, payload })
  expect(answer.statusCode).toBe(200)
  return answer.json<{ run: { info: { run_id: string } } }>()
}

async function runWith(values: readonly number[]): Promise<string> {
  const { run } = await post('runs/create', { experiment_id: '0' })
  const { run_id } = run.info
  for (let from = 0; from < values.length; from += 1000) {
    const metrics = values
      .slice(from, from + 1000)
      .map((value, i) => ({ key: 'loss', value, timestamp: 1, step: from + i }))
    await post('runs/log-batch', { run_id, metrics })
  }
  return run_id
}

async function sampled(query: Record<string, string | string[]>): Promise<readonly Point[]> {
  const url = '/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval'
  const answer = await door.app.inject({ method: 'GET', url, query })
  expect(answer.statusCode).toBe(200)
  return answer.json<{ metrics?: Point[] }>().metrics ?? []
}

const flat = (count: number) => new Array<number>(count).fill(10)

// Steps as MLflow 3.17.2 gives them on SQLite.
test('a flat history has as many evenly spaced values as were asked for, the last among them', async () => {
  const run_ids = [await runWith(flat(10)), await runWith(flat(23))]
  const steps = async (more: Record<string, string>) => {
    const points = await sampled({ run_ids, metric_key: 'loss', ...more })
    return run_ids.map((id) => points.filter(({ run_id }) => run_id === id).map((p) => p.step))
  }
  expect(await steps({ max_results: '5' })).toEqual([
    [0, 2, 4, 6, 9],
    [0, 5, 10, 15, 22],
  ])
  expect(await steps({ max_results: '1' })).toEqual([[9], [22]])
  expect(await steps({ max_results: '12' })).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22],
  ])
  const within = { max_results: '4', start_step: '3', end_step: '13' }
  expect(await steps(within)).toEqual([
    [3, 5, 7, 9],
    [3, 6, 9, 13],
  ])
})

test('a spike between the values is told too, and 2,500 values at most', async () => {
  const values = flat(8000)
  values[123] = 99
  values[6001] = -99
  const spikes = await sampled({
    run_ids: await runWith(values),
    metric_key: 'loss',
    max_results: '9',
  })
  expect(spikes).toHaveLength(11)
  expect(spikes.map(({ value }) => value)).toEqual(expect.arrayContaining([99, -99]))
  const noisy = await runWith(Array.from({ length: 8000 }, (_, i) => ((i * 7919) % 8009) - 4000))
  const most = await sampled({ run_ids: noisy, metric_key: 'loss' })
  expect(most.length).toBeLessThanOrEqual(2500)
  expect(most.length).toBeGreaterThan(1500)
  expect([most[0].step, most.at(-1)?.step]).toEqual([0, 7999])
})
