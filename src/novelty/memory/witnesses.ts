/**
 * Two more witnesses besides the nearest pattern: a one-class SVM and an isolation forest, both
 * learnt from the known records of training. Each says of a record whether it is stranger than all
 * but a declared share of what is known.
 */
import {
  fit,
  isolationForest,
  oneClassSvm,
  predictor,
  type TrainedModel,
} from '../../learning/index.ts'
import { fromRows } from '../../lib/matrix.ts'
import { quantile } from '../../lib/statistics.ts'

export type WitnessModels = {
  readonly oneClassSvm: { readonly model: TrainedModel; readonly threshold: number }
  readonly isolationForest: { readonly model: TrainedModel; readonly threshold: number }
}

export interface Witnesses {
  /** The share of the points that each witness finds strange. */
  strange(points: readonly Float64Array[]): {
    readonly oneClassSvm: number
    readonly isolationForest: number
  }
}

/** `outside`: the share of known records that may look strange; `held` are not learnt from. */
export function learnWitnesses(
  points: readonly Float64Array[],
  held: readonly Float64Array[],
  outside: number,
  seed: number,
): WitnessModels {
  const names = Array.from(points[0], (_, i) => `p${i}`)
  const x = fromRows(names, points)
  const learnt = (spec: Parameters<typeof fit>[0]) => {
    const model = fit(spec, { x }, { seed })
    const scorer = predictor(model)
    const scores = Float64Array.from(held, (point) => scorer.score(point))
    return { model, threshold: quantile(scores, 1 - outside) }
  }
  return {
    oneClassSvm: learnt(oneClassSvm({ nu: 0.05, frequencies: 128, steps: 20_000 })),
    isolationForest: learnt(isolationForest()),
  }
}

export function witnessesOf(models: WitnessModels): Witnesses {
  const share = ({ model, threshold }: WitnessModels['oneClassSvm']) => {
    const scorer = predictor(model)
    return (points: readonly Float64Array[]) =>
      points.filter((point) => scorer.score(point) > threshold).length / points.length
  }
  const [svm, forest] = [share(models.oneClassSvm), share(models.isolationForest)]
  return {
    strange: (points) => ({ oneClassSvm: svm(points), isolationForest: forest(points) }),
  }
}
