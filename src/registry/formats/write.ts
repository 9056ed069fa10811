/** A model of ours to the bytes of a format that others read. */
import type { TrainedModel } from '../../learning/index.ts'
import { fail } from './errors.ts'
import { writeOnnx } from './write-onnx.ts'
import { writeXgboost } from './write-xgboost.ts'

/**
 * Writes boosted trees as XGBoost JSON or ONNX, and linear models as ONNX. The written model computes
 * in float32; for float32 features every row reaches the same leaves. Throws `model_not_writable`
 * where the format cannot hold the model.
 */
export function writeModelFile(model: TrainedModel, format: 'xgboost-json' | 'onnx'): Uint8Array {
  switch (model.kind) {
    case 'boosted-trees':
      return format === 'onnx' ? writeOnnx(model) : new TextEncoder().encode(writeXgboost(model))
    case 'logistic-regression':
    case 'multinomial-regression':
    case 'linear-regression':
      if (format === 'onnx') return writeOnnx(model)
      break
    default:
  }
  throw fail.model_not_writable(`A model of the kind "${model.kind}" is not written as ${format}.`)
}
