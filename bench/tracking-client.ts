// MLflow's REST protocol over plain HTTP with kept connections: the same client for both servers.
import { Agent, request } from 'node:http'
import { monotonicUs } from '../src/lib/clock.ts'

export interface TrackingClient {
  /** The parsed answer; fails on any status but 200. */
  call<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T>
  /** The same without parsing what comes back: how many bytes it has. */
  fetch(method: 'GET' | 'POST', path: string, body?: object): Promise<number>
  createExperiment(name: string): Promise<string>
  createRun(experiment: string, name: string): Promise<string>
  logBatch(run: string, batch: Batch): Promise<void>
  close(): void
}

export interface Batch {
  readonly metrics: readonly { key: string; value: number; timestamp: number; step: number }[]
  readonly params?: readonly { key: string; value: string }[]
  readonly tags?: readonly { key: string; value: string }[]
}

/** 1 July 2026, in milliseconds: the time of what is logged says nothing here. */
const AT_MS = 1_782_864_000_000

export function trackingClient(port: number): TrackingClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const mlflow = '/api/2.0/mlflow'

  function send(method: string, path: string, body?: object): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
      const headers = text && { 'content-type': 'application/json', 'content-length': text.length }
      const sent = request({ host: '127.0.0.1', port, path, method, agent, headers }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const whole = Buffer.concat(chunks)
          if (answer.statusCode === 200) return resolve(whole)
          reject(new Error(`${method} ${path}: ${answer.statusCode} ${whole.toString()}`))
        })
      })
      sent.on('error', reject)
      sent.end(text)
    })
  }

  const client: TrackingClient = {
    call: async <T>(method: string, path: string, body?: object) =>
      JSON.parse((await send(method, path, body)).toString()) as T,
    fetch: async (method, path, body) => (await send(method, path, body)).length,
    async createExperiment(name) {
      const path = `${mlflow}/experiments/create`
      return (await client.call<{ experiment_id: string }>('POST', path, { name })).experiment_id
    },
    async createRun(experiment_id, run_name) {
      const body = { experiment_id, run_name, start_time: AT_MS, user_id: 'bench', tags: [] }
      const { run } = await client.call<{ run: { info: { run_id: string } } }>(
        'POST',
        `${mlflow}/runs/create`,
        body,
      )
      return run.info.run_id
    },
    async logBatch(run_id, batch) {
      await client.fetch('POST', `${mlflow}/runs/log-batch`, { run_id, ...batch })
    },
    close: () => agent.destroy(),
  }
  return client
}

/** So many values at one step, each of another metric. */
export function metricsAt(step: number, count: number): Batch['metrics'] {
  return Array.from({ length: count }, (_, i) => {
    return { key: `metric_${i}`, value: step + i / count, timestamp: AT_MS + step, step }
  })
}

/** One value a step of one metric, from a step on: a curve with ups and downs. */
export function curveFrom(step: number, count: number): Batch['metrics'] {
  return Array.from({ length: count }, (_, i) => {
    const at = step + i
    return {
      key: 'loss',
      value: ((at * 7919) % 10_007) / (at + 1),
      timestamp: AT_MS + at,
      step: at,
    }
  })
}

/** Milliseconds that each of so many calls took, one after the other. */
export async function timesMs(count: number, act: (i: number) => Promise<unknown>) {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const startUs = monotonicUs()
    await act(i)
    times.push((monotonicUs() - startUs) / 1000)
  }
  return times
}

/**
 * Calls a second that so many clients get answered within a time, each waiting for its answers; what
 * is answered later does not count. A refused call goes to `onFailure`, which may throw.
 */
export async function ratePerS(
  clients: number,
  forMs: number,
  act: (client: number, i: number) => Promise<unknown>,
  onFailure: (error: unknown) => void,
): Promise<number> {
  const startUs = monotonicUs()
  const elapsedUs = () => monotonicUs() - startUs
  let answered = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let i = 0; elapsedUs() < forMs * 1000; i++) {
        try {
          await act(client, i)
          if (elapsedUs() < forMs * 1000) answered++
        } catch (error) {
          onFailure(error)
        }
      }
    }),
  )
  return answered / (forMs / 1000)
}

/** Works off so many tasks with so many hands. */
export async function inParallel(
  count: number,
  hands: number,
  act: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const hand = async () => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: hands }, hand))
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
