/**
 * Binding: which feature of a project answers which input of a model that was made elsewhere. Nothing
 * is guessed: a name is found as it is, or by what somebody declared, and everything that does not fit
 * is listed at once.
 */
import type { ModelSignature } from './signature.ts'
import { isNumberType } from './tensor.ts'

/** A feature as the project declares it; text only where it is a category. */
export interface BindableFeature {
  readonly name: string
  readonly holds: 'numbers' | 'texts'
}

export interface Bound {
  /** The feature of each input, in the order of the inputs; those that do not fit are left out. */
  readonly inputs: readonly { readonly input: string; readonly feature: string }[]
  /** Empty where the model can be served with these features. */
  readonly mismatches: readonly Mismatch[]
}

export interface Mismatch {
  /**
   * `missing`: no feature answers the input; `extra`: the declaration names an input that the model
   * does not have; `type`: the feature holds something else, or one value where the input takes more.
   */
  readonly kind: 'missing' | 'extra' | 'type'
  readonly input: string
  readonly feature?: string
  readonly text: string
}

/** `names` says which feature answers an input of another name: input → feature. */
export function bindInputs(
  { inputs }: Pick<ModelSignature, 'inputs'>,
  features: readonly BindableFeature[],
  names: Readonly<Record<string, string>> = {},
): Bound {
  const known = new Map(features.map((feature) => [feature.name, feature]))
  const declared = new Map(Object.entries(names))
  const bound: { input: string; feature: string }[] = []
  const mismatches: Mismatch[] = []
  for (const { name: input, datatype, shape } of inputs) {
    const wanted = declared.get(input) ?? input
    declared.delete(input)
    const feature = known.get(wanted)
    if (feature === undefined) {
      const near = features.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
      const hint = near === undefined ? '' : `; "${near.name}" is written otherwise`
      const text = `No feature "${wanted}" answers the input "${input}"${hint}.`
      mismatches.push({ kind: 'missing', input, text })
      continue
    }
    const takes = isNumberType(datatype) ? 'numbers' : 'texts'
    const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1)
    if (feature.holds === takes && isColumn) {
      bound.push({ input, feature: feature.name })
      continue
    }
    const what = isColumn ? takes : `[${shape.join(',')}] ${takes}`
    const text = `The input "${input}" takes ${what}; the feature "${feature.name}" holds ${feature.holds}.`
    mismatches.push({ kind: 'type', input, feature: feature.name, text })
  }
  for (const [input, feature] of declared) {
    const text = `The model has no input "${input}", which "${feature}" is declared to answer.`
    mismatches.push({ kind: 'extra', input, feature, text })
  }
  return { inputs: bound, mismatches }
}
