import { describe, expect, test } from 'vitest'
import { anyone, openMlflowDoor } from '../../../test/mlflow-door.ts'

type Answer = Readonly<Record<string, any>>

async function door() {
  const opened = await openMlflowDoor()
  const ask = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    fields: Readonly<Record<string, unknown>> = {},
    prefix = '/api/2.0',
  ): Promise<{ status: number; body: Answer }> => {
    const query = new URLSearchParams(
      Object.entries(fields).flatMap(([name, value]) =>
        [value].flat().map((one) => [name, String(one)]),
      ),
    )
    const response = await opened.app.inject({
      method,
      url: `${prefix}/mlflow/${path}${method === 'GET' ? `?${query.toString()}` : ''}`,
      ...(method !== 'GET' && {
        payload: JSON.stringify(fields),
        headers: { 'content-type': 'application/json' },
      }),
    })
    return { status: response.statusCode, body: response.json<Answer>() }
  }
  const made = async (...asked: Parameters<typeof ask>) => {
    const { status, body } = await ask(...asked)
    expect(status, JSON.stringify(body)).toBe(200)
    return body
  }
  const refused = async (...asked: Parameters<typeof ask>) => {
    const { status, body } = await ask(...asked)
    expect(Object.keys(body).sort()).toEqual(['error_code', 'message'])
    return [status, body.error_code, body.message]
  }
  return { ...opened, ask, made, refused }
}

/** An experiment with one run and one logged model, which has an MLmodel file. */
async function withSources(opened: Awaited<ReturnType<typeof door>>) {
  const { tracking, by } = opened
  const experiment = await tracking.createExperiment({ name: 'e' }, by)
  const run = await tracking.startRun({ experimentId: experiment.id, name: 'r' }, by)
  await tracking.log(run.id, {
    params: { max_depth: 3 },
    metrics: [{ name: 'auc', value: 0.9 }],
    tags: { 'mlflow.source.git.commit': 'c0ffee' },
  })
  const model = await tracking.createLoggedModel(
    { experimentId: experiment.id, name: 'lm', modelType: '', sourceRunId: run.id },
    by,
  )
  const put = (path: string, content: string) =>
    tracking.files.put({ kind: 'logged-model', id: model.id }, { path, content }, by)
  await put(
    'MLmodel',
    `flavors:\n  python_function:\n    loader_module: m\n  xgboost:\n    data: model.xgb\nsignature:\n  inputs: '[{"type": "double", "name": "a"}]'\n  params: null\n`,
  )
  await put('model.xgb', 'bytes')
  await put('requirements.txt', 'xgboost==3')
  return { experiment, run, model }
}

describe('registered models behind MLflow’s door', () => {
  test('are made, found, described, renamed and deleted', async () => {
    const { made, refused } = await door()
    const { registered_model: model } = await made('POST', 'registered-models/create', {
      name: 'churn',
      description: 'Who leaves',
      tags: [{ key: 'team', value: 'crm' }],
    })
    expect(model).toEqual({
      name: 'churn',
      creation_timestamp: 1_700_000_000_000,
      last_updated_timestamp: 1_700_000_000_000,
      description: 'Who leaves',
      tags: [{ key: 'team', value: 'crm' }],
    })
    expect(await made('GET', 'registered-models/get', { name: 'churn' })).toEqual({
      registered_model: model,
    })
    await made('POST', 'registered-models/rename', { name: 'churn', new_name: 'leavers' })
    expect(await refused('GET', 'registered-models/get', { name: 'churn' })).toEqual([
      404,
      'RESOURCE_DOES_NOT_EXIST',
      'Registered Model with name=churn not found',
    ])
    expect(await made('DELETE', 'registered-models/delete', { name: 'leavers' })).toEqual({})
    const again = await refused('DELETE', 'registered-models/delete', { name: 'leavers' })
    expect(again[1]).toBe('RESOURCE_DOES_NOT_EXIST')
  })

  test('are found by filter, page by page, without prompts unless asked', async () => {
    const { made } = await door()
    for (const name of ['a1', 'a2', 'b1']) {
      await made('POST', 'registered-models/create', { name })
    }
    const prompt = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]
    await made('POST', 'registered-models/create', { name: 'ask', tags: prompt })
    const names = async (fields: Record<string, unknown>) => {
      const { registered_models: found = [], next_page_token: next } = await made(
        'GET',
        'registered-models/search',
        fields,
      )
      return { names: (found as Answer[]).map(({ name }) => name as string), next }
    }
    expect((await names({})).names).toEqual(['a1', 'a2', 'b1'])
    const first = await names({ filter: "name LIKE 'a%'", max_results: 1 })
    expect(first.names).toEqual(['a1'])
    const second = await names({ filter: "name LIKE 'a%'", max_results: 1, page_token: first.next })
    expect(second).toEqual({ names: ['a2'], next: undefined })
    const asked = await names({ filter: "tags.`mlflow.prompt.is_prompt` = 'true'" })
    expect(asked.names).toEqual(['ask'])
    const either = await names({ filter: "(name = 'a1' OR name = 'b1') AND name != 'b1'" })
    expect(either.names).toEqual(['a1'])
  })

  test.each([
    [{}, "Missing value for required parameter 'name'."],
    [{ name: 'a/b' }, "Invalid model name 'a/b'. Names cannot contain '/' or ':'."],
    [{ name: 7 }, "Invalid value 7 for parameter 'name' supplied"],
    [{ name: 'n', tags: [{ key: 'x'.repeat(251) }] }, "'key' exceeds the maximum length of 250"],
  ])('%j is refused in MLflow’s words', async (fields, words) => {
    const { refused } = await door()
    const [status, code, message] = await refused('POST', 'registered-models/create', fields)
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE'])
    expect(message).toContain(words)
  })

  test('are the same under the prefix of the UI', async () => {
    const { made } = await door()
    await made('POST', 'registered-models/create', { name: 'churn' }, '/ajax-api/2.0')
    await made('GET', 'registered-models/get', { name: 'churn' })
  })
})

describe('model versions behind MLflow’s door', () => {
  test('are brought from a logged model, with what it says on record', async () => {
    const opened = await door()
    const { made, registry, tracking } = opened
    const { experiment, run, model } = await withSources(opened)
    await made('POST', 'registered-models/create', { name: 'churn' })
    const { model_version: version } = await made('POST', 'model-versions/create', {
      name: 'churn',
      source: `models:/${model.id}`,
      model_id: model.id,
      tags: [{ key: 'a', value: '1' }],
    })
    expect(version).toMatchObject({
      name: 'churn',
      version: '1',
      current_stage: 'None',
      status: 'READY',
      run_id: run.id,
      source: `models:/${model.id}`,
      tags: [{ key: 'a', value: '1' }],
    })
    const kept = await registry.version('churn', 1)
    expect(kept).toMatchObject({
      kind: 'xgboost',
      metrics: { auc: { value: 0.9 } },
      build: { codeRevision: 'c0ffee', learner: { params: { max_depth: '3' } } },
      brought: {
        format: 'xgboost',
        signature: { inputs: [{ type: 'double', name: 'a' }] },
      },
    })
    expect(Object.keys(kept.brought?.files ?? {}).sort()).toEqual([
      'MLmodel',
      'model.xgb',
      'requirements.txt',
    ])
    expect(kept.build.environment).toBe(kept.brought?.files['requirements.txt'])
    const uri = { name: 'churn', version: '1' }
    expect(await made('GET', 'model-versions/get-download-uri', uri)).toEqual({
      artifact_uri: `mlflow-artifacts:/${experiment.id}/models/${model.id}/artifacts`,
    })
    const { tags } = await tracking.loggedModel(model.id)
    expect(tags['mlflow.modelVersions']).toBe('[{"name": "churn", "version": 1}]')
  })

  test('are copied by version, alias and latest, with run and model of the first', async () => {
    const opened = await door()
    const { made, refused } = opened
    const { run, model } = await withSources(opened)
    for (const name of ['churn', 'copy']) await made('POST', 'registered-models/create', { name })
    const source = `models:/${model.id}`
    await made('POST', 'model-versions/create', { name: 'churn', source, model_id: model.id })
    await made('POST', 'registered-models/alias', { name: 'churn', alias: 'best', version: '1' })
    for (const from of ['models:/churn/1', 'models:/churn@best', 'models:/churn/latest']) {
      const { model_version: copy } = await made('POST', 'model-versions/create', {
        name: 'copy',
        source: from,
      })
      expect(copy).toMatchObject({ source: 'models:/churn/1', run_id: run.id })
    }
    const uri = await made('GET', 'model-versions/get-download-uri', { name: 'copy', version: '3' })
    expect(uri.artifact_uri).toContain(`/models/${model.id}/artifacts`)
    const none = await refused('POST', 'model-versions/create', {
      name: 'copy',
      source: 'models:/churn/9',
    })
    expect(none.slice(0, 2)).toEqual([404, 'RESOURCE_DOES_NOT_EXIST'])
  })

  test.each([
    '/etc/passwd',
    'file:///etc',
    'runs:/another/model',
    'models:/m-0123',
    'mlflow-artifacts:/1/another/artifacts/model',
    'mlflow-artifacts:/1/RUN/artifacts/%2e%2e/%2e%2e/x',
    's3://bucket/../other',
    's3://bucket/%252e%252e/other',
    'models://elsewhere/churn/1',
  ])('do not take the source %s', async (source) => {
    const opened = await door()
    const { made, refused } = opened
    const { run } = await withSources(opened)
    await made('POST', 'registered-models/create', { name: 'churn' })
    const wanted = { name: 'churn', source: source.replace('RUN', run.id), run_id: run.id }
    const [status, code, message] = await refused('POST', 'model-versions/create', wanted)
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE'])
    expect(message).toContain('Invalid model version source')
  })

  test('have aliases, tags, stages, and go without a trace in lists', async () => {
    const { made, refused } = await door()
    const name = 'churn'
    await made('POST', 'registered-models/create', { name })
    for (let i = 0; i < 3; i++) {
      await made('POST', 'model-versions/create', { name, source: `s3://b/${i}` })
    }
    const stage = (version: string, to: string, archive = false) =>
      made('POST', 'model-versions/transition-stage', {
        name,
        version,
        stage: to,
        archive_existing_versions: archive,
      })
    await stage('1', 'production')
    await stage('2', 'Production', true)
    const latest = await made('POST', 'registered-models/get-latest-versions', { name })
    const stages = (latest.model_versions as Answer[]).map((each) => [
      each.version,
      each.current_stage,
    ])
    expect(stages.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
      ['1', 'Archived'],
      ['2', 'Production'],
      ['3', 'None'],
    ])
    await made('POST', 'registered-models/alias', { name, alias: 'champion', version: '2' })
    await made('POST', 'model-versions/set-tag', { name, version: '2', key: 'k', value: 'v' })
    const found = await made('GET', 'model-versions/search', {
      filter: "tags.k = 'v' AND version_number > 1",
    })
    expect(found.model_versions).toMatchObject([{ version: '2', aliases: ['champion'] }])
    await made('DELETE', 'model-versions/delete', { name, version: '2' })
    expect(await refused('GET', 'registered-models/alias', { name, alias: 'champion' })).toEqual([
      400,
      'INVALID_PARAMETER_VALUE',
      'Registered model alias champion not found.',
    ])
    const { model_version: next } = await made('POST', 'model-versions/create', {
      name,
      source: 's3://b/x',
    })
    expect(next.version).toBe('4')
  })

  test('that are approved are not deleted', async () => {
    const { registry, refused, by } = await door()
    const build = {
      declaration: 'trees',
      runId: 'run_1',
      label: 'fraud',
      codeRevision: 'c',
      seed: 1,
      snapshots: { t: 's' },
      featureSets: [{ name: 'f', version: '1' }],
      learner: {},
      split: {},
    }
    await registry.registerVersion(
      {
        model: 'fraud',
        project: 'bank',
        kind: 'boosted-trees',
        modelJson: '{}',
        build,
        thresholds: {},
        metrics: {},
        trainedBy: ['a'],
      },
      by,
    )
    await registry.changeStatus('fraud', 1, 'approved', by)
    const asked = { name: 'fraud', version: '1' }
    const [status, code] = await refused('DELETE', 'model-versions/delete', asked)
    expect([status, code]).toEqual([409, 'RESOURCE_CONFLICT'])
  })
})

describe('webhooks behind MLflow’s door', () => {
  test('are made, shown without their secret, tried, told and removed', async () => {
    const { made, refused, webhooks, sent } = await door()
    const events = [{ entity: 'REGISTERED_MODEL', action: 'CREATED' }]
    const { webhook } = await made('POST', 'webhooks', {
      name: 'tickets',
      url: 'https://example.com/x',
      events,
      secret: 'hush',
    })
    expect(JSON.stringify(webhook)).not.toContain('hush')
    expect(webhook).toMatchObject({ name: 'tickets', status: 'ACTIVE', events })
    const id = webhook.webhook_id as string
    expect(await made('POST', `webhooks/${id}/test`)).toMatchObject({ result: { success: true } })
    await made('POST', 'registered-models/create', { name: 'churn' })
    expect(await webhooks.deliverDue()).toBe(1)
    expect(JSON.parse(sent[1].body)).toMatchObject({
      entity: 'registered_model',
      data: { name: 'churn', tags: {}, description: null },
    })
    await made('PATCH', `webhooks/${id}`, { status: 'DISABLED' })
    expect((await made('GET', 'webhooks')).webhooks).toMatchObject([{ status: 'DISABLED' }])
    await made('DELETE', `webhooks/${id}`)
    expect((await refused('GET', `webhooks/${id}`))[1]).toBe('RESOURCE_DOES_NOT_EXIST')
  })

  test('are for those who manage access', async () => {
    const { app } = await openMlflowDoor({ openTo: { ...anyone, roles: ['analyst'] } })
    const response = await app.inject({ method: 'GET', url: '/api/2.0/mlflow/webhooks' })
    expect([response.statusCode, response.json<Answer>().error_code]).toEqual([
      403,
      'PERMISSION_DENIED',
    ])
  })
})
