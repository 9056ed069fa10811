/** Following the validation rows while trees are learnt, to stop where they gain no more. */
import { measure, measurer } from '../evaluation/measures.ts'
import { type Results, unitWeights } from '../evaluation/results.ts'
import type { CheckedData } from '../model.ts'
import { addTrees } from './grown-tree.ts'
import type { EarlyStopping, Tree } from './model.ts'
import type { Objective } from './objective.ts'
import { stoppingMeasure } from './params.ts'

export interface ValidationWatch {
  /** Takes the trees of a round, the `count`th, and returns the measure after it. */
  add(trees: readonly Tree[], count: number): number
  shouldStop(count: number): boolean
  /** How many rounds the best model has. */
  bestCount(): number
}

/** Undefined where there are no validation rows or no rule to stop by. */
export function watchValidation(
  data: CheckedData,
  stopping: EarlyStopping | undefined,
  objective: Objective,
  bases: readonly number[],
): ValidationWatch | undefined {
  const { validation, classes = [] } = data
  if (validation === undefined || stopping === undefined) return undefined
  const { x, y } = validation
  const outputs = bases.length
  const margins = new Float64Array(x.rows * outputs)
  bases.forEach((base, output) => margins.fill(base, output * x.rows, (output + 1) * x.rows))
  const judge = judgeOf(stopping.metric, objective)
  let best = -Infinity
  let bestAt = 0
  return {
    add(trees, count) {
      addTrees(trees, outputs, x, margins)
      const { value, goodness } = judge(margins, y, classes)
      if (goodness > best) {
        best = goodness
        bestAt = count
      }
      return value
    },
    shouldStop: (count) => count - bestAt >= stopping.rounds,
    bestCount: () => bestAt,
  }
}

type Judge = (
  margins: Float64Array,
  y: Float64Array,
  classes: readonly string[],
) => { readonly value: number; readonly goodness: number }

/** Throws `evaluation_invalid` where the metric is no measure of the task. */
function judgeOf(metric: string, objective: Objective): Judge {
  const text = stoppingMeasure(metric)
  if (text === undefined) {
    return (margins, y) => {
      const value = objective.meanLoss(margins, y)
      return { value, goodness: -value }
    }
  }
  const { task } = objective
  const one = measure(task, text)
  return (margins, y, classes) => {
    const results = resultsOf(task, outputsOf(objective, margins, y.length), y, classes)
    const [value] = measurer(results, [one]).figures(unitWeights(y.length))
    return { value, goodness: one.goodness(value) }
  }
}

/** Margins output after output into outputs row after row. */
function outputsOf(objective: Objective, margins: Float64Array, rows: number): Float64Array {
  const outputs = margins.length / rows
  const all = new Float64Array(margins.length)
  for (let row = 0; row < rows; row++) {
    const own = all.subarray(row * outputs, (row + 1) * outputs)
    for (let k = 0; k < outputs; k++) own[k] = margins[k * rows + row]
    objective.activate(own)
  }
  return all
}

function resultsOf(
  task: Objective['task'],
  outputs: Float64Array,
  y: Float64Array,
  classes: readonly string[],
): Results {
  if (task === 'binary') return { task, y, scores: outputs }
  if (task === 'multiclass') return { task, y, classes, probabilities: outputs }
  return { task, y, values: outputs }
}
