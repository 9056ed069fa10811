// Which estimators compete on a table, each prepared as it needs.
import {
  boostedTrees,
  linearRegression,
  logisticRegression,
  multinomialRegression,
  preparationFor,
  randomForest,
  type BoostedTreesSpec,
  type PreparationSpec,
  type PreparedSpec,
} from '../../../learning/index.ts'
import type { LabelledTask } from './question.ts'

export interface Entrant {
  readonly name: string
  readonly title: string
  readonly spec: PreparedSpec
  /** How the learner is told when to stop on rows kept back for it; absent: it needs none. */
  readonly stopping?: { readonly rounds: number; readonly metric: string }
}

/** How many trees are grown at most where rows kept back say when to stop. */
const TREES_MAX = 1500
const STOP = { rounds: 40, metric: 'log-loss' } as const

/** Least rows a leaf: a hundredth of few rows, twenty of many. */
const LEAF_ROWS = 20

export function entrantsFor(task: LabelledTask, rows: number): Entrant[] {
  const objective = ({ binary: 'logistic', multiclass: 'softmax', regression: 'squared' } as const)[
    task
  ]
  const leafRows = Math.max(1, Math.min(LEAF_ROWS, Math.floor(rows / 100)))
  const trees = (depth: number, leaves: number) =>
    boostedTrees({
      objective,
      trees: TREES_MAX,
      growth: 'leaf-wise',
      depth,
      leaves,
      learningRate: 0.05,
      minChildRows: leafRows,
      columnSample: 0.8,
    })
  return [
    entrant('linear', linearTitle[task], linear(task)),
    entrant('forest', 'Random forest', randomForest({ task, trees: 200, minChildRows: 3 })),
    entrant('boosted-shallow', 'Boosted trees, shallow', trees(3, 8), STOP),
    entrant('boosted', 'Boosted trees', trees(12, 31), STOP),
  ]
}

const linearTitle: Readonly<Record<LabelledTask, string>> = {
  binary: 'Logistic regression',
  multiclass: 'Multinomial regression',
  regression: 'Ridge regression',
}

function linear(task: LabelledTask): PreparedSpec['learner'] {
  if (task === 'binary') return logisticRegression({ solver: 'newton' })
  return task === 'multiclass' ? multinomialRegression() : linearRegression({ l2: 1 })
}

function entrant(
  name: string,
  title: string,
  learner: PreparedSpec['learner'],
  stopping?: Entrant['stopping'],
): Entrant {
  const preparation: PreparationSpec = { ...preparationFor(learner.kind), empty: 'constant' }
  return { name, title, spec: { preparation, learner }, ...(stopping && { stopping }) }
}

/** The entrant while it is judged: rows kept back say when it stops. */
export function stopped({ spec, stopping }: Entrant): PreparedSpec {
  if (stopping === undefined) return spec
  const { params } = spec.learner as BoostedTreesSpec
  return { ...spec, learner: boostedTrees({ ...params, earlyStopping: stopping }) }
}

/** The entrant as the final model: as many rounds as it took while it was judged. */
export function settled({ spec, stopping }: Entrant, rounds: readonly number[]): PreparedSpec {
  if (stopping === undefined) return spec
  const { params } = spec.learner as BoostedTreesSpec
  const mean = rounds.reduce((sum, each) => sum + each, 0) / rounds.length
  return { ...spec, learner: boostedTrees({ ...params, trees: Math.max(1, Math.round(mean)) }) }
}
