import { beforeEach, describe, expect, test } from 'vitest'
import type { Identity } from '../../access/index.ts'
import { anyone, openMlflowDoor, type DoorOptions } from '../../../test/mlflow-door.ts'

type Door = Awaited<ReturnType<typeof openMlflowDoor>>
type Json = Record<string, any>

const person = (roles: Identity['roles']): Identity => ({
  ...anyone,
  id: `identity_${roles.join('_')}`,
  roles,
})
const keys = { ak_analyst: person(['analyst']), ak_reader: person(['reader']) }

let door: Door
beforeEach(async () => {
  door = await openMlflowDoor()
})

async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body: object = {},
  headers: Record<string, string> = {},
) {
  const answer = await door.app.inject({
    method,
    url: path.startsWith('/') ? path : `/api/2.0/mlflow/${path}`,
    ...(method === 'GET' ? { query: body as Record<string, string> } : { payload: body }),
    headers,
  })
  return { status: answer.statusCode, body: answer.json() as Json }
}
const post = (path: string, body?: object, headers?: Record<string, string>) =>
  call('POST', path, body, headers)
const get = (path: string, query?: object, headers?: Record<string, string>) =>
  call('GET', path, query, headers)

async function newRun(more: object = {}): Promise<string> {
  const { body } = await post('runs/create', { experiment_id: '0', start_time: 5, ...more })
  return body.run.info.run_id as string
}

describe('a run', () => {
  test('is made in the experiment that is always there, and told in whole milliseconds', async () => {
    const { body } = await post('runs/create', {
      experiment_id: '0',
      run_name: 'first',
      start_time: '1234',
      user_id: 'ann',
      tags: [{ key: 'team', value: 'cards' }],
    })
    expect(body.run.info).toMatchObject({
      experiment_id: '0',
      run_name: 'first',
      status: 'RUNNING',
      start_time: 1234,
      user_id: 'ann',
      lifecycle_stage: 'active',
      artifact_uri: `mlflow-artifacts:/0/${body.run.info.run_id}/artifacts`,
    })
    expect(body.run.info).not.toHaveProperty('end_time')
    expect(body.run.data.tags).toEqual([
      { key: 'mlflow.user', value: 'ann' },
      { key: 'team', value: 'cards' },
      { key: 'mlflow.runName', value: 'first' },
    ])
    expect((await get('experiments/get', { experiment_id: '0' })).body.experiment).toMatchObject({
      name: 'Default',
      artifact_location: 'mlflow-artifacts:/0',
    })
  })

  test('takes its name from a field or from a tag, which must agree, and later from either', async () => {
    const run = await newRun({ tags: [{ key: 'mlflow.runName', value: 'tagged' }] })
    const nameOf = async () =>
      (await get('runs/get', { run_id: run })).body.run.info.run_name as string
    expect(await nameOf()).toBe('tagged')
    await post('runs/set-tag', { run_id: run, key: 'mlflow.runName', value: 'again' })
    expect(await nameOf()).toBe('again')
    await post('runs/log-batch', { run_id: run, tags: [{ key: 'mlflow.runName', value: 'batch' }] })
    expect(await nameOf()).toBe('batch')
    await post('runs/update', { run_id: run, run_name: 'updated' })
    expect(await nameOf()).toBe('updated')
    const two = { run_name: 'a', tags: [{ key: 'mlflow.runName', value: 'b' }] }
    const refused = await post('runs/create', { experiment_id: '0', ...two })
    expect(refused.body.error_code).toBe('INVALID_PARAMETER_VALUE')
  })

  test('keeps what is logged in one batch, or nothing of it', async () => {
    const run = await newRun()
    const batch = {
      run_id: run,
      metrics: [{ key: 'auc', value: '0.5', timestamp: 7, step: '2' }],
      params: [{ key: 'depth', value: '3' }],
      tags: [{ key: 'stage', value: 'dev' }],
    }
    expect(await post('runs/log-batch', batch)).toEqual({ status: 200, body: {} })
    const changed = {
      ...batch,
      params: [{ key: 'depth', value: '4' }],
      tags: [{ key: 'x', value: 'y' }],
    }
    const refused = await post('runs/log-batch', changed)
    expect(refused).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } })
    expect(refused.body.message).toMatch(/depth.*3.*4/s)
    const { data } = (await get('runs/get', { run_uuid: run })).body.run
    expect(data.metrics).toEqual([{ key: 'auc', value: 0.5, timestamp: 7, step: 2 }])
    expect(data.params).toEqual([{ key: 'depth', value: '3' }])
    expect(data.tags).not.toContainEqual({ key: 'x', value: 'y' })
  })

  test('keeps NaN as a word and the infinities as the largest numbers', async () => {
    const run = await newRun()
    for (const [key, value] of Object.entries({ nan: 'NaN', up: 'Infinity', down: '-Infinity' })) {
      await post('runs/log-metric', { run_id: run, key, value, timestamp: 1 })
    }
    const { metrics } = (await get('runs/get', { run_id: run })).body.run.data
    expect(metrics.map((metric: Json) => metric.value)).toEqual([
      'NaN',
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
    ])
  })

  test('says in a tag what of a long value was cut', async () => {
    const run = await newRun()
    await post('runs/log-parameter', { run_id: run, key: 'p', value: 'v'.repeat(6001) })
    const { data } = (await get('runs/get', { run_id: run })).body.run
    expect(data.params[0].value).toHaveLength(6000)
    expect(data.tags).toContainEqual({
      key: 'assay.cut.param.p',
      value: '6000 of 6001 characters were kept',
    })
  })

  test('says so of every value of a batch that has no room for more tags', async () => {
    const run = await newRun()
    const of = (key: string) => ({ key, value: 'v'.repeat(8001) })
    const tags = Array.from({ length: 100 }, (_, place) => of(`t${place}`))
    const answer = await post('runs/log-batch', { run_id: run, tags, params: [of('p')] })
    expect(answer.status).toBe(200)
    const { data } = (await get('runs/get', { run_id: run })).body.run
    const marks = (data.tags as Json[]).filter(({ key }) => key.startsWith('assay.cut.'))
    expect(marks).toHaveLength(101)
  })

  test('ends, is deleted twice without harm, and comes back', async () => {
    const run = await newRun()
    const ended = await post('runs/update', { run_id: run, status: 'KILLED', end_time: 9 })
    expect(ended.body.run_info).toMatchObject({ status: 'KILLED', end_time: 9 })
    expect((await post('runs/delete', { run_id: run })).status).toBe(200)
    expect((await post('runs/delete', { run_id: run })).status).toBe(200)
    const write = await post('runs/set-tag', { run_id: run, key: 'a', value: 'b' })
    expect(write.body.error_code).toBe('INVALID_PARAMETER_VALUE')
    expect((await get('runs/get', { run_id: run })).body.run.info.lifecycle_stage).toBe('deleted')
    await post('runs/restore', { run_id: run })
    expect((await get('runs/get', { run_id: run })).body.run.info.lifecycle_stage).toBe('active')
  })

  test('names the data sets and models that it read and made', async () => {
    const run = await newRun()
    const made = await post('logged-models', { experiment_id: '0', name: 'm', source_run_id: run })
    const model = made.body.model.info.model_id as string
    const dataset = { name: 'd', digest: 'abc', source_type: 'local', source: '{}' }
    const tags = [{ key: 'mlflow.data.context', value: 'train' }]
    await post('runs/log-inputs', {
      run_id: run,
      datasets: [{ dataset, tags }],
      models: [{ model_id: model }],
    })
    await post('runs/outputs', { run_id: run, models: [{ model_id: model, step: 3 }] })
    const { inputs, outputs } = (await get('runs/get', { run_id: run })).body.run
    expect(inputs).toEqual({
      dataset_inputs: [{ dataset, tags }],
      model_inputs: [{ model_id: model }],
    })
    expect(outputs).toEqual({ model_outputs: [{ model_id: model, step: 3 }] })
    const found = await post('experiments/search-datasets', { experiment_ids: ['0'] })
    expect(found.body.dataset_summaries).toEqual([
      { experiment_id: '0', name: 'd', digest: 'abc', context: 'train' },
    ])
  })
})

test('a logged model is finalized, tagged, and after its deletion read by who asks for it', async () => {
  const { model } = (await post('logged-models', { experiment_id: '0', name: 'm' })).body
  const { model_id: id, artifact_uri: uri } = model.info
  expect(uri).toBe(`mlflow-artifacts:/0/models/${id}/artifacts`)
  const ready = await call('PATCH', `logged-models/${id}`, { status: 'LOGGED_MODEL_READY' })
  expect(ready.body.model.info.status).toBe('LOGGED_MODEL_READY')
  await call('PATCH', `logged-models/${id}/tags`, { tags: [{ key: 'a/b', value: 'c' }] })
  expect((await get(`logged-models/${id}`)).body.model.info.tags).toEqual([
    { key: 'a/b', value: 'c' },
  ])
  await call('DELETE', `logged-models/${id}/tags/a%2Fb`)
  const again = await call('DELETE', `logged-models/${id}/tags/a%2Fb`)
  expect(again.body.message).toBe(`No tag with key 'a/b' found for model with ID '${id}'.`)
  expect((await get(`logged-models/${id}`)).body.model.info).not.toHaveProperty('tags')
  await call('DELETE', `logged-models/${id}`)
  expect((await get(`logged-models/${id}`)).status).toBe(404)
  const deleted = await get(`logged-models/${id}`, { allow_deleted: 'true' })
  expect(deleted.body.model.info.model_id).toBe(id)
  expect((await get('logged-models/m-none', { allow_deleted: 'true' })).status).toBe(404)
})

test('the experiment that is always there stays away once it was purged, over a restart too', async () => {
  const found = async () => (await get('experiments/get', { experiment_id: '0' })).status
  expect(await found()).toBe(200)
  await post('experiments/delete', { experiment_id: '0' })
  const { rooms, clock, by } = door
  const restart = async () => {
    door = await openMlflowDoor({ clock, rooms: { ...rooms, tracking: { ...rooms.tracking } } })
  }
  await restart()
  expect(await found()).toBe(200)
  await rooms.tracking.purge({ before: clock.nowUs() + 1 }, by)
  expect(await found()).toBe(404)
  await restart()
  expect(await found()).toBe(404)
})

test('a logged model may name a run that is not known here', async () => {
  const source_run_id = 'a-run-of-elsewhere'
  const { status, body } = await post('logged-models', { experiment_id: '0', source_run_id })
  expect([status, body.model.info.source_run_id]).toEqual([200, source_run_id])
})

describe('a search', () => {
  test("takes MLflow's words, in its units", async () => {
    const [early, late] = [await newRun({ start_time: 1000 }), await newRun({ start_time: 2000 })]
    await post('runs/update', { run_id: early, status: 'KILLED', end_time: 1500 })
    await post('runs/log-parameter', { run_id: late, key: 'a b', value: 'x' })
    const found = async (filter: string) => {
      const { body } = await post('runs/search', { experiment_ids: ['0'], filter })
      return ((body.runs ?? []) as Json[]).map((run) => run.info.run_id)
    }
    expect(await found('')).toEqual([late, early])
    expect(await found('attributes.start_time > 1500')).toEqual([late])
    expect(await found('created <= 1000 AND end_time = 1500')).toEqual([early])
    expect(await found("status = 'KILLED'")).toEqual([early])
    expect(await found("attr.status LIKE 'KILL%'")).toEqual([early])
    expect(await found("status != 'KILLED'")).toEqual([late])
    expect(await found("params.`a b` = 'x' OR status = 'FAILED'")).toEqual([late])
    expect(await found(`run_id IN ('${early}', 'other')`)).toEqual([early])
    const uri = `mlflow-artifacts:/0/${late}/artifacts`
    expect(await found(`attributes.artifact_uri = '${uri}'`)).toEqual([late])
  })

  test('goes on where its page ended, and only in the same search', async () => {
    for (let i = 0; i < 3; i++) await newRun({ start_time: i })
    const search = {
      experiment_ids: ['0'],
      max_results: 2,
      order_by: ['attributes.start_time ASC'],
    }
    const first = await post('runs/search', search)
    expect(first.body.runs).toHaveLength(2)
    const token = { page_token: first.body.next_page_token }
    const second = await post('runs/search', { ...search, ...token })
    expect(second.body.runs).toHaveLength(1)
    expect(second.body).not.toHaveProperty('next_page_token')
    const other = await post('runs/search', { ...search, ...token, filter: "status = 'RUNNING'" })
    expect(other).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } })
  })

  test('of logged models by data set finds those measured on it', async () => {
    const run_id = await newRun()
    const made = await Promise.all(
      [0, 1, 2].map(() => post('logged-models', { experiment_id: '0' })),
    )
    const [first, second] = made.map(({ body }) => body.model.info.model_id as string)
    const of = { run_id, key: 'auc', value: 1, timestamp: 1, dataset_name: 'd' }
    await post('runs/log-metric', { ...of, model_id: first, dataset_digest: '1' })
    await post('runs/log-metric', { ...of, model_id: second, dataset_digest: '2' })
    const found = async (search: object) => {
      const { body } = await post('logged-models/search', { experiment_ids: ['0'], ...search })
      return new Set((body.models ?? []).map(({ info }: Json) => info.model_id))
    }
    const on = (digest?: string) => [{ dataset_name: 'd', dataset_digest: digest }]
    expect(await found({ datasets: on() })).toEqual(new Set([first, second]))
    expect(await found({ datasets: on('2') })).toEqual(new Set([second]))
    expect(await found({ datasets: on('3') })).toEqual(new Set())
    const order_by = [{ field_name: 'metrics.auc', dataset_name: 'd', dataset_digest: '2' }]
    expect((await found({ order_by })).size).toBe(3)
  })

  test('of no experiments finds nothing', async () => {
    await newRun()
    expect((await post('runs/search', { experiment_ids: [] })).body).toEqual({})
    expect((await post('logged-models/search', { experiment_ids: [] })).body).toEqual({})
  })

  test('that cannot be understood is refused with the place of the mistake', async () => {
    const refused = await post('runs/search', { experiment_ids: ['0'], filter: 'metrics.auc >' })
    expect(refused.status).toBe(400)
    expect(refused.body.message).toContain('at character 14')
  })
})

describe('a refusal', () => {
  test("says in MLflow's words which parameter is missing or wrong", async () => {
    const message = async (path: string, body: object) => (await post(path, body)).body.message
    expect(await message('experiments/create', {})).toBe(
      "Missing value for required parameter 'name'. See the API docs for more information about request parameters.",
    )
    expect(await message('experiments/create', { name: 12 })).toBe(
      "Invalid value 12 for parameter 'name' supplied:  Hint: Value was of type 'int'. See the API docs for more information about request parameters.",
    )
    const run = await newRun()
    expect(
      await message('runs/log-batch', { run_id: run, metrics: [{ key: 'm', value: 1 }] }),
    ).toContain("Missing value for required parameter 'metrics[0].timestamp'")
    expect(await message('runs/log-parameter', { run_id: run, key: '../p', value: '1' })).toContain(
      `Invalid value "../p" for parameter 'key' supplied: Names may be treated as files`,
    )
    expect(await message('runs/search', { experiment_ids: ['0'], max_results: 50_001 })).toBe(
      "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000",
    )
    const twice = [
      { key: 'd', value: '1' },
      { key: 'd', value: '2' },
    ]
    expect(await message('runs/log-batch', { run_id: run, params: twice })).toContain(
      "Duplicate parameter keys have been submitted: ['d']",
    )
    const many = Array.from({ length: 1001 }, () => ({ key: 'm', value: 1, timestamp: 1 }))
    expect(await message('runs/log-batch', { run_id: run, metrics: many })).toContain(
      'A batch logging request can contain at most 1000 metrics. Got 1001 metrics.',
    )
  })

  test('of what is not there, gone or taken uses the words that scripts look for', async () => {
    const said = async (path: string, body: object) => (await post(path, body)).body.message
    const run = await newRun()
    expect(await said('runs/delete-tag', { run_id: 'other', key: 't' })).toBe(
      'Run with id=other not found',
    )
    expect(await said('runs/delete-tag', { run_id: run, key: 'fake' })).toBe(
      `No tag with name: fake in run with id ${run}`,
    )
    await post('runs/log-parameter', { run_id: run, key: 'p', value: '1' })
    expect(await said('runs/log-parameter', { run_id: run, key: 'p', value: '2' })).toMatch(
      /^Changing param values is not allowed\. Parameter p .*1.*2/s,
    )
    await post('runs/delete', { run_id: run })
    expect(await said('runs/delete-tag', { run_id: run, key: 't' })).toBe(
      `The run ${run} must be in the 'active' state. Current state is deleted.`,
    )
    expect(await said('experiments/create', { name: 'Default' })).toBe(
      'Experiment(name=Default) already exists.',
    )
    expect(await said('experiments/delete', { experiment_id: 'none' })).toBe(
      'No Experiment with id=none exists',
    )
    const { body } = await get('experiments/get-by-name', { experiment_name: 'none' })
    expect(body.message).toBe("Could not find experiment with name 'none'")
    await post('experiments/delete', { experiment_id: '0' })
    expect(await said('runs/create', { experiment_id: '0' })).toBe(
      "The experiment 0 must be in the 'active' state. Current state is deleted.",
    )
    expect((await get('logged-models/m-none')).body.message).toBe(
      "Logged model with ID 'm-none' not found.",
    )
  })

  test.each([
    ['GET', '/api/2.0/mlflow/nothing'],
    ['GET', '/api/2.0/mlflow/runs/create'],
    ['DELETE', '/ajax-api/2.0/mlflow/runs/search'],
    ['GET', '/api/3.0/mlflow/server-info'],
    ['POST', '/api/3.0/mlflow/traces'],
  ] as const)('of %s %s says that there is no such endpoint', async (method, path) => {
    const { status, body } = await call(method, path)
    expect([status, body.error_code]).toEqual([404, 'ENDPOINT_NOT_FOUND'])
  })

  test('quotes a number as it was sent', async () => {
    const answer = await door.app.inject({
      method: 'POST',
      url: '/api/2.0/mlflow/experiments/create',
      payload: '{"name": 9.0}',
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.body).toContain("Invalid value 9.0 for parameter 'name' supplied")
  })

  test('of a body that is no JSON object names the trouble', async () => {
    const send = async (payload: string, type = 'application/json') => {
      const url = '/api/2.0/mlflow/experiments/create'
      const answer = await door.app.inject({
        method: 'POST',
        url,
        payload,
        headers: { 'content-type': type },
      })
      return [answer.statusCode, (answer.json() as Json).error_code]
    }
    expect(await send('{bad')).toEqual([400, 'BAD_REQUEST'])
    expect(await send('[1]')).toEqual([400, 'BAD_REQUEST'])
    const deep = `{"name": ${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`
    expect(await send(deep)).toEqual([400, 'INVALID_PARAMETER_VALUE'])
    expect(await send('{}', 'text/plain')).toEqual([400, 'INVALID_PARAMETER_VALUE'])
    expect(await send('')).toEqual([400, 'INVALID_PARAMETER_VALUE'])
    expect(await send(`{"name": "${'x'.repeat(5_000_000)}"}`)).toEqual([413, 'BAD_REQUEST'])
  })

  test('is none of what Python writes that is no JSON: NaN, and JSON within a string', async () => {
    const send = (payload: string) =>
      door.app.inject({
        method: 'POST',
        url: '/ajax-api/2.0/mlflow/experiments/create',
        payload,
        headers: { 'content-type': 'application/json; charset=utf-8' },
      })
    expect((await send('{"name": "says NaN", "unknown": [NaN, -Infinity]}')).statusCode).toBe(200)
    expect((await send('"{\\"name\\": \\"twice\\"}"')).statusCode).toBe(200)
    const named = await get('experiments/get-by-name', { experiment_name: 'says NaN' })
    expect(named.status).toBe(200)
  })
})

describe('who asks', () => {
  const open = async (options: DoorOptions) => {
    door = await openMlflowDoor(options)
  }
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

  test('is proven by a bearer, a password or a session, and refused without', async () => {
    await open({ openTo: undefined, keys })
    const statusWith = async (headers: Record<string, string>) =>
      (await get('experiments/get', { experiment_id: '0' }, headers)).status
    expect(await statusWith({ authorization: 'Bearer ak_reader' })).toBe(200)
    expect(await statusWith({ authorization: basic('ann:ak_reader') })).toBe(200)
    expect(await statusWith({ cookie: 'assay_session=ak_reader' })).toBe(200)
    for (const authorization of [
      'Bearer ak_wrong',
      basic('ann:wrong'),
      basic(''),
      'nonsense',
      'Bearer ',
    ]) {
      expect(await statusWith({ authorization })).toBe(401)
    }
    const { body } = await get('experiments/get', { experiment_id: '0' })
    expect(body).toMatchObject({ error_code: 'UNAUTHENTICATED' })
    expect(body.message).toContain('MLFLOW_TRACKING_TOKEN')
  })

  test('may read as a reader, and write as an analyst', async () => {
    await open({ openTo: undefined, keys })
    const create = (key: string) =>
      post('runs/create', { experiment_id: '0' }, { authorization: `Bearer ${key}` })
    expect(await create('ak_reader')).toMatchObject({
      status: 403,
      body: { error_code: 'PERMISSION_DENIED' },
    })
    expect((await create('ak_analyst')).status).toBe(200)
    expect(door.entries.at(-1)).toMatchObject({
      actor: keys.ak_analyst.id,
      action: 'tracking.run-started',
      reason: 'Asked for by an MLflow client: POST runs/create',
    })
  })

  test('may not be a page of another site', async () => {
    await open({ openTo: undefined, keys })
    const headers = { cookie: 'assay_session=ak_analyst', origin: 'http://elsewhere', host: 'here' }
    expect((await post('runs/create', { experiment_id: '0' }, headers)).status).toBe(403)
  })

  test('is not asked for health and version', async () => {
    await open({ openTo: undefined })
    expect((await door.app.inject('/health')).body).toBe('OK')
    expect((await door.app.inject('/version')).body).toMatch(/^3\.\d+\.\d+$/)
  })
})
