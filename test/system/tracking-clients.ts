// Clients of MLflow's door that do everything at once and remember what they were told: every answer
// is held against it, and in the end so is what the server has.
import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { createRandom, type Random } from '../../src/lib/random.ts'

export interface Door {
  readonly url: string
  readonly key: string | undefined
}

export interface Load {
  readonly clients: number
  readonly operations: number
  readonly experiment: string
  /** A run to which every client logs. */
  readonly shared: string
  /**
   * Whether the server may fall in between: then a call may end without an answer, or with 503, and
   * is not counted among the operations.
   */
  readonly mayFall: boolean
  readonly seed: number
}

/** What one client was told of its own runs and of what it did to the shared one. */
export interface Remembered {
  readonly runs: readonly KnownRun[]
  readonly sharedSteps: readonly number[]
  readonly answered: number
  readonly model: KnownModel | undefined
}

interface KnownRun {
  readonly id: string
  readonly params: Map<string, string>
  readonly tags: Map<string, string>
  /** Every step of each metric; the value is the step. */
  readonly metrics: Map<string, number[]>
  deleted: boolean
  /** What calls without an answer were about: it may have happened or not. */
  readonly unsure: Set<string>
}

interface KnownModel {
  readonly name: string
  champion: string | undefined
  unsure: boolean
}

interface Answer {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export function doorClient({ url, key }: Door) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const headers = {
    'content-type': 'application/json',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  }
  const send = (method: string, path: string, body?: object) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request(
        `${url}/api/2.0/mlflow/${path}`,
        { method, agent, headers },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            const isJson = /json/.test(answer.headers['content-type'] ?? '')
            resolve({ status: answer.statusCode!, body: isJson ? JSON.parse(text) : text })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body && JSON.stringify(body))
    })
  return {
    send,
    /** The body of an answer that must be 200. */
    async ask(method: string, path: string, body?: object) {
      const answer = await send(method, path, body)
      expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBe(200)
      return answer.body
    },
    close: () => agent.destroy(),
  }
}

/** Lets so many clients share so many operations; resolves with what each of them remembers. */
export async function runLoad(door: Door, load: Load): Promise<Remembered[]> {
  const http = doorClient(door)
  let left = load.operations
  try {
    const clients = Array.from({ length: load.clients }, (_, place) =>
      mixedClient(http, load, place, createRandom(load.seed).fork(`client ${place}`)),
    )
    await Promise.all(
      clients.map(async (client) => {
        while (left > 0) {
          left--
          const before = client.remembered().answered
          await client.step()
          if (client.remembered().answered === before) left++
        }
      }),
    )
    return clients.map((client) => client.remembered())
  } finally {
    http.close()
  }
}

type Http = ReturnType<typeof doorClient>

function mixedClient(http: Http, load: Load, place: number, random: Random) {
  const me = `client ${place}`
  const runs: KnownRun[] = []
  const sharedSteps: number[] = []
  let model: KnownModel | undefined
  let next = 0
  let answered = 0

  /** Whether the call was answered; where the server may fall, it is waited for. */
  async function did(path: string, body: object, taken: (answer: any) => void): Promise<boolean> {
    let answer: Answer
    try {
      answer = await http.send('POST', path, body)
    } catch (error) {
      if (!load.mayFall) throw error
      await wait(50)
      return false
    }
    if (load.mayFall && answer.status === 503) {
      await wait(50)
      return false
    }
    expect(answer.status, `${path}: ${JSON.stringify(answer.body)}`).toBe(200)
    answered++
    taken(answer.body)
    return true
  }

  const active = () => runs.filter((run) => !run.deleted && !run.unsure.has('lifecycle'))
  const anyOf = <T>(list: readonly T[]): T | undefined => list[random.int(Math.max(list.length, 1))]

  async function create(): Promise<void> {
    const tags = [{ key: 'client', value: me }]
    const body = { experiment_id: load.experiment, run_name: `${me} ${next++}`, tags }
    await did('runs/create', body, ({ run }) =>
      runs.push({
        id: run.info.run_id,
        params: new Map(),
        tags: new Map([['client', me]]),
        metrics: new Map(),
        deleted: false,
        unsure: new Set(),
      }),
    )
  }

  async function logBatch(run: KnownRun): Promise<void> {
    const step = next++
    const keys = Array.from({ length: 1 + random.int(20) }, (_, i) => `metric_${i}`)
    const metrics = keys.map((key) => ({ key, value: step, timestamp: 1_000 + step, step }))
    const [param, tag] = [`param_${step}`, `tag_${step}`]
    const body = {
      run_id: run.id,
      metrics,
      params: [{ key: param, value: `${step}` }],
      tags: [{ key: tag, value: `${step}` }],
    }
    const isDone = await did('runs/log-batch', body, () => {
      for (const key of keys) run.metrics.set(key, [...(run.metrics.get(key) ?? []), step])
      run.params.set(param, `${step}`)
      run.tags.set(tag, `${step}`)
    })
    if (!isDone) run.unsure.add('latest')
  }

  async function setTag(run: KnownRun): Promise<void> {
    const value = `${next++}`
    const body = { run_id: run.id, key: 'stage', value }
    const isDone = await did('runs/set-tag', body, () => run.tags.set('stage', value))
    if (!isDone) run.unsure.add('stage')
  }

  async function remove(run: KnownRun, deleted: boolean): Promise<void> {
    const path = deleted ? 'runs/delete' : 'runs/restore'
    const isDone = await did(path, { run_id: run.id }, () => {
      run.deleted = deleted
    })
    if (!isDone) run.unsure.add('lifecycle')
  }

  /** What is read after an answered write shows it. */
  async function search(): Promise<void> {
    const body = {
      experiment_ids: [load.experiment],
      filter: `tags.client = '${me}'`,
      max_results: 5000,
    }
    await did('runs/search', body, ({ runs: found = [] }) => {
      if (load.mayFall) return
      const ids = found.map((run: { info: { run_id: string } }) => run.info.run_id)
      expect(ids.toSorted()).toEqual(
        active()
          .map((run) => run.id)
          .toSorted(),
      )
    })
  }

  async function logShared(): Promise<void> {
    const step = next++
    const metric = { key: `client_${place}`, value: step, timestamp: 1_000 + step, step }
    const body = { run_id: load.shared, metrics: [metric] }
    await did('runs/log-batch', body, () => sharedSteps.push(step))
  }

  async function alias(): Promise<void> {
    const name = `model of ${place}, ${next++}`
    if (model === undefined) {
      const known: KnownModel = { name, champion: undefined, unsure: false }
      const isNew = await did('registered-models/create', { name }, () => {})
      if (!isNew) return
      for (const version of ['1', '2']) {
        const source = `s3://models/${place}/${version}`
        const isDone = await did('model-versions/create', { name, source }, () => {})
        if (!isDone) return
      }
      model = known
      return
    }
    const known = model
    const version = known.champion === '1' ? '2' : '1'
    const body = { name: known.name, alias: 'candidate', version }
    const isDone = await did('registered-models/alias', body, () => {
      known.champion = version
      known.unsure = false
    })
    if (!isDone) known.unsure = true
  }

  return {
    async step(): Promise<void> {
      const dice = random.int(100)
      const run = anyOf(active())
      const gone = anyOf(runs.filter(({ deleted, unsure }) => deleted && !unsure.has('lifecycle')))
      if (run === undefined || dice < 10) return create()
      if (dice < 50) return logBatch(run)
      if (dice < 62) return setTag(run)
      if (dice < 70) return search()
      if (dice < 78) return logShared()
      if (dice < 84) return alias()
      if (dice < 92) return remove(run, true)
      return gone === undefined ? create() : remove(gone, false)
    },
    remembered: (): Remembered => ({ runs, sharedSteps, answered, model }),
  }
}

/** Everything that was acknowledged is there, whole and once. */
export async function expectKept(
  door: Door,
  { experiment, shared }: Load,
  remembered: readonly Remembered[],
): Promise<void> {
  const http = doorClient(door)
  try {
    for (const [place, { runs, sharedSteps, model }] of remembered.entries()) {
      for (const run of runs) await expectRun(http, experiment, run)
      const steps = await stepsOf(http, shared, `client_${place}`)
      expect(steps).toEqual(expect.arrayContaining([...sharedSteps]))
      if (model?.champion !== undefined && !model.unsure) {
        const path = `registered-models/alias?name=${encodeURIComponent(model.name)}&alias=candidate`
        expect((await http.ask('GET', path)).model_version.version).toBe(model.champion)
      }
    }
  } finally {
    http.close()
  }
}

async function expectRun(http: Http, experiment: string, known: KnownRun): Promise<void> {
  const { run } = await http.ask('GET', `runs/get?run_id=${known.id}`)
  expect(run.info.experiment_id).toBe(experiment)
  if (!known.unsure.has('lifecycle')) {
    expect(run.info.lifecycle_stage).toBe(known.deleted ? 'deleted' : 'active')
  }
  const params = mapOf(run.data.params)
  for (const [key, value] of known.params) expect(params.get(key)).toBe(value)
  const tags = mapOf(run.data.tags)
  for (const [key, value] of known.tags) {
    if (key !== 'stage' || !known.unsure.has('stage')) expect(tags.get(key)).toBe(value)
  }
  const latest = mapOf(run.data.metrics)
  for (const [key, steps] of known.metrics) {
    if (known.unsure.has('latest')) {
      expect(await stepsOf(http, known.id, key)).toEqual(expect.arrayContaining(steps))
    } else expect(latest.get(key)).toBe(steps.at(-1))
  }
  // One history a run in full: that no value is there twice, and none is missing.
  const [first] = known.metrics
  if (first !== undefined && !known.unsure.has('latest')) {
    expect(await stepsOf(http, known.id, first[0])).toEqual(first[1])
  }
}

async function stepsOf(http: Http, run: string, key: string): Promise<number[]> {
  const { metrics = [] } = await http.ask(
    'GET',
    `metrics/get-history?run_id=${run}&metric_key=${key}&max_results=25000`,
  )
  return metrics.map((metric: { step: number }) => metric.step)
}

function mapOf<V>(items: readonly { key: string; value: V }[] = []): Map<string, V> {
  return new Map(items.map(({ key, value }) => [key, value]))
}
