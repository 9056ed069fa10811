import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { repositoryRoot } from '../../../test/source-text.ts'
import { outsideRuntime } from '../../serving/index.ts'
import { runtimeCases } from '../../serving/prediction/runtime.cases.ts'
import { openOnnxModel } from './index.ts'

const bytes = readFileSync(join(repositoryRoot, 'test/fixtures/models/outside-network.onnx'))

describe('a graph in ONNX Runtime', () => {
  // Float32, summed in another order where rows stand beside each other.
  const open = (here: boolean) => async () =>
    outsideRuntime('onnxruntime', await openOnnxModel(bytes, { here }))
  runtimeCases(open(false), 1e-5)
  describe('in the thread of its caller', () => {
    runtimeCases(open(true), 1e-5)
  })
})
