/**
 * Folds: rows to learn from and rows to test on, by chance or by time, once, several times or one
 * within the other. A plan is data; the same plan, rows and seed give the same folds.
 *
 * What always holds: no row is both learnt from and tested on. Of the plans by chance, the test
 * rows of one repetition are all rows, each once. Folds hold row numbers in ascending order.
 */
import { fail } from '../errors.ts'
import { groupFolds, numberGroups, rowFolds } from './assign.ts'
import { timeFolds, type TimeFoldPlan } from './time-folds.ts'

export type FoldPlan = KFoldPlan | HoldOutPlan | TimeFoldPlan

/** Every row is tested once in each repetition. */
export type KFoldPlan = Chance & {
  readonly kind: 'k-fold'
  /** 2 to 1000. */
  readonly folds: number
  /** How often the rows are dealt anew; 1 if absent. */
  readonly repeats?: number
}

/** One test part, a share of the rows drawn by chance. */
export type HoldOutPlan = Chance & {
  readonly kind: 'hold-out'
  /** Between 0 and 1. */
  readonly testShare: number
}

type Chance = {
  readonly seed: number | string
  /**
   * Each part gets its share of each class, to within one row. With groups, which cannot be cut,
   * as nearly as a greedy assignment gets.
   */
  readonly stratified?: boolean
  /** Rows of one group stay together. Parts then differ by at most the size of a group. */
  readonly grouped?: boolean
}

/** What is known of the rows; plans say which of it they need. */
export type FoldRows = {
  readonly count: number
  /** Class of each row, needed where the plan is stratified. */
  readonly classes?: ArrayLike<number>
  /** Such as the customer of each row, needed where the plan is grouped. */
  readonly groups?: ArrayLike<number | string>
  /** Needed by folds in time, microseconds. */
  readonly eventTimeUs?: ArrayLike<number>
  /** When each row's label was known; absent: its event time and the plan's delay. */
  readonly knownUs?: ArrayLike<number>
}

export type Fold = {
  /** Counted from 0. */
  readonly repeat: number
  /** Counted from 0 within its repetition. */
  readonly fold: number
  readonly train: Uint32Array
  readonly test: Uint32Array
}

/** An outer fold with folds of its training rows, in which parameters are chosen. */
export type NestedFold = Fold & { readonly inner: readonly Fold[] }

/** Row numbers of all folds. Throws `split_invalid` where plan and rows do not fit. */
export function foldsOf(plan: FoldPlan, rows: FoldRows): Fold[] {
  checkLengths(rows)
  switch (plan.kind) {
    case 'k-fold':
      return kFolds(plan, rows)
    case 'hold-out':
      return [holdOut(plan, rows)]
    case 'time-folds':
      return timeFolds(plan, rows)
  }
}

/** Folds within folds: the inner ones part the training rows of their outer fold, and no others. */
export function nestedFolds(
  plans: { readonly outer: FoldPlan; readonly inner: FoldPlan },
  rows: FoldRows,
): NestedFold[] {
  return foldsOf(plans.outer, rows).map((fold) => {
    const inner = foldsOf(plans.inner, selectFoldRows(rows, fold.train))
    const back = (of: Uint32Array) => of.map((position) => fold.train[position])
    return {
      ...fold,
      inner: inner.map((one) => ({ ...one, train: back(one.train), test: back(one.test) })),
    }
  })
}

/** What is known of the given rows, in the given order. */
export function selectFoldRows(rows: FoldRows, chosen: Uint32Array): FoldRows {
  const { classes, groups, eventTimeUs, knownUs } = rows
  const pick = <T>(list: ArrayLike<T>) => Array.from(chosen, (row) => list[row])
  return {
    count: chosen.length,
    ...(classes && { classes: pick(classes) }),
    ...(groups && { groups: pick(groups) }),
    ...(eventTimeUs && { eventTimeUs: pick(eventTimeUs) }),
    ...(knownUs && { knownUs: pick(knownUs) }),
  }
}

function kFolds(plan: KFoldPlan, rows: FoldRows): Fold[] {
  const { folds, repeats = 1 } = plan
  if (!Number.isSafeInteger(folds) || folds < 2 || folds > 1000) {
    throw fail.split_invalid(`There must be 2 to 1000 folds, not ${folds}.`)
  }
  if (!Number.isSafeInteger(repeats) || repeats < 1 || repeats > 1000) {
    throw fail.split_invalid(`There must be 1 to 1000 repetitions, not ${repeats}.`)
  }
  const shares = Array.from({ length: folds }, () => 1 / folds)
  return Array.from({ length: repeats }, (_, repeat) => {
    const foldOf = assign(plan, rows, shares, `repeat ${repeat}`)
    return shares.map((_share, fold) => ({ repeat, fold, ...parts(foldOf, fold) }))
  }).flat()
}

function holdOut(plan: HoldOutPlan, rows: FoldRows): Fold {
  const { testShare } = plan
  if (!(testShare > 0 && testShare < 1)) {
    throw fail.split_invalid(`The share of test rows must lie between 0 and 1, not ${testShare}.`)
  }
  const foldOf = assign(plan, rows, [testShare, 1 - testShare], 'hold-out')
  const fold = { repeat: 0, fold: 0, ...parts(foldOf, 0) }
  if (fold.train.length === 0 || fold.test.length === 0) {
    throw fail.split_invalid(`A share of ${testShare} of ${rows.count} rows leaves a part empty.`)
  }
  return fold
}

/** The part of each row; parts take their shares of all rows, and of each class if stratified. */
function assign(
  plan: KFoldPlan | HoldOutPlan,
  rows: FoldRows,
  shares: readonly number[],
  draw: string,
): Uint16Array {
  const classes = plan.stratified === true ? classNumbers(rows) : undefined
  const given = { seed: plan.seed, draw, shares, classes }
  if (plan.grouped !== true) {
    if (rows.count < shares.length) {
      throw fail.split_invalid(`${rows.count} rows do not make ${shares.length} parts.`)
    }
    return rowFolds(rows.count, given)
  }
  if (rows.groups === undefined) {
    throw fail.split_invalid('The plan keeps groups together, but no groups are given.')
  }
  const groups = numberGroups(rows.groups)
  if (groups.count < shares.length) {
    throw fail.split_invalid(`${groups.count} groups do not make ${shares.length} parts.`)
  }
  return groupFolds(groups, given)
}

function classNumbers({ classes }: FoldRows): { of: Uint32Array; count: number } {
  if (classes === undefined) {
    throw fail.split_invalid('The plan is stratified, but no classes are given.')
  }
  const missing = Array.prototype.findIndex.call(
    classes,
    (value: number) => !Number.isFinite(value),
  )
  if (missing >= 0) {
    throw fail.split_invalid(`Row ${missing} has no class; leave rows without a label out first.`)
  }
  return numberGroups(classes)
}

function parts(foldOf: Uint16Array, fold: number) {
  const test = foldOf.reduce((count, of) => (of === fold ? count + 1 : count), 0)
  const rows = { train: new Uint32Array(foldOf.length - test), test: new Uint32Array(test) }
  let trained = 0
  let tested = 0
  for (let row = 0; row < foldOf.length; row++) {
    if (foldOf[row] === fold) rows.test[tested++] = row
    else rows.train[trained++] = row
  }
  return rows
}

function checkLengths(rows: FoldRows): void {
  for (const name of ['classes', 'groups', 'eventTimeUs', 'knownUs'] as const) {
    const list = rows[name]
    if (list !== undefined && list.length !== rows.count) {
      throw fail.split_invalid(`${name} has ${list.length} entries for ${rows.count} rows.`)
    }
  }
}
