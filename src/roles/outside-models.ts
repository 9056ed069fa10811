// The decision engine's way to models that another thread or server computes: those that the inference
// door serves too, found by name and version.
import type { OutsideModels } from '../decisions/index.ts'
import { runtimeOf, type ModelHost, type ModelSignature, type Tensor } from '../serving/index.ts'

export function outsideModels(models: Pick<ModelHost, 'find'>): OutsideModels {
  return {
    async score({ name, number }, row) {
      const runtime = runtimeOf(models.find(name, String(number)))
      return chanceIn(await runtime.predict(tensorsOf(runtime.signature, row)))
    },
  }
}

/** One row, as one table where the model takes one, else as one tensor a feature. */
function tensorsOf({ inputs, table }: ModelSignature, row: Float64Array): Tensor[] {
  if (table !== undefined && table.datatype !== 'BYTES') {
    const { name, datatype } = table
    return [{ name, datatype, shape: [1, row.length], data: row }]
  }
  return inputs.map(({ name, datatype, shape }, index) => {
    if (datatype === 'BYTES')
      throw new Error(`Its input "${name}" takes texts, features are numbers`)
    return { name, datatype, shape: shape.map(() => 1), data: row.subarray(index, index + 1) }
  })
}

/**
 * The chance of the positive class: the second column of `predict_proba`, as scikit-learn has it; else
 * the one number that the model gives.
 */
function chanceIn(outputs: readonly Tensor[]): number {
  const found = outputs.find(({ name }) => name === 'predict_proba') ?? outputs[0]
  const value = found?.data[found.data.length === 2 ? 1 : 0]
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw new Error(`It answered ${value}, which is no chance from 0 to 1`)
}
