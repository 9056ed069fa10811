// What every ModelRuntime does, wherever it computes.
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import type { ModelRuntime } from './ports.ts'
import { probeInputs, rowOfInputs } from './probe.ts'
import { checkInputs } from './signature.ts'
import type { Tensor } from './tensor.ts'

/** `tolerance`: how far answers may differ with the rows beside; 0 for our own engine. */
export function runtimeCases(open: () => Promise<ModelRuntime>, tolerance = 0): void {
  describe('as a runtime', async () => {
    const runtime = await open()
    const { signature } = runtime
    const inputs = probeInputs(signature, 20, createRandom('cases'))

    test('takes what its signature says', () => {
      expect(checkInputs(signature, inputs)).toBe(20)
      expect(signature.inputs.length).toBeGreaterThan(0)
    })

    test('gives the outputs of its signature, in order, one answer a row', async () => {
      const outputs = await runtime.predict(inputs)
      expect(outputs.map(({ name, datatype }) => ({ name, datatype }))).toEqual(
        signature.outputs.map(({ name, datatype }) => ({ name, datatype })),
      )
      outputs.forEach(({ shape, data }, at) => {
        expect(shape).toEqual(signature.outputs[at].shape.map((n, i) => (i === 0 ? 20 : n)))
        expect(data).toHaveLength(shape.reduce((product, length) => product * length, 1))
      })
    })

    test('answers a row alone as among others', async () => {
      const all = await runtime.predict(inputs)
      for (let row = 0; row < 20; row++) {
        const alone = await runtime.predict(rowOfInputs(inputs, row))
        rowOfInputs(all, row).forEach((expected, at) => same(alone[at], expected, tolerance))
      }
    })

    test('takes a table as it takes its columns', async () => {
      if (signature.table === undefined) return
      const numbers = inputs.map(({ data }) => data as Float64Array)
      const data = Float64Array.from({ length: 20 * numbers.length }, (_, at) => {
        return numbers[at % numbers.length][Math.floor(at / numbers.length)]
      })
      const table: Tensor = {
        name: signature.table.name,
        datatype: 'FP64',
        shape: [20, numbers.length],
        data,
      }
      expect(checkInputs(signature, [table])).toBe(20)
      expect(await runtime.predict([table])).toEqual(await runtime.predict(inputs))
    })

    test('can be closed', async () => {
      await runtime.close()
    })
  })
}

function same(given: Tensor, expected: Tensor, tolerance: number): void {
  if (tolerance === 0) return expect(given).toEqual(expected)
  expect(given.shape).toEqual(expected.shape)
  expected.data.forEach((value, at) => {
    const isExact = typeof value !== 'number' || Number.isNaN(value)
    if (isExact) expect(given.data[at]).toBe(value)
    else expect(Math.abs((given.data[at] as number) - value)).toBeLessThan(tolerance)
  })
}
