import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { repositoryRoot } from '../../../test/source-text.ts'
import { openOnnxModel } from './index.ts'
import { openSession, type Runtime } from './session.ts'

const file = join(repositoryRoot, 'test/fixtures/models/outside-network.onnx')
const bytes = new Uint8Array(readFileSync(file))
const inputs = [{ name: 'X', type: 'float32', isList: false, columns: 2 }] as const

/** The Runtime as it would be with a device: it says what it was asked, and answers twice the values. */
function runtimeWith(asked: unknown[]): Runtime {
  const session = {
    run: async ({ X }: { X: Tensor }) => ({
      Y: { data: Float32Array.from(X.data as Float32Array, (value) => 2 * value) },
    }),
    release: async () => {},
  }
  const create = async (_: Uint8Array, options: unknown) => {
    asked.push(options)
    return session
  }
  return { InferenceSession: { create }, Tensor } as unknown as Runtime
}

describe('a device', () => {
  test('is asked for the whole graph, and never shares it with the processor', async () => {
    const asked: unknown[] = []
    const data = { bytes, inputs, output: 'Y', device: 'cuda' }
    const session = await openSession(data, runtimeWith(asked))
    expect(asked).toMatchObject([
      {
        executionProviders: ['cuda'],
        extra: { session: { disable_cpu_ep_fallback: '1' } },
      },
    ])
    const values = Float64Array.of(1, 2, 3, 4)
    expect(await session.run({ rows: 2, values })).toEqual(Float64Array.of(2, 4, 6, 8))
  })

  test('is left out where none is named', async () => {
    const asked: unknown[] = []
    await openSession({ bytes, inputs, output: 'Y' }, runtimeWith(asked))
    expect(asked).toHaveLength(1)
    expect(asked[0]).not.toHaveProperty('executionProviders')
    expect(asked[0]).not.toHaveProperty('extra')
  })

  test.each([[true], [false]])(
    'that is not there is refused with what is missing (in the thread of the caller: %s)',
    async (here) => {
      const opened = openOnnxModel(bytes, { device: 'nothing', here })
      await expect(opened).rejects.toMatchObject({
        code: 'onnx_device_missing',
        detail: /^nothing: this build of ONNX Runtime knows no such device\. .*not found/,
      })
    },
  )
})
