/**
 * Rows drawn to try a model with: near the thresholds of its trees, where a wrong comparison would
 * show, and missing where it takes missing values.
 */
import type { Random } from '../../lib/random.ts'
import type { ServedBody } from './document.ts'
import type { ModelSignature, TensorSpec } from './signature.ts'
import { sizeOf, type Tensor } from './tensor.ts'

/** Thresholds by input name; empty where the model has none to tell. */
export type Thresholds = ReadonlyMap<string, readonly number[]>

export function thresholdsOf(body: ServedBody): Thresholds {
  const found = new Map<string, number[]>()
  if (body.kind !== 'engine') return found
  collect(body.model, body.model.features, found)
  return found
}

/** Of trees in any of our formats: parallel lists of features and thresholds, one entry a node. */
function collect(model: object, features: readonly string[], into: Map<string, number[]>): void {
  if ('model' in model) collect(model.model as object, features, into)
  if (!('trees' in model) || !Array.isArray(model.trees)) return
  for (const { feature, threshold } of model.trees as TreeLists[]) {
    feature.forEach((index, node) => {
      if (index < 0 || !Number.isFinite(threshold?.[node])) return
      const name = features[index]
      const known = into.get(name) ?? []
      if (known.push(threshold![node]) === 1) into.set(name, known)
    })
  }
}

interface TreeLists {
  readonly feature: readonly number[]
  readonly threshold?: readonly number[]
}

/** One tensor an input, each of `rows` rows. */
export function probeInputs(
  { inputs }: ModelSignature,
  rows: number,
  random: Random,
  thresholds: Thresholds = new Map(),
): readonly Tensor[] {
  return inputs.map((spec) => drawn(spec, rows, random, thresholds.get(spec.name) ?? [0]))
}

function drawn(spec: TensorSpec, rows: number, random: Random, near: readonly number[]): Tensor {
  const { name, datatype, missing = true, min = -Infinity, max = Infinity } = spec
  const shape = spec.shape.map((length, at) => (at === 0 ? rows : Math.max(1, length)))
  const length = sizeOf(shape)
  if (datatype === 'BYTES') {
    const texts = spec.texts ?? ['', 'a', 'b', '1']
    const data = Array.from({ length }, () => texts[random.int(texts.length)])
    return { name, datatype, shape, data }
  }
  const whole = !datatype.startsWith('FP')
  const data = Float64Array.from({ length }, () => {
    if (whole) return Math.min(max, Math.max(min, random.int(2)))
    const kind = random.int(4)
    if (kind === 0 && missing) return NaN
    const at = near[random.int(near.length)]
    const value = kind === 1 ? at : at + random.normal(0, 1) * (Math.abs(at) + 1)
    const single = Math.fround(value)
    // A threshold may be the largest double: only missing values go beyond it.
    return Math.min(max, Math.max(min, Number.isFinite(single) ? single : at))
  })
  return { name, datatype, shape, data }
}

/** The given row of each tensor, as tensors of one row. */
export function rowOfInputs(inputs: readonly Tensor[], row: number): readonly Tensor[] {
  return inputs.map((input) => {
    const { name } = input
    const shape = [1, ...input.shape.slice(1)]
    const length = sizeOf(shape)
    const [from, to] = [row * length, (row + 1) * length]
    return input.datatype === 'BYTES'
      ? { name, shape, datatype: input.datatype, data: input.data.slice(from, to) }
      : { name, shape, datatype: input.datatype, data: input.data.slice(from, to) }
  })
}
