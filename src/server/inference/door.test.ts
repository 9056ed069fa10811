import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  fixture,
  openTestDoor,
  probabilityOf,
  type TestDoor,
} from '../../../test/inference-door.ts'
import type { ModelHost, ModelState } from '../../serving/index.ts'

const door = await openTestDoor()
afterAll(() => door.close(0))
const { ask } = door

const columns = ['Column_0', 'Column_1', 'Column_2', 'Column_3']
const three = fixture.rows.slice(0, 3)
const input = { name: 'input', shape: [3, 4], datatype: 'FP64', data: three.flat() }
const named = columns.map((name, j) => ({
  name,
  shape: [3],
  datatype: 'FP64',
  data: three.map((row) => row[j]),
}))
const infer = '/v2/models/churn/infer'

interface Answer {
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[]
}

const probabilities = (text: string) =>
  (JSON.parse(text) as Answer).outputs[1].data.filter((_, at) => at % 2 === 1)

function expectFixture(text: string): void {
  probabilities(text).forEach((p, row) => expect(p).toBeCloseTo(probabilityOf(row), 12))
}

describe('what the door tells', () => {
  test.each([
    ['/v2', { name: 'assay', version: '1.2.3', extensions: ['binary_tensor_data'] }],
    ['/v2/health/live', { live: true }],
    ['/v2/health/ready', { ready: true }],
    ['/v2/models/churn/ready', { name: 'churn', ready: true }],
    ['/v2/models/churn/versions/1/ready', { name: 'churn', ready: true }],
    [
      '/v2/models/churn',
      {
        name: 'churn',
        versions: ['1', '2'],
        platform: 'assay',
        inputs: columns.map((name) => ({ name, datatype: 'FP64', shape: [-1] })),
        outputs: [
          { name: 'predict', datatype: 'INT64', shape: [-1] },
          { name: 'predict_proba', datatype: 'FP64', shape: [-1, 2] },
        ],
      },
    ],
  ])('at %s', async (path, expected) => {
    const { status, text } = await ask(path)
    expect([status, JSON.parse(text)]).toEqual([200, expected])
  })

  test('at the addresses of MLflow, SageMaker and Vertex AI', async () => {
    expect(await ask('/ping')).toMatchObject({ status: 200, text: '\n' })
    expect(await ask('/health')).toMatchObject({ status: 200 })
    expect(await ask('/version')).toMatchObject({ status: 200, text: '1.2.3' })
  })
})

describe('inference in JSON', () => {
  test('takes one table and gives what LightGBM gave', async () => {
    const { status, text } = await ask(infer, { id: 'a"b', inputs: [input] })
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({
      model_name: 'churn',
      model_version: '2',
      id: 'a"b',
      outputs: [
        { name: 'predict', datatype: 'INT64', shape: [3] },
        { name: 'predict_proba', datatype: 'FP64', shape: [3, 2] },
      ],
    })
    expectFixture(text)
  })

  test('takes nested data, and one tensor a feature in any order', async () => {
    const plain = await ask(infer, { inputs: [input] })
    const nested = await ask(infer, { inputs: [{ ...input, data: three }] })
    const reversed = await ask(infer, { inputs: named.toReversed() })
    expect(nested.text).toBe(plain.text)
    expect(reversed.text).toBe(plain.text)
  })

  test('gives the outputs that are asked for, in that order, of the version that is named', async () => {
    const outputs = [{ name: 'predict_proba' }, { name: 'predict' }]
    const { text } = await ask('/v2/models/churn/versions/1/infer', { inputs: [input], outputs })
    const answer = JSON.parse(text) as Answer
    expect(answer).toMatchObject({ model_version: '1' })
    expect(answer.outputs.map(({ name }) => name)).toEqual(['predict_proba', 'predict'])
  })
})

describe('a refusal', () => {
  const refused: [string, number, string, object | string, string][] = [
    ['no JSON', 400, infer, '{', 'not JSON'],
    ['JSON nested too deeply', 400, infer, `${'['.repeat(40)}${']'.repeat(40)}`, 'nested more'],
    ['a key that is there twice', 400, infer, '{"inputs":[],"inputs":[]}', 'twice'],
    ['no object', 400, infer, '[]', 'not a JSON object'],
    ['an id that is no text', 400, infer, { id: 1, inputs: [input] }, '"id"'],
    ['no inputs', 400, infer, { inputs: [] }, '"inputs"'],
    ['an unknown type', 400, infer, { inputs: [{ ...input, datatype: 'FP8' }] }, 'datatype "FP8"'],
    ['a negative length', 400, infer, { inputs: [{ ...input, shape: [-1, 4] }] }, 'length -1'],
    ['a length of zero', 400, infer, { inputs: [{ ...input, shape: [0, 4] }] }, 'length 0'],
    ['a huge shape', 400, infer, { inputs: [{ ...input, shape: [1e9, 1e9] }] }, 'more than'],
    ['too little data', 400, infer, { inputs: [{ ...input, data: [1] }] }, 'has 1 elements'],
    [
      'data of another shape',
      400,
      infer,
      { inputs: [{ ...input, data: [[1, 2], [3]] }] },
      'nested',
    ],
    [
      'a text among numbers',
      400,
      infer,
      { inputs: [{ ...input, data: Array(12).fill('1') }] },
      'no FP64',
    ],
    [
      'an output twice',
      400,
      infer,
      { inputs: [input], outputs: [{ name: 'a' }, { name: 'a' }] },
      'twice',
    ],
    [
      'an unknown output',
      400,
      infer,
      { inputs: [input], outputs: [{ name: 'a' }] },
      'no output a; it has predict',
    ],
    [
      'an unknown input',
      400,
      infer,
      { inputs: [{ ...input, name: 'x' }] },
      'input "Column_0" (FP64[-1]) is missing',
    ],
    [
      'bytes that no input has',
      400,
      infer,
      { inputs: [{ ...input, parameters: { binary_data_size: 8 } }] },
      'both',
    ],
    ['an unknown model', 404, '/v2/models/other/infer', { inputs: [input] }, 'No model other'],
    [
      'an unknown version',
      404,
      '/v2/models/churn/versions/9/infer',
      { inputs: [input] },
      'in version 9',
    ],
    [
      'classification',
      501,
      infer,
      { inputs: [input], outputs: [{ name: 'predict', parameters: { classification: 2 } }] },
      'classifications',
    ],
    [
      'shared memory',
      501,
      infer,
      { inputs: [{ ...input, parameters: { shared_memory_region: 'a' } }] },
      'Shared memory',
    ],
  ]
  test.each(refused)('of %s is %i in the shape of KServe', async (_, status, path, body, words) => {
    const answer = await ask(path, body)
    expect(answer.status).toBe(status)
    const { error, ...rest } = JSON.parse(answer.text) as { readonly error: string }
    expect(error).toContain(words)
    expect(rest).toEqual({})
  })

  test('of an unknown address is 404, of the wrong method 405, of a compressed body 415', async () => {
    expect((await ask('/v2/repository/index')).status).toBe(404)
    expect((await ask('/v2/models/%FF')).status).toBe(404)
    expect((await ask(infer)).status).toBe(405)
    expect((await ask('/v2', '{}')).status).toBe(405)
    expect((await ask(infer, '{}', { 'content-encoding': 'gzip' })).status).toBe(415)
  })

  test('of a body that is too large is 413', async () => {
    const { status, text } = await ask(infer, Buffer.alloc(17 * 1024 * 1024, 0x20))
    expect([status, Object.keys(JSON.parse(text) as object)]).toEqual([413, ['error']])
  })

  test('lists every mismatch at once', async () => {
    const inputs = [
      { ...named[0], shape: [3, 1], datatype: 'BYTES', data: ['a', 'b', 'c'] },
      named[1],
    ]
    const { text } = await ask(infer, { inputs })
    expect(text).toContain('Column_0')
    expect(text).toContain('Column_2')
    expect(text).toContain('Column_3')
  })
})

describe('a door that is closing', () => {
  test('answers what is on its way, ends its connections, and takes nothing new', async () => {
    const closing = await openTestDoor()
    const body = JSON.stringify({ inputs: [input] })
    const { hostname, port } = new URL(closing.url)
    const socket = connect(Number(port), hostname)
    const head = `POST ${infer} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`
    socket.write(`${head}${body.slice(0, 10)}`)
    await setTimeout(50)
    const closed = closing.close(5000)
    socket.write(body.slice(10))
    const answer = (await socket.toArray()).join('')
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(answer).toContain('connection: close')
    await closed
    await expect(closing.ask('/v2')).rejects.toThrow()
  })
})

describe('a door that asks who comes', () => {
  test('is not ready while a model is not, and tells why to those who may ask for it', async () => {
    const state = { standing: { state: 'unavailable', reason: 'It fell 5 times' } as ModelState }
    const model = {
      name: 'graph',
      version: '1',
      get standing() {
        return state.standing
      },
    }
    const never = {
      name: 'old',
      version: '1',
      standing: { state: 'unserved', reason: 'x' },
    } as const
    const models: ModelHost = { find: () => model, list: () => [model, never] }
    const open = await openTestDoor({ models })
    const guarded = await openTestDoor({ models, admit: async () => {} })
    onTestFinished(async () => {
      await open.close(0)
      await guarded.close(0)
    })
    const told = async (asked: TestDoor, path: string) => {
      const { status, text } = await asked.ask(path)
      return [status, JSON.parse(text)]
    }
    const reason = 'It fell 5 times'
    const named = { name: 'graph', version: '1', reason }
    expect(await told(open, '/v2/health/ready')).toEqual([503, { ready: false, models: [named] }])
    expect(await told(guarded, '/v2/health/ready')).toEqual([503, { ready: false }])
    expect(await told(open, '/v2/models/graph/ready')).toEqual([
      503,
      { name: 'graph', ready: false, reason },
    ])
    const [, asked] = await told(open, '/v2/models/graph')
    expect(asked).toEqual({ error: 'graph version 1 is unavailable: It fell 5 times' })
    state.standing = { state: 'loading' }
    expect((await told(open, '/v2/health/ready'))[0]).toBe(503)
  })

  test('answers health to everybody, and nothing else without a key', async () => {
    const { doorErrors } = await import('../decide/errors.ts')
    const guarded = await openTestDoor({
      admit: async ({ authorization }) => {
        if (authorization !== 'Bearer good') throw doorErrors.cross_site_refused('No key.')
      },
    })
    expect((await guarded.ask('/v2/health/ready')).status).toBe(200)
    expect((await guarded.ask('/v2/models/churn')).status).toBe(403)
    expect((await guarded.ask(infer, { inputs: [input] })).status).toBe(403)
    const headers = { authorization: 'Bearer good' }
    expect((await guarded.ask(infer, { inputs: [input] }, headers)).status).toBe(200)
    await guarded.close(0)
  })
})

describe('more requests than are answered at a time', () => {
  test('are refused with the time after which to come again', async () => {
    const full = await openTestDoor({ inFlightMax: 0 })
    const { status, headers } = await full.ask(infer, { inputs: [input] })
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
    await full.close(0)
  })
})

test('nothing above was a defect', () => {
  expect(door.defects).toEqual([])
})
