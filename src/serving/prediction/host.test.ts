import { describe, expect, test } from 'vitest'
import {
  type Golden,
  plainTensor,
  readServedModel,
  type ServedModel,
  writeServedModel,
} from './document.ts'
import { engineRuntime } from './engine-runtime.ts'
import { preparedModel, trained, trees } from './example.cases.ts'
import { createModelHost, runtimeOf } from './host.ts'
import { goldenOf } from './warm-up.ts'

const body = { kind: 'engine', model: trees } as const
const document: ServedModel = { format: 1, name: 'churn', version: '3', body }
const golden = await goldenOf(engineRuntime(trees), body)
const nothing = async () => {
  throw new Error('nothing is outside')
}

describe('a host of models', () => {
  test('says ready only after the golden set was answered alike', async () => {
    const host = createModelHost(nothing)
    const loading = host.load({ ...document, golden })
    expect(host.find('churn').standing).toEqual({ state: 'loading' })
    expect(() => runtimeOf(host.find('churn'))).toThrow('churn version 3 is being loaded')
    expect((await loading).standing.state).toBe('ready')
    expect(runtimeOf(host.find('churn', '3')).platform).toBe('assay')
    await host.close()
  })

  test('is ready with the golden set of any model, read back from its document', async () => {
    for (const model of Object.values(trained)) {
      const own = { kind: 'engine', model } as const
      const set = await goldenOf(engineRuntime(model), own)
      const { text, hash } = writeServedModel({ ...document, body: own, golden: set })
      const { standing } = await createModelHost(nothing).load(
        readServedModel(Buffer.from(text), hash),
      )
      expect(standing).toMatchObject({ state: 'ready' })
    }
  })

  test('tells why a model is unavailable: other answers than its golden set', async () => {
    const host = createModelHost(nothing)
    const [first, ...others] = golden.outputs
    const wrong = { ...first, data: first.data.map((value) => 1 - Number(value)) }
    const bent: Golden = { ...golden, outputs: [wrong, ...others] }
    const { standing } = await host.load({ ...document, golden: bent })
    expect(standing).toMatchObject({ state: 'unavailable', reason: /golden set/ })
    expect(() => runtimeOf(host.find('churn'))).toThrow(
      'churn version 3 is unavailable: 32 of 32 rows',
    )
  })

  test('tells why a model is unavailable: a damaged body', async () => {
    const host = createModelHost(nothing)
    const broken = { ...document, body: { kind: 'engine', model: { ...trees, trees: 3 } } }
    const { standing } = await host.load(broken as unknown as ServedModel)
    expect(standing.state).toBe('unavailable')
  })

  test('finds the version that was loaded last where none is named, and knows no others', async () => {
    const host = createModelHost(nothing)
    await host.load(document)
    await host.load({ ...document, version: '4', body: { kind: 'prepared', model: preparedModel } })
    expect(host.find('churn').version).toBe('4')
    expect(host.find('churn', '3').version).toBe('3')
    expect(() => host.find('churn', '5')).toThrow('No model churn in version 5')
    expect(() => host.find('other')).toThrow('No model other')
    expect(host.list()).toHaveLength(2)
  })
})

describe('the document of a served model', () => {
  test('is named by its content and read back whole', () => {
    const { hash, text } = writeServedModel({ ...document, golden })
    expect(readServedModel(Buffer.from(text), hash)).toEqual({ ...document, golden })
    expect(() => readServedModel(Buffer.from(`${text} `), hash)).toThrow(hash)
  })

  test.each([
    ['[]'],
    ['{'],
    ['{"format":2}'],
    ['{"format":1,"name":"a","version":"1","body":{},"golden":{}}'],
  ])('is refused as %s', (text) => {
    expect(() => readServedModel(Buffer.from(text))).toThrow(/document/)
  })

  test('keeps what JSON has no word for as null, which is missing', () => {
    const shape = [3]
    const data = Float64Array.of(1, NaN, Infinity)
    expect(plainTensor({ name: 'a', datatype: 'FP64', shape, data }).data).toEqual([1, null, null])
  })
})
