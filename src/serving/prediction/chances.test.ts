import { describe, expect, test } from 'vitest'
import { predictor } from '../../learning/index.ts'
import { fromRows } from '../../lib/matrix.ts'
import { chancesOf, rowInputs } from './chances.ts'
import { engineRuntime } from './engine-runtime.ts'
import { names, trees } from './example.cases.ts'
import type { ModelRuntime } from './ports.ts'
import type { TensorSpec } from './signature.ts'
import type { Tensor } from './tensor.ts'

const spec = (
  name: string,
  shape: readonly number[],
  datatype: TensorSpec['datatype'] = 'FP32',
) => ({
  name,
  datatype,
  shape,
})
const x = fromRows(
  ['a', 'b'],
  [
    [1, 2],
    [3, 4],
  ],
)

function runtimeOf(
  inputs: readonly TensorSpec[],
  answer: (inputs: readonly Tensor[]) => readonly Tensor[],
): ModelRuntime {
  return {
    platform: 'test',
    signature: { inputs, outputs: [] },
    predict: answer,
    close: async () => {},
  }
}

const numbers = (name: string, shape: readonly number[], data: readonly number[]): Tensor => ({
  name,
  datatype: name === 'label' ? 'INT64' : 'FP32',
  shape,
  data: Float64Array.from(data),
})

describe('chances of rows', () => {
  test('are those of the engine, however many rows there are', async () => {
    const rows = Array.from({ length: 2500 }, (_, i) => [i % 7, (i % 5) - 2, i % 3])
    const matrix = fromRows(names, rows)
    expect(await chancesOf(engineRuntime(trees), matrix)).toEqual(
      predictor(trees).scoreMatrix(matrix),
    )
  })

  test('of a model with one wide input go as rows of it', async () => {
    const seen: Tensor[] = []
    const runtime = runtimeOf([spec('input__0', [-1, 2])], (inputs) => {
      seen.push(...inputs)
      return [numbers('output__0', [2, 1], [0.25, 0.75])]
    })
    expect(rowInputs(runtime.signature).map(({ name, shape }) => [name, ...shape])).toEqual([
      ['f0', -1],
      ['f1', -1],
    ])
    expect(await chancesOf(runtime, x)).toEqual(Float64Array.of(0.25, 0.75))
    expect(seen).toEqual([
      { name: 'input__0', datatype: 'FP32', shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) },
    ])
  })

  test('of a model with an input a feature go as columns', async () => {
    const seen: Tensor[] = []
    const runtime = runtimeOf([spec('a', [-1, 1]), spec('b', [-1])], (inputs) => {
      seen.push(...inputs)
      return [numbers('label', [2], [0, 1]), numbers('probabilities', [2, 2], [0.9, 0.1, 0.4, 0.6])]
    })
    expect(await chancesOf(runtime, x)).toEqual(Float64Array.of(0.1, 0.6))
    expect(seen.map(({ shape, data }) => [shape, [...data]])).toEqual([
      [
        [2, 1],
        [1, 3],
      ],
      [[2], [2, 4]],
    ])
  })

  test.each<[string, readonly Tensor[], RegExp]>([
    ['none', [numbers('p', [2], [0.5, Number.NaN])], /NaN for row 1, which is no chance/],
    ['a margin', [numbers('p', [2], [-1, 3])], /-1 for row 0/],
    ['several classes', [numbers('p', [2, 3], [0, 0, 1, 0, 0, 1])], /6 numbers for 2 rows/],
    ['two kinds', [numbers('p', [2], [0, 0]), numbers('q', [2], [0, 0])], /"p", "q" is plainly/],
    ['fewer rows', [numbers('p', [1, 2], [0.5, 0.5])], /answers 1 rows; it was asked for 2/],
    ['more rows', [numbers('p', [4], [0, 0, 0, 0])], /answers 4 rows; it was asked for 2/],
    ['a class alone', [numbers('label', [2], [0, 1])], /"label" is plainly a chance/],
  ])('are refused where the model gives %s', async (_, outputs, why) => {
    const runtime = runtimeOf([spec('a', [-1]), spec('b', [-1])], () => outputs)
    await expect(chancesOf(runtime, x)).rejects.toThrow(why)
  })

  test('of a model that takes texts are refused', async () => {
    const runtime = runtimeOf([spec('a', [-1], 'BYTES'), spec('b', [-1])], () => [])
    await expect(chancesOf(runtime, x)).rejects.toThrow('takes texts')
  })
})
