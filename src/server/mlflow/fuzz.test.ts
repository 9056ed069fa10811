// Whatever a client gets wrong is told in one form and is never our failure: its library repeats
// every 5xx with growing pauses.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyone, openMlflowDoor } from '../../../test/mlflow-door.ts'
import type { Endpoint, Field } from './endpoint.ts'
import { endpoints as all } from './tables.ts'

const subjects = Object.groupBy(all, ({ path }) => path.split('/').slice(1, 3).join('/'))

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '.',
    '..',
    '../x',
    '/a',
    'a//b',
    '\0',
    'null',
    '__proto__',
    'constructor',
    'toString',
    "'",
    '\ud800',
    'x'.repeat(300),
    'x'.repeat(9000),
    'metrics.a > 1 AND (',
    "params.a = '",
    'metrics.`a',
    'attributes.start_time > 1e999',
    'a'.repeat(200) + ' = 1',
    "tags.a IN ('x', 5)",
    'start_time DESC, x',
    '(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((',
    'WyJ4Il0',
    'eyJvZmZzZXQiOiAxfQ==',
    '9'.repeat(400),
    '-1',
    '1e5',
    'NaN',
    'Infinity',
    'KILLED',
    'LOGGED_MODEL_READY',
  ),
)
const oddNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -1, 1.5, 2 ** 53, -(2 ** 53), 2 ** 63, 1e308, 99, 9_007_199_254_740),
)
const odd: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  oddNumber,
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Values that sometimes fit the field, so that requests get past the door now and then. */
function valueFor(field: Field, ids: readonly string[]): fc.Arbitrary<unknown> {
  const fitting = ((): fc.Arbitrary<unknown> => {
    switch (field.kind) {
      case 'text':
        return fc.oneof(fc.constantFrom(...ids, 'a', 'metrics.a', 'name'), oddText)
      case 'whole':
      case 'number':
        return fc.oneof(fc.integer({ min: 0, max: 100 }), oddNumber, oddText)
      case 'flag':
        return fc.boolean()
      case 'choice':
        return fc.oneof(fc.constantFrom(...field.names), fc.integer({ min: -1, max: 7 }))
      case 'list':
        return fc.array(valueFor(field.item, ids), { maxLength: 3 })
      case 'record':
        return requestFor(field.fields, ids)
    }
  })()
  return fc.oneof({ weight: 4, arbitrary: fitting }, { weight: 1, arbitrary: odd })
}

function requestFor(fields: Endpoint['fields'], ids: readonly string[]): fc.Arbitrary<object> {
  const parts = Object.entries(fields).map(([name, field]) => [name, valueFor(field, ids)] as const)
  return fc.record(Object.fromEntries(parts), { requiredKeys: [] })
}

const requestOf = (endpoint: Endpoint, ids: readonly string[]) =>
  fc.record({
    fields: requestFor(endpoint.fields, ids),
    path: fc.oneof(fc.constantFrom(...ids), oddText),
    raw: fc.option(
      fc.oneof(fc.string(), fc.constantFrom('{', '[]', '"{"', '{"a":', '\ufeff{}', '1')),
      {
        freq: 8,
        nil: undefined,
      },
    ),
    type: fc.constantFrom('application/json', 'application/json', 'application/json', 'text/plain'),
  })

for (const [name, endpoints = []] of Object.entries(subjects)) {
  test(
    `no request to ${name} makes the server fail, and every refusal has one form`,
    { timeout: 60_000 },
    async () => {
      const { app, defects } = await openMlflowDoor({ keys: { ak: anyone } })
      const made = async (path: string, body: object) =>
        (await app.inject({ method: 'POST', url: `/api/2.0/mlflow/${path}`, payload: body })).json()
      const run = (await made('runs/create', { experiment_id: '0' })).run.info.run_id as string
      const model = (await made('logged-models', { experiment_id: '0' })).model.info
        .model_id as string
      const ids = ['0', run, model]
      for (const endpoint of endpoints) {
        await fc.assert(
          fc.asyncProperty(requestOf(endpoint, ids), async ({ fields, path, raw, type }) => {
            const url = endpoint.path.replaceAll(/:\w+|\*\w+/g, () =>
              encodeURIComponent(path.toWellFormed()),
            )
            const { method } = endpoint
            const answer = await app.inject({
              method,
              url: `/api/2.0${url}${method === 'GET' ? queryOf(fields) : ''}`,
              ...(method !== 'GET' && {
                payload: raw ?? JSON.stringify(fields),
                headers: { 'content-type': type },
              }),
            })
            const seen = `${method} ${url} ${raw ?? JSON.stringify(fields)}: ${answer.body.slice(0, 300)}`
            expect(defects, seen).toEqual([])
            // 501 says that this server never does a thing; no client repeats it.
            if (answer.statusCode !== 501) expect(answer.statusCode, seen).toBeLessThan(500)
            if (answer.statusCode < 300) return
            const body = answer.json() as Record<string, unknown>
            expect(Object.keys(body), seen).toEqual(['error_code', 'message'])
            expect(body['error_code'], seen).toMatch(/^[A-Z_]+$/)
            expect(typeof body['message'], seen).toBe('string')
          }),
          { numRuns: 60 },
        )
      }
      await app.close()
    },
  )
}

function queryOf(fields: object): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    for (const each of [value].flat()) {
      const text = typeof each === 'string' ? each.toWellFormed() : JSON.stringify(each)
      query.append(name, text)
    }
  }
  return `?${query.toString()}`
}

test('no token gets anybody in but a valid one, and each gets the same form of answer', async () => {
  const { app } = await openMlflowDoor({ openTo: undefined })
  const credentials = fc.oneof(
    fc.string({ unit: 'grapheme-ascii' }),
    fc.string().map((text) => `Bearer ${text}`),
    fc.base64String().map((text) => `Basic ${text}`),
  )
  await fc.assert(
    fc.asyncProperty(credentials, async (authorization) => {
      const answer = await app.inject({
        method: 'POST',
        url: '/api/2.0/mlflow/runs/create',
        headers: { authorization: authorization.replaceAll(/[^\x20-\x7e]/g, '?') },
        payload: { experiment_id: '0' },
      })
      expect([answer.statusCode, answer.json().error_code]).toEqual([401, 'UNAUTHENTICATED'])
    }),
  )
})
