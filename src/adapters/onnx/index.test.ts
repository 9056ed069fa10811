import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { repositoryRoot } from '../../../test/source-text.ts'
import { AssayError } from '../../lib/errors.ts'
import { fromRows } from '../../lib/matrix.ts'
import { openOnnxModel } from './index.ts'

const file = join(repositoryRoot, 'test/fixtures/models/outside-network.onnx')
const bytes = new Uint8Array(readFileSync(file))
const golden = JSON.parse(readFileSync(`${file}.rows.json`, 'utf8')) as {
  rows: number[][]
  expected: number[][]
}
const names = ['a', 'b', 'c', 'd']
const x = fromRows(names, golden.rows)
const classes = ['low', 'middle', 'high']

describe('a model of ONNX Runtime', async () => {
  const model = await openOnnxModel(bytes, { task: 'multiclass', features: names, classes })
  afterAll(() => model.close())

  test('gives what the Runtime gives in Python', async () => {
    expect([model.features, model.outputs]).toEqual([names, classes])
    const found = await model.predictMatrix(x)
    expect(found).toHaveLength(golden.rows.length * 3)
    golden.expected.flat().forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5))
  })

  test('finds columns by name and refuses a matrix that lacks one', async () => {
    const turned = fromRows(
      [...names].reverse(),
      golden.rows.map((row) => row.toReversed()),
    )
    expect(await model.predictMatrix(turned)).toEqual(await model.predictMatrix(x))
    await expect(model.predictMatrix(fromRows(['a'], [[1]]))).rejects.toThrow('feature "b"')
  })

  test('computes a matrix of many rows in several runs, and many requests in turn', async () => {
    const many = fromRows(
      names,
      Array.from({ length: 5000 }, (_, i) => golden.rows[i % 20]),
    )
    const [all, one] = await Promise.all([model.predictMatrix(many), model.predictMatrix(x)])
    expect(all).toHaveLength(15_000)
    expect(all.subarray(0, 60)).toEqual(one)
    expect(all.subarray(4980 * 3)).toEqual(one)
  })

  test('leaves the thread of its caller free', async () => {
    const many = fromRows(
      names,
      Array.from({ length: 200_000 }, (_, i) => golden.rows[i % 20]),
    )
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await model.predictMatrix(many)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
  })
})

function fixture(name: string) {
  const path = join(repositoryRoot, 'test/fixtures/models', name)
  const rows = JSON.parse(readFileSync(`${path}.rows.json`, 'utf8')) as typeof golden
  return { file: new Uint8Array(readFileSync(path)), ...rows }
}

describe('a classifier of which nobody said what it gives', () => {
  test.each([
    ['outside-words.onnx', 'multiclass', ['high', 'low', 'middle'], names],
    ['outside-network.onnx', 'multiclass', ['0', '1', '2'], names],
    ['outside-table.onnx', 'binary', ['score'], names],
    ['outside-inputs.onnx', 'binary', ['score'], ['amount', 'balance', 'age', 'children']],
  ])('%s gives the chances of %s by class', async (name, task, outputs, columns) => {
    const { file, rows, expected } = fixture(name)
    const given = name === 'outside-inputs.onnx' ? {} : { features: names }
    const found = await openOnnxModel(file, given)
    expect([found.task, found.outputs, found.features]).toEqual([task, outputs, columns])
    const chances = await found.predictMatrix(fromRows(columns, rows))
    const wanted = expected.map((row) => row.slice(-outputs.length))
    wanted.flat().forEach((value, i) => expect(chances[i]).toBeCloseTo(value, 5))
    expect(chances).toHaveLength(wanted.flat().length)
    await found.close()
  })

  test('has inputs by name, in whatever order the columns come, and none of them missing', async () => {
    const { file, rows, expected } = fixture('outside-inputs.onnx')
    const found = await openOnnxModel(file, {})
    const turned = fromRows(
      [...found.features].reverse(),
      rows.map((row) => row.toReversed()),
    )
    const chances = await found.predictMatrix(turned)
    expected.forEach((row, i) => expect(chances[i]).toBeCloseTo(row[1], 5))
    const halves = fromRows(found.features, [[1, 1, 1, 0.5]])
    await expect(found.predictMatrix(halves)).rejects.toThrow('takes whole numbers, and got 0.5')
    await expect(openOnnxModel(file, { features: ['a'] })).rejects.toThrow('1 names')
    await found.close()
  })
})

test('a model sheds requests when too many wait, and refuses those after its end', async () => {
  const model = await openOnnxModel(bytes, { task: 'multiclass', features: names, queueMax: 2 })
  const asked = Array.from({ length: 9 }, () => model.predictMatrix(x))
  const settled = await Promise.allSettled(asked)
  const shed = settled.filter(({ status }) => status === 'rejected')
  expect(shed).toHaveLength(6)
  expect(shed[0]).toMatchObject({ reason: { code: 'overloaded' } })
  const last = Promise.allSettled([model.predictMatrix(x)])
  await model.close()
  expect(await last).toMatchObject([{ reason: { code: 'onnx_run_failed' } }])
  await expect(model.predictMatrix(x)).rejects.toThrow('closed')
})

test('a model that is broken, or gives something else, is refused with the reason', async () => {
  const open = (given: Uint8Array, options: object) =>
    openOnnxModel(given, { task: 'multiclass', ...options })
  const broken = Uint8Array.from(bytes)
  broken.fill(0x41, 300, 340)
  await expect(open(broken, {})).rejects.toThrow(AssayError)
  await expect(open(bytes.subarray(0, 500), {})).rejects.toThrow('cut off')
  await expect(open(bytes, { task: 'binary' })).rejects.toThrow('3 numbers a row')
  await expect(open(bytes, { classes: ['a'] })).rejects.toThrow('1 classes')
  await expect(open(bytes, { output: 'magic' })).rejects.toThrow('no output "magic"')
  await expect(open(bytes, { features: ['a'] })).rejects.toThrow('1 names')
})
