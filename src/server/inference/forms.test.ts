// The laws of the door: every form of a request is answered alike, and whatever comes is answered.
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { grpcClient } from '../../../test/grpc-client.ts'
import { openTestDoor } from '../../../test/inference-door.ts'
import { type Datatype, numberTypes, type Tensor } from '../../serving/index.ts'
import { jsonTensor, writeJsonTensor } from './json-tensors.ts'
import { rawTensor, writeRaw } from './raw.ts'

const door = await openTestDoor({ grpcPort: 0 })
const client = grpcClient(door.grpcPort!)
const { call } = client
afterAll(async () => {
  client.close()
  await door.close(0)
})
const { ask } = door
const infer = '/v2/models/churn/infer'

/** Elements that a type holds exactly, as JSON writes them. */
function elementOf(datatype: Datatype): fc.Arbitrary<number | string | boolean | null> {
  if (datatype === 'BYTES') return fc.string({ unit: 'grapheme' })
  if (datatype === 'BOOL') return fc.boolean()
  const { min, max } = numberTypes[datatype] as { readonly min?: number; readonly max?: number }
  if (min !== undefined && max !== undefined)
    return fc.maxSafeInteger().map((n) => within(n, min, max))
  const finite = { noNaN: true, noDefaultInfinity: true, max: 60_000, min: -60_000 } as const
  return fc.oneof(fc.constant(null), fc.double(finite))
}

const within = (n: number, min: number, max: number) =>
  n >= min && n <= max ? n : Math.abs(n) % (max + 1)

const datatypes: Datatype[] = [...(Object.keys(numberTypes) as Datatype[]), 'BYTES']

describe('the forms of a tensor', () => {
  test.each(datatypes)('of %s hold the same elements', (datatype) => {
    const list = fc.array(elementOf(datatype), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(list, (data) => {
        const shape = [data.length]
        const fromJson = jsonTensor('a', datatype, shape, data, data.length)
        const raw = writeRaw(fromJson)
        expect(rawTensor('a', datatype, shape, raw, data.length)).toEqual(fromJson)
        const written = JSON.parse(writeJsonTensor(fromJson)) as Tensor & { data: unknown[] }
        expect(jsonTensor('a', datatype, shape, written.data, data.length)).toEqual(fromJson)
      }),
    )
  })

  test.each<[Datatype, unknown]>([
    ['INT8', 128],
    ['UINT8', -1],
    ['INT32', 1.5],
    ['UINT64', 2 ** 53],
    ['FP32', 1e39],
    ['FP16', 65_520],
    ['BOOL', 2],
    ['BYTES', 1],
    ['FP64', 'NaN'],
  ])('of %s do not hold %s', (datatype, value) => {
    expect(() => jsonTensor('a', datatype, [1], [value], 1)).toThrow(`no ${datatype}`)
  })

  test('refuse whole numbers in bytes that no engine would compute exactly', () => {
    const raw = Buffer.from(BigInt64Array.of(2n ** 53n).buffer)
    expect(() => rawTensor('a', 'INT64', [1], raw, 1)).toThrow('beyond 2^53')
  })

  test('refuse texts whose lengths do not add up, or that are no text', () => {
    const texts =
      (...bytes: number[]) =>
      () =>
        rawTensor('a', 'BYTES', [1], Buffer.from(bytes), 1)
    expect(texts(5, 0, 0, 0, 65)).toThrow('1 texts')
    expect(texts(1, 0, 0, 0, 65, 66)).toThrow('1 texts')
    expect(texts(1, 0)).toThrow('1 texts')
    expect(texts(1, 0, 0, 0, 0xff)).toThrow('not UTF-8')
  })
})

// Whole numbers beyond 2^53 are refused in JSON, whatever the datatype.
const value = fc.option(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
  { freq: 4 },
)
const table = fc.array(fc.tuple(value, value, value, value), { minLength: 1, maxLength: 4 })

describe('a request', () => {
  test('is answered alike in JSON, in bytes, as bytes alone, and over gRPC', async () => {
    await fc.assert(
      fc.asyncProperty(table, async (rows) => {
        const data = rows.flat()
        const bytes = Buffer.from(Float64Array.from(data, (n) => n ?? NaN).buffer)
        const head = { name: 'input', shape: [rows.length, 4], datatype: 'FP64' }
        const plain = await ask(infer, { inputs: [{ ...head, data }] })
        expect(plain.status).toBe(200)
        const expected = JSON.parse(plain.text) as { outputs: { data: number[] }[] }

        const json = Buffer.from(
          JSON.stringify({
            inputs: [{ ...head, parameters: { binary_data_size: bytes.length } }],
            parameters: { binary_data_output: true },
          }),
        )
        const lengths = [json.length, 0]
        for (const [at, body] of [Buffer.concat([json, bytes]), bytes].entries()) {
          const header = { 'inference-header-content-length': String(lengths[at]) }
          const given = await ask(infer, body, header)
          expect(given.status).toBe(200)
          const told = Number(given.headers.get('inference-header-content-length'))
          expect(probabilities(given.bytes.subarray(told), rows.length)).toEqual(
            expected.outputs[1].data,
          )
        }

        for (const raw of [false, true]) {
          // Contents of gRPC have no word for a missing value but NaN.
          const contents = { fp64_contents: data.map((n) => n ?? NaN) }
          const answer = await call('ModelInfer', {
            model_name: 'churn',
            inputs: [raw ? head : { ...head, contents }],
            raw_input_contents: raw ? [bytes] : [],
          })
          const { outputs, raw_output_contents: raws } = answer as {
            readonly outputs: { contents: { fp64_contents: number[] } }[]
            readonly raw_output_contents: Buffer[]
          }
          const found = raw
            ? [...new Float64Array(Uint8Array.from(raws[1]).buffer)]
            : outputs[1].contents.fp64_contents
          expect(found).toEqual(expected.outputs[1].data)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('of any bytes is refused with a 4xx and a reason', async () => {
    const header = fc.option(fc.integer({ min: -2, max: 400 }), { nil: undefined })
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .object({
          key: fc.constantFrom(
            'inputs',
            'outputs',
            'name',
            'shape',
            'data',
            'datatype',
            'id',
            'parameters',
          ),
        })
        .map((object) => Buffer.from(JSON.stringify({ inputs: [object], ...object }))),
    )
    await fc.assert(
      fc.asyncProperty(
        body,
        header,
        fc.constantFrom(infer, '/invocations'),
        async (bytes, length, path) => {
          const headers = Object.fromEntries(
            length === undefined ? [] : [['inference-header-content-length', String(length)]],
          )
          const { status, text } = await ask(path, Uint8Array.from(bytes), headers)
          const isRaw = status === 200 && length === 0
          if (isRaw) return
          expect(status).toBeGreaterThanOrEqual(400)
          expect(status).toBeLessThan(500)
          const { error, ...rest } = JSON.parse(text) as { readonly error: string }
          expect([typeof error, rest]).toEqual(['string', {}])
        },
      ),
      { numRuns: 300 },
    )
    expect(door.defects).toEqual([])
  })
})

/** The second output of two: after two times eight bytes a row of classes. */
function probabilities(bytes: Buffer, rows: number): number[] {
  return [...new Float64Array(Uint8Array.from(bytes.subarray(rows * 8)).buffer)]
}

describe('gRPC', () => {
  test('tells health and metadata', async () => {
    expect(await call('ServerLive', {})).toEqual({ live: true })
    expect(await call('ServerReady', {})).toEqual({ ready: true })
    expect(await call('ModelReady', { name: 'churn', version: '1' })).toEqual({ ready: true })
    expect(await call('ServerMetadata', {})).toMatchObject({ name: 'assay', version: '1.2.3' })
    const metadata = await call('ModelMetadata', { name: 'churn' })
    expect(metadata).toMatchObject({ versions: ['1', '2'], platform: 'assay' })
    expect((metadata['inputs'] as { shape: number[] }[])[0].shape).toEqual([-1])
  })

  const input = { name: 'input', shape: [1, 4], datatype: 'FP64' }
  const contents = { fp64_contents: [1, 2, 3, 4] }
  test.each<[string, number, object]>([
    ['an unknown model', 5, { model_name: 'other', inputs: [{ ...input, contents }] }],
    ['no inputs', 3, { model_name: 'churn' }],
    [
      'contents of another type',
      3,
      { model_name: 'churn', inputs: [{ ...input, contents: { int_contents: [1, 2, 3, 4] } }] },
    ],
    [
      'contents and raw contents',
      3,
      {
        model_name: 'churn',
        inputs: [{ ...input, contents }],
        raw_input_contents: [Buffer.alloc(32)],
      },
    ],
    [
      'too few raw contents',
      3,
      { model_name: 'churn', inputs: [input, input], raw_input_contents: [Buffer.alloc(32)] },
    ],
    [
      'a negative length',
      3,
      { model_name: 'churn', inputs: [{ ...input, shape: [-1, 4], contents }] },
    ],
    [
      'an unknown output',
      3,
      { model_name: 'churn', inputs: [{ ...input, contents }], outputs: [{ name: 'x' }] },
    ],
    [
      'shared memory',
      12,
      {
        model_name: 'churn',
        inputs: [
          { ...input, contents, parameters: { shared_memory_region: { string_param: 'a' } } },
        ],
      },
    ],
  ])('refuses %s with status %i', async (_, code, message) => {
    await expect(call('ModelInfer', message)).rejects.toMatchObject({ code })
  })
})
