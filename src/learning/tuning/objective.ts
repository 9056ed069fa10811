/**
 * The figure of a setting: its learner cross-validated on folds of a table.
 *
 * Folds are prepared once and shared by all trials: every trial of a fold learns from the same
 * matrix, so that a learner may keep what it makes of one (such as its bins) for the next.
 */
import { createRandom } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import type { Better } from '../evaluation/measure.ts'
import { measure, measurer } from '../evaluation/measures.ts'
import { type Results, unitWeights } from '../evaluation/results.ts'
import type { FitOptions, LearnerSpec } from '../model.ts'
import {
  learnFold,
  type PreparedFold,
  prepareFold,
  resultsOf,
  type TrainTest,
} from '../preparation/cross-validation.ts'
import type { PreparationSpec } from '../preparation/spec.ts'
import type { Table } from '../preparation/table.ts'
import { classCount, type Target } from '../preparation/target.ts'
import type { Setting } from './space.ts'
import type { Evaluate } from './tune.ts'

export type ObjectiveOptions = {
  readonly table: Table
  readonly target: Target
  /** The tuning's own folds: none of them may hold rows that a figure is reported on later. */
  readonly folds: readonly TrainTest[]
  readonly preparation: PreparationSpec
  /** The learner of a setting. Throws where there is none, which fails the trial. */
  readonly learner: (setting: Setting) => LearnerSpec
  /** As the table of measures names it: `roc_auc`, `log_loss`, `recall@precision=0.9`. */
  readonly measure: string
  /**
   * What a budget is a share of: the learner's trees, or the training rows of each fold, those of
   * each class alike; a larger budget keeps the rows of a smaller one.
   */
  readonly budget: 'trees' | 'rows'
  readonly seed: number | string
  /** What must stay together in inner folds of encoders, a table row. */
  readonly groups?: ArrayLike<number | string>
  readonly threads?: number
}

export type Objective = {
  /** The mean of the measure over the folds; the figure of each fold is kept. */
  readonly evaluate: Evaluate
  readonly better: Better
}

/** Bytes of prepared folds that are kept from trial to trial, at most. */
const KEPT_BYTES_MAX = 2 ** 30

/** Throws `evaluation_invalid` for a measure that the task does not have. */
export function crossValidationObjective(options: ObjectiveOptions): Objective {
  const { learner, ...work } = options
  const better = betterOf(work)
  const figures = createFigures(work)
  return {
    better,
    evaluate: ({ setting, budget }) => figures(learner(setting), budget),
  }
}

/** What the figures of learners are worked out from: plain data, which a worker can be sent. */
export type ObjectiveWork = Omit<ObjectiveOptions, 'learner'>

/** Which way is good; throws where the measure cannot be taken on the folds. */
export function betterOf({ target, folds, measure: text }: ObjectiveWork): Better {
  if (!('y' in target)) {
    throw fail.evaluation_invalid('A task without labels cannot be tuned by a measure.')
  }
  if (folds.length === 0) throw fail.split_invalid('There are no folds to tune on.')
  return measure(target.task, text).info.better
}

/** The figure of a learner on a share of the budget, with those of its folds. */
export type Figures = (
  learner: LearnerSpec,
  share: number,
) => { readonly value: number; readonly facts: { readonly folds: readonly number[] } }

export function createFigures(work: ObjectiveWork): Figures {
  const { target, folds, budget, groups } = work
  const preparedFold = foldKeeper(work)
  // The bins of a fold's matrix, cut on its training rows alone, serve all trials.
  const bins: NonNullable<FitOptions['bins']> = new WeakMap()
  return (spec, share) => {
    const learner = budget === 'trees' ? withTrees(spec, share) : spec
    const figures = folds.map((_, index) => {
      const fold = preparedFold(index, budget === 'rows' ? share : 1)
      const { tested } = learnFold(fold, learner, { ...work, bins })
      return figureOf(work.measure, resultsOf(target, tested, groups))
    })
    const value = figures.reduce((sum, figure) => sum + figure, 0) / figures.length
    return { value, facts: { folds: figures } }
  }
}

/** The figure of one measure. Throws `evaluation_invalid` where the results have none. */
export function figureOf(text: string, results: Results): number {
  const one = measure(results.task, text)
  const { figures, refusals } = measurer(results, [one])
  if (refusals[0] !== undefined) throw fail.evaluation_invalid(refusals[0])
  const [figure] = figures(unitWeights(results.y.length))
  if (Number.isNaN(figure)) {
    throw fail.evaluation_invalid(`The measure "${text}" is not defined on a fold.`)
  }
  return figure
}

/** Prepares a fold when it is first asked for, and keeps it while there is room. */
function foldKeeper({
  preparation,
  table,
  target,
  folds,
  ...options
}: ObjectiveWork): (index: number, share: number) => PreparedFold {
  const kept = new Map<string, PreparedFold>()
  let bytes = 0
  return (index, share) => {
    const key = `${index}/${share}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const fold = share === 1 ? folds[index] : shareOfFold(folds[index], target, share, options.seed)
    const prepared = prepareFold(preparation, table, target, fold, { ...options, index })
    const { x } = prepared.training.data
    const size = 8 * x.columns.length * (x.rows + prepared.x.rows)
    if (bytes + size <= KEPT_BYTES_MAX) {
      bytes += size
      kept.set(key, prepared)
    }
    return prepared
  }
}

/** So many of a fold's training rows, at least one of each class; smaller shares lie in larger. */
function shareOfFold(
  fold: TrainTest,
  target: Target,
  share: number,
  seed: number | string,
): TrainTest {
  const classes = classCount(target)
  const byClass = new Map<number, number[]>()
  for (const row of Array.from(fold.train)) {
    const label = classes > 0 && 'y' in target ? target.y[row] : 0
    const list = byClass.get(label) ?? []
    list.push(row)
    byClass.set(label, list)
  }
  const train = [...byClass].flatMap(([label, rows]) => {
    const order = createRandom(seed).fork(`rows of class ${label}`).shuffle(rows)
    return order.slice(0, Math.max(1, Math.round(share * order.length)))
  })
  return { ...fold, train }
}

/** The learner with a share of its trees. */
function withTrees(spec: LearnerSpec, share: number): LearnerSpec {
  if (share === 1) return spec
  if (!('trees' in spec.params)) {
    throw fail.tuning_invalid(
      `A learner of the kind "${spec.kind}" has no trees to share out; take rows as the budget.`,
    )
  }
  const trees = Math.max(1, Math.round(share * spec.params.trees))
  return { ...spec, params: { ...spec.params, trees } } as LearnerSpec
}
