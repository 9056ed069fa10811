// What is not finite has one answer at every door of prediction, as `assay models score`, contracts and
// `assay learn` have it: an infinity is refused with its place, NaN is a missing value.
import { afterAll, describe, expect, test } from 'vitest'
import { grpcClient } from '../../../test/grpc-client.ts'
import { openTestDoor } from '../../../test/inference-door.ts'

const door = await openTestDoor({ grpcPort: 0 })
const client = grpcClient(door.grpcPort!)
afterAll(async () => {
  client.close()
  await door.close(0)
})
const infer = '/v2/models/churn/infer'
const columns = ['Column_0', 'Column_1', 'Column_2', 'Column_3']
const rows = (value: number) => [
  [1, 2, 3, 4],
  [1, value, 3, 4],
]

interface Told {
  /** Of HTTP, or of gRPC. */
  readonly status: number
  readonly text: string
}

const overHttp = async (
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Told> => {
  const { status, text } = await door.ask(path, body, headers)
  return { status, text }
}

/** JSON has no infinity, but a number that is too large for a double is one when it is read. */
const inJson = (value: number) =>
  Number.isNaN(value)
    ? 'null'
    : Number.isFinite(value)
      ? String(value)
      : value > 0
        ? '1e999'
        : '-1e999'
const flatJson = (value: number) => rows(value).flat().map(inJson).join(',')
const doubles = (value: number) => Buffer.from(Float64Array.from(rows(value).flat()).buffer)
const floats = (value: number) => Buffer.from(Float32Array.from(rows(value).flat()).buffer)

const binary = (datatype: string, bytes: Buffer) => {
  const parameters = { binary_data_size: bytes.length }
  const head = JSON.stringify({ inputs: [{ name: 'input', shape: [2, 4], datatype, parameters }] })
  const lengths = { 'inference-header-content-length': String(Buffer.byteLength(head)) }
  return overHttp(infer, Buffer.concat([Buffer.from(head), bytes]), lengths)
}

const overGrpc = async (input: object, raw: Buffer[] = []): Promise<Told> => {
  const shaped = { name: 'input', shape: [2, 4], datatype: 'FP64', ...input }
  try {
    await client.call('ModelInfer', {
      model_name: 'churn',
      inputs: [shaped],
      raw_input_contents: raw,
    })
    return { status: 200, text: '' }
  } catch (error) {
    const { code, details } = error as { code: number; details: string }
    return { status: code, text: details }
  }
}

const INVALID_ARGUMENT = 3
const doors: [string, number, (value: number) => Promise<Told>][] = [
  [
    'a table in JSON',
    400,
    (value) =>
      overHttp(
        infer,
        `{"inputs":[{"name":"input","shape":[2,4],"datatype":"FP64","data":[${flatJson(value)}]}]}`,
      ),
  ],
  [
    'columns in JSON',
    400,
    (value) => {
      const inputs = columns.map((name, j) => {
        const data = rows(value).map((row) => inJson(row[j]))
        return `{"name":"${name}","shape":[2],"datatype":"FP64","data":[${data.join(',')}]}`
      })
      return overHttp(infer, `{"inputs":[${inputs.join(',')}]}`)
    },
  ],
  ['binary doubles', 400, (value) => binary('FP64', doubles(value))],
  ['binary floats', 400, (value) => binary('FP32', floats(value))],
  [
    'bytes alone',
    400,
    (value) => overHttp(infer, doubles(value), { 'inference-header-content-length': '0' }),
  ],
  [
    'contents of gRPC',
    INVALID_ARGUMENT,
    (value) => overGrpc({ contents: { fp64_contents: rows(value).flat() } }),
  ],
  ['raw contents of gRPC', INVALID_ARGUMENT, (value) => overGrpc({}, [doubles(value)])],
  [
    'instances',
    400,
    (value) => {
      const all = rows(value).map((row) => `[${row.map(inJson).join(',')}]`)
      return overHttp('/invocations', `{"instances":[${all.join(',')}]}`)
    },
  ],
  [
    'CSV',
    400,
    (value) => {
      const lines = rows(value).map((row) => row.map(csvText).join(','))
      const body = [columns.join(','), ...lines].join('\n')
      return overHttp('/invocations', body, { 'content-type': 'text/csv' })
    },
  ],
]

/** As pandas writes them. */
const csvText = (value: number) =>
  Number.isNaN(value) ? 'nan' : Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf'

describe.each(doors)('%s', (_, refused, ask) => {
  test.each([Infinity, -Infinity])('refuses %d, and says where it stands', async (value) => {
    const { status, text } = await ask(value)
    expect(status).toBe(refused)
    // A number that is none in JSON is refused as it is read, by its text.
    const words = text.includes('1e999')
      ? `The number ${inJson(value)} cannot be`
      : `input "Column_1" is ${value} in row 1; a value is a finite number, or NaN where it is missing`
    expect(text.replaceAll('\\"', '"')).toContain(words)
  })

  test('takes NaN as a missing value', async () => {
    expect((await ask(Number.NaN)).status).toBe(200)
  })
})
