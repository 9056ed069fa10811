import { describe, expect, test } from 'vitest'
import type { ModelRuntime, ModelSignature, Tensor } from '../serving/index.ts'
import { outsideModels } from './outside-models.ts'

const column = (name: string) => ({ name, datatype: 'FP64', shape: [-1, 1] }) as const
const table = { name: 'input', datatype: 'FP32', shape: [-1, 2] } as const
const body = { kind: 'outside', features: ['a', 'b'], served: 'hash' } as const
const model = { name: 'graph', number: 3, version: 'v', body }
const row = Float64Array.of(1, 2)

function modelsThat(
  signature: Pick<ModelSignature, 'inputs' | 'table'>,
  answer: (inputs: readonly Tensor[]) => readonly Tensor[],
) {
  const runtime: ModelRuntime = {
    platform: 'test',
    signature: { outputs: [], ...signature },
    predict: async (inputs) => answer(inputs),
    close: async () => {},
  }
  const asked: string[] = []
  const models = outsideModels({
    runtimeOf(document) {
      asked.push(document)
      return runtime
    },
  })
  return { asked, score: () => models.score(model, row, new AbortController().signal) }
}

const numbers = (name: string, data: number[]): Tensor => {
  return { name, datatype: 'FP64', shape: [1, data.length], data: Float64Array.from(data) }
}

describe('a model outside', () => {
  test('is asked by the document that its deployment names, and gives the chance of the second class', async () => {
    const seen: Tensor[] = []
    const { asked, score } = modelsThat({ inputs: [column('a'), column('b')], table }, (inputs) => {
      seen.push(...inputs)
      return [numbers('predict', [1]), numbers('predict_proba', [0.3, 0.7])]
    })
    expect(await score()).toBe(0.7)
    expect(asked).toEqual(['hash'])
    expect(seen).toEqual([{ name: 'input', datatype: 'FP32', shape: [1, 2], data: row }])
  })

  test('that takes a tensor a feature gets them in order', async () => {
    const seen: Tensor[] = []
    const { score } = modelsThat({ inputs: [column('a'), column('b')] }, (inputs) => {
      seen.push(...inputs)
      return [numbers('chance', [0.25])]
    })
    expect(await score()).toBe(0.25)
    expect(seen.map(({ name, shape, data }) => [name, shape, ...data])).toEqual([
      ['a', [1, 1], 1],
      ['b', [1, 1], 2],
    ])
  })

  test.each([[2], [Number.NaN]])('that answers %d gives no score', async (answer) => {
    const { score } = modelsThat({ inputs: [], table }, () => [numbers('predict', [answer])])
    await expect(score()).rejects.toThrow('no chance')
  })
})
