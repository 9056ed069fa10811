// What pushes the scores of a model, over a sample of rows.
import type { CompiledFeatureSet } from '../../features/index.ts'
import type { Explanation, Predictor } from '../../learning/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { readRow, selectRows, type Matrix } from '../../lib/matrix.ts'
import type { RunReport } from './plan.ts'

const IMPORTANCE_SAMPLE = 400
/** Of them, whose contributions are kept one by one. */
const SHOWN_ROWS = 200
const SHOWN_FEATURES = 12

export type Explained = Pick<RunReport, 'importanceIs' | 'importance' | 'contributions'>

/** Importance over all rows of a sample, and what pushed in some of them. */
export function explained(
  scorer: Predictor,
  matrix: Matrix,
  rows: Uint32Array,
  sets: readonly CompiledFeatureSet[],
): Explained {
  const { features } = scorer
  const importanceIs = `Mean |SHAP|, ${scorer.marginUnit}`
  const sample = selectRows(matrix, everyNth(rows, IMPORTANCE_SAMPLE))
  const setOf = new Map(
    sets.flatMap((set) => set.features.map(({ name }) => [name, set.name] as const)),
  )
  const totals = new Float64Array(features.length)
  const shown: { values: Float64Array; shares: Float64Array }[] = []
  const every = Math.max(1, Math.ceil(sample.rows / SHOWN_ROWS))
  let base = 0
  for (let i = 0; i < sample.rows; i++) {
    const values = readRow(sample, i, new Float64Array(features.length))
    const explanation = explanationOf(scorer, values)
    if (explanation === undefined) return { importanceIs, importance: [], contributions: null }
    base = explanation.base
    for (const [at, share] of explanation.values.entries()) totals[at] += Math.abs(share)
    if (i % every === 0) shown.push({ values, shares: explanation.values })
  }
  const divisor = Math.max(1, sample.rows)
  const strongest = [...features.keys()].toSorted((a, b) => totals[b] - totals[a])
  return {
    importanceIs,
    importance: strongest.map((at) => ({
      feature: features[at],
      set: setOf.get(features[at]) ?? '',
      value: totals[at] / divisor,
    })),
    contributions: {
      output: scorer.outputs[0],
      unit: scorer.marginUnit,
      base,
      columns: strongest.slice(0, SHOWN_FEATURES).map((at) => ({
        column: features[at],
        mean: totals[at] / divisor,
        values: shown.map(({ values }) => (Number.isNaN(values[at]) ? null : values[at])),
        contributions: shown.map(({ shares }) => shares[at]),
      })),
    },
  }
}

/** Undefined where the learner has no exact explanation. */
function explanationOf(scorer: Predictor, row: Float64Array): Explanation | undefined {
  try {
    return scorer.explain(row)
  } catch (error) {
    if (isAssayError(error, 'explanation_unavailable')) return undefined
    throw error
  }
}

function everyNth(rows: Uint32Array, atMost: number): Uint32Array {
  const step = Math.max(1, Math.ceil(rows.length / atMost))
  return rows.filter((_, index) => index % step === 0)
}
