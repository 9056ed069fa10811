// How good each entrant is, on rows that it has not seen: predictions out of fold, figures with
// intervals, and how far each lies behind the best.
import {
  checkLeakage,
  chooseThreshold,
  crossValidate,
  estimateMeasures,
  fitPrepared,
  foldsOf,
  leakageColumns,
  preparedPredictor,
  resultsOf,
  thresholdEffect,
  type Fold,
  type FoldPlan,
  type FoldRows,
  type LeakageWarning,
  type Measure,
  type PreparedModel,
  type Results,
  type Target,
  type ThresholdEffect,
  type ThresholdRule,
} from '../../../learning/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { selectValues } from '../../../lib/matrix.ts'
import { pipelineErrors } from '../../errors.ts'
import { settled, stopped, type Entrant } from './contenders.ts'
import type { Learnable, LearnableRows } from './question.ts'
import type { Contender } from './report.ts'

/** Rows, how they are labelled, and the folds in which they are judged. */
export interface Ground {
  readonly rows: LearnableRows
  readonly target: Target
  readonly folds: readonly JudgedFold[]
  /** How the folds were made, in words. */
  readonly words: string
}

export type JudgedFold = Pick<Fold, 'repeat' | 'train' | 'test'> & {
  readonly validation?: Uint32Array
}

const FOLDS = 5
/** Fewer cannot be parted into folds, each with rows to learn from, to stop by and to test on. */
const ROWS_MIN = 10
/** Few rows are dealt several times: which fold a row falls into then matters less. */
const REPEATED_BELOW = 5000
const REPEATS = 3
/** Share of the training rows that say when to stop. */
const STOP_SHARE = 0.15

export function targetOf({ task, y, classes }: Learnable): Target {
  return task === 'multiclass' ? { task, y, classes } : { task, y }
}

/** Deals the rows into folds as they ask for: by time, by group, or by chance. */
export function groundOf(rows: Learnable, seed: number): Ground {
  const { y, task, group, time } = rows
  if (y.length < ROWS_MIN) {
    throw pipelineErrors.learn_request_invalid(
      `There are ${y.length} rows with a target; to learn and to judge takes ${ROWS_MIN} at least.`,
    )
  }
  const known = {
    count: y.length,
    ...(task !== 'regression' && { classes: y }),
    ...(group && { groups: group }),
    ...(time && { eventTimeUs: time }),
  }
  const stratified = task !== 'regression'
  const grouped = group !== undefined
  const repeats = time === undefined && y.length < REPEATED_BELOW ? REPEATS : 1
  const plan: FoldPlan =
    time === undefined
      ? { kind: 'k-fold', folds: FOLDS, repeats, seed, stratified, grouped }
      : { kind: 'time-folds', folds: FOLDS }
  const parted = partedBy(plan, rows, () => {
    const folds = foldsOf(plan, known)
    return time && group
      ? apartInTime(folds, group, { ...known, stratified, seed })
      : { folds, words: '' }
  })
  const folds = parted.folds.map(({ repeat, train, test }) => {
    if (train.length < 2 || test.length === 0) throw unpartable(plan, rows)
    return { repeat, test, ...keepBack(train, rows, seed) }
  })
  const times = repeats > 1 ? `, dealt ${repeats} times` : ''
  const words =
    time === undefined
      ? `out of fold: ${FOLDS} folds${stratified ? ' with equal shares of the classes' : ''}${grouped ? ', groups kept together' : ''}${times}`
      : `on ${FOLDS} later periods, each after everything that was learnt from${parted.words}`
  return { rows, target: targetOf(rows), folds, words }
}

/** Says in a person's words why rows cannot be parted as they are. */
function partedBy<Parts>(plan: FoldPlan, rows: LearnableRows, make: () => Parts): Parts {
  try {
    return make()
  } catch (error) {
    throw isAssayError(error, 'split_invalid') ? unpartable(plan, rows, error) : error
  }
}

function unpartable({ kind }: FoldPlan, { group }: LearnableRows, cause?: Error): Error {
  const why =
    kind === 'k-fold'
      ? `The rows fall into ${new Set(group).size} groups; at least ${FOLDS} are needed. Judge without --group if rows may be parted otherwise.`
      : group === undefined
        ? `The rows do not fall into ${FOLDS + 1} periods of different times. Name another time, or judge without --time.`
        : `The rows do not fall into ${FOLDS + 1} periods and ${FOLDS} groups at once. Judge by --time or by --group alone.`
  return pipelineErrors.learn_request_invalid(why, { cause })
}

/**
 * In time, a group may come again, and what is tested must not have been learnt from. Where few come
 * again, their earlier rows are left out; where most do, as customers, that would leave nothing: then
 * each period tests a fifth of the groups and is learnt from the earlier rows of the others.
 */
function apartInTime(
  folds: readonly Fold[],
  group: readonly (number | string)[],
  { stratified, seed, ...known }: FoldRows & { stratified: boolean; seed: number },
): { readonly folds: readonly Fold[]; readonly words: string } {
  const without = folds.map((fold) => {
    const tested = new Set(Array.from(fold.test, (row) => group[row]))
    return { ...fold, train: fold.train.filter((row) => !tested.has(group[row])) }
  })
  if (without.every(({ train }, i) => 2 * train.length >= folds[i].train.length)) {
    return { folds: without, words: ', without groups seen before' }
  }
  const parts = foldsOf({ kind: 'k-fold', folds: FOLDS, seed, stratified, grouped: true }, known)
  const dealt = folds.map((fold, i) => {
    const own = new Set(parts[i].test)
    return {
      ...fold,
      train: fold.train.filter((row) => !own.has(row)),
      test: fold.test.filter((row) => own.has(row)),
    }
  })
  return { folds: dealt, words: ' from other groups, a fifth of the groups a period' }
}

/** Rows of the training part that only say when to stop: the latest, or drawn as the folds are. */
function keepBack(
  train: Uint32Array,
  { y, task, group, time }: Learnable,
  seed: number,
): { readonly train: Uint32Array; readonly validation: Uint32Array } {
  if (time !== undefined) {
    const sorted = train.toSorted((a, b) => time[a] - time[b])
    const border = Math.floor(sorted.length * (1 - STOP_SHARE))
    return { train: sorted.subarray(0, border).sort(), validation: sorted.subarray(border).sort() }
  }
  const [{ train: learnt, test: kept }] = foldsOf(
    {
      kind: 'hold-out',
      testShare: STOP_SHARE,
      seed: `${seed}/stop`,
      stratified: task !== 'regression',
      grouped: group !== undefined,
    },
    {
      count: train.length,
      ...(task !== 'regression' && { classes: selectValues(y, train) }),
      ...(group && { groups: Array.from(train, (row) => group[row]) }),
    },
  )
  const back = (rows: Uint32Array) => rows.map((at) => train[at])
  return { train: back(learnt), validation: back(kept) }
}

/** What in the data, or in how it is parted, would make figures look better than they will be. */
export function leakageOf({ rows, target, folds }: Ground, seed: number): LeakageWarning[] {
  if (!('y' in target)) return []
  const { table, group, time } = rows
  return checkLeakage({
    ...leakageColumns(table),
    target,
    ...(group && { groups: group }),
    ...(time && { eventTimeUs: time }),
    folds: folds.map((fold, index) => ({ ...withValidationLearnt(fold), fold: index })),
    seed,
  })
}

/** An entrant and what it said of rows that it had not seen. */
export interface Judged {
  readonly entrant: Entrant
  /** One a repetition of the folds. */
  readonly results: readonly Results[]
  /** Rounds that it took in each fold, where rows kept back said when to stop. */
  readonly rounds: readonly number[]
  readonly seconds: number
  readonly problem: string | null
}

/** Learns and predicts in every fold; what an entrant cannot do is its problem, not the run's. */
export function judge(
  entrant: Entrant,
  ground: Ground,
  seed: number,
  monotonicMs: () => number,
): Judged {
  const { rows, target, folds } = ground
  const startedMs = monotonicMs()
  const groups = rows.group
  const needed = entrant.stopping === undefined ? folds.map(withValidationLearnt) : folds
  try {
    const repeats = Map.groupBy(needed, ({ repeat }) => repeat)
    const rounds: number[] = []
    const results = [...repeats.values()].map((part) => {
      const out = crossValidate(stopped(entrant), rows.table, target, part, {
        seed,
        ...(groups && { groups }),
      })
      rounds.push(...out.folds.map(({ model }) => model.iterations))
      return resultsOf(target, out, groups)
    })
    return { entrant, results, rounds, seconds: (monotonicMs() - startedMs) / 1000, problem: null }
  } catch (error) {
    if (!isAssayError(error)) throw error
    const seconds = (monotonicMs() - startedMs) / 1000
    return { entrant, results: [], rounds: [], seconds, problem: error.detail }
  }
}

/** The entrants as learnt from all rows, on the rows of a test file. */
export function judgeOnTest(
  judged: readonly Judged[],
  ground: Ground,
  test: LearnableRows,
  seed: number,
): (Judged & { readonly model?: PreparedModel })[] {
  const { rows, target } = ground
  const all = Uint32Array.from(rows.y.keys())
  const tested = Uint32Array.from(test.y.keys())
  return judged.map((one) => {
    if (one.problem !== null) return one
    const model = fitPrepared(settled(one.entrant, one.rounds), rows.table, all, target, {
      seed,
      ...(rows.group && { groups: rows.group }),
    })
    const predictions = preparedPredictor(model).predict(test.table)
    const labelled = { ...target, y: test.y }
    return {
      ...one,
      model,
      results: [resultsOf(labelled, { rows: tested, predictions }, test.group)],
    }
  })
}

/** Without early stopping the rows kept back are learnt from like the others. */
export function withValidationLearnt({ validation, ...fold }: JudgedFold): JudgedFold {
  return { ...fold, train: Uint32Array.from([...fold.train, ...(validation ?? [])]).sort() }
}

/**
 * Figures of all entrants, the best first; those that could not compete, or of which the goal cannot
 * be measured, come last. The best is the one named, chosen on other rows, or that of the best
 * figure. Errors: `learn_request_invalid` where there is none.
 */
export function compare(
  judged: readonly Judged[],
  measures: readonly Measure[],
  seed: number,
  chosen?: string,
): Contender[] {
  const [goal] = measures
  const measured = judged.filter(({ problem }) => problem === null)
  if (measured.length === 0) throw nobodyCan(judged[0].problem)
  const { estimates, comparisons, refused } = estimateMeasures(
    measured.map(({ entrant, results }) => ({ name: entrant.name, results })),
    measures.map(({ text }) => text),
    { seed },
  )
  const problemOf = ({ entrant, problem }: Judged) =>
    problem ??
    refused.find(({ model, measure }) => model === entrant.name && measure === goal.text)?.reason ??
    null
  const goodnessOf = ({ entrant }: Judged) => {
    const own = estimates.find((e) => e.model === entrant.name && e.measure === goal.text)
    if (entrant.name === chosen) return Infinity
    return own === undefined ? -Infinity : goal.goodness(own.value)
  }
  const ordered = judged.toSorted((a, b) => {
    const [first, second] = [goodnessOf(a), goodnessOf(b)]
    return first === second ? 0 : second - first
  })
  const without = problemOf(ordered[0])
  if (without !== null) throw nobodyCan(without)
  const best = ordered[0].entrant.name
  return ordered.map((one) => {
    const { entrant, seconds } = one
    const problem = problemOf(one)
    const own = problem === null ? estimates.filter(({ model }) => model === entrant.name) : []
    const pair = comparisons.find(
      ({ measure, candidate, champion }) =>
        measure === goal.text &&
        [candidate, champion].includes(best) &&
        [candidate, champion].includes(entrant.name),
    )
    // A comparison says by how much the candidate is better; either may be the best here.
    const sign = pair?.candidate === entrant.name ? 1 : -1
    const [low, high] = [pair?.gain.lower ?? 0, pair?.gain.upper ?? 0].map((x) => sign * x)
    return {
      name: entrant.name,
      title: entrant.title,
      figures: Object.fromEntries(
        own.map(({ measure, value, lower, upper }) => [measure, { value, lower, upper }]),
      ),
      toBest:
        pair === undefined || entrant.name === best
          ? null
          : {
              value: sign * pair.gain.value,
              lower: Math.min(low, high),
              upper: Math.max(low, high),
            },
      seconds,
      problem,
    }
  })
}

function nobodyCan(problem: string | null): Error {
  return pipelineErrors.learn_request_invalid(`No estimator can be judged so: ${problem}`)
}

/** The results of a binary task as labels and scores. */
function scored(results: Results): { y: Float64Array; scores: Float64Array } {
  if (results.task !== 'binary') throw new Error('Only two classes have a threshold.')
  return { y: results.y, scores: results.scores }
}

/** The threshold by the rule, on rows that were predicted out of fold; undefined where none serves. */
export function thresholdOf(rule: ThresholdRule, results: Results): number | undefined {
  try {
    return chooseThreshold(rule, scored(results)).threshold
  } catch (error) {
    if (isAssayError(error, 'threshold_rule_unmet')) return undefined
    throw error
  }
}

const PARTS = 5

/**
 * What the rule's threshold does on rows that had no part in choosing it: the rows are cut into
 * five parts, each judged by the threshold that the other four chose, and the counts are added.
 */
export function effectOfRule(rule: ThresholdRule, results: Results, seed: number): ThresholdEffect {
  const { y, scores } = scored(results)
  const folds = foldsOf(
    {
      kind: 'k-fold',
      folds: PARTS,
      seed: `${seed}/threshold`,
      stratified: true,
      grouped: results.groups !== undefined,
    },
    { count: y.length, classes: y, ...(results.groups && { groups: results.groups }) },
  )
  // Alerted rows get the score 1, so that one threshold stands for five.
  const alerted = new Float64Array(y.length)
  for (const { train, test } of folds) {
    const others = { y: selectValues(y, train), scores: selectValues(scores, train) }
    // Where no threshold serves, nothing is alerted.
    const threshold = thresholdOf(rule, { task: 'binary', ...others }) ?? Infinity
    for (const row of test) alerted[row] = scores[row] >= threshold ? 1 : 0
  }
  return thresholdEffect({ y, scores: alerted }, 1)
}
