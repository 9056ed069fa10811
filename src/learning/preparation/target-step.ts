/**
 * Categories as the mean label of their training rows, smoothed (Micci-Barreca 2001).
 *
 * A training row must not see its own label, or a model learns to trust a feature that new rows
 * do not have. So the training rows are parted into inner folds, and each gets its values from
 * the sums of the other folds, prior included.
 */
import type { Random } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import { numberGroups } from '../splits/assign.ts'
import type { Encode } from './category-steps.ts'
import {
  checkDictionary,
  codesOf,
  createCoder,
  type Dictionary,
  fitDictionary,
} from './dictionary.ts'
import type { TargetStep } from './spec.ts'
import type { CategoryColumn } from './table.ts'

export type FittedTarget = {
  readonly step: 'target'
  readonly dictionary: Dictionary
  /** An output: the value of each kept category, of the rare ones together, of unseen, of missing. */
  readonly means: readonly (readonly number[])[]
}

/** What a target encoding learns from, one entry a training row. */
export type TargetRows = {
  readonly rows: Uint32Array
  /** One list of numbers an output: the labels, or 0 and 1 for each class. */
  readonly outputs: readonly Float64Array[]
  /** What must stay in one inner fold, for example the customer of each row; absent: nothing. */
  readonly groups: ArrayLike<number | string> | undefined
  readonly random: Random
}

/** Sums that a fit may keep: categories × inner folds × outputs. */
const SUMS_MAX = 2 ** 25

/** The fitted step, and the features of the training rows themselves. */
export function fitTarget(
  step: TargetStep,
  column: CategoryColumn,
  target: TargetRows,
): { readonly fitted: FittedTarget; readonly training: Float64Array[] } {
  const { rows, outputs } = target
  const dictionary = fitDictionary(column, rows, step)
  const codes = createCoder(dictionary)(column, rows)
  const places = placesIn(dictionary)
  if (places * step.folds * outputs.length > SUMS_MAX) {
    throw fail.preparation_invalid(
      `Target encoding of "${column.name}" would keep ${places} categories × ${step.folds} ` +
        `folds × ${outputs.length} classes; lower its categoriesMax.`,
    )
  }
  const foldOf = assignFolds(step.folds, target)
  const sums = outputs.map((y) => sumByFold(y, codes, foldOf, places, step.folds))
  return {
    fitted: {
      step: 'target',
      dictionary,
      means: sums.map((sum) => means(sum, step, places, -1)),
    },
    training: sums.map((sum) => outOfFold(sum, codes, foldOf, step, places)),
  }
}

/** As many as there are codes; that of unseen is the last but one. */
function placesIn(dictionary: Dictionary): number {
  return codesOf(dictionary).missing + 1
}

/** Inner folds of about equal size, whole groups together where there are any. */
function assignFolds(folds: number, { rows, groups, random }: TargetRows): Uint8Array {
  const { of: groupOf, count } =
    groups === undefined
      ? { of: Uint32Array.from(rows.keys()), count: rows.length }
      : numberGroups(Array.from(rows, (row) => groups[row]))
  const order = random.shuffle(new Uint32Array(count).map((_, i) => i))
  const foldOfGroup = new Uint8Array(count)
  order.forEach((group, place) => {
    foldOfGroup[group] = place % folds
  })
  const foldOf = new Uint8Array(rows.length)
  groupOf.forEach((group, i) => {
    foldOf[i] = foldOfGroup[group]
  })
  return foldOf
}

/** A fold and place: the sum of labels and the number of rows. */
type FoldSums = { readonly sum: Float64Array; readonly count: Uint32Array }

function sumByFold(
  y: Float64Array,
  codes: Int32Array,
  foldOf: Uint8Array,
  places: number,
  folds: number,
): FoldSums {
  const sum = new Float64Array(places * folds)
  const count = new Uint32Array(places * folds)
  for (let i = 0; i < codes.length; i++) {
    const at = foldOf[i] * places + codes[i]
    sum[at] += y[i]
    count[at]++
  }
  return { sum, count }
}

/**
 * The value of each place from all folds but one (−1: from all). Folds are added up anew, not
 * subtracted from a total: not even a rounding error of the left-out labels remains.
 */
function means(
  { sum, count }: FoldSums,
  { smoothing, folds }: TargetStep,
  places: number,
  without: number,
): number[] {
  const sums = new Float64Array(places)
  const counts = new Float64Array(places)
  for (let fold = 0; fold < folds; fold++) {
    if (fold === without) continue
    for (let place = 0; place < places; place++) {
      sums[place] += sum[fold * places + place]
      counts[place] += count[fold * places + place]
    }
  }
  const rows = counts.reduce((total, n) => total + n, 0)
  const prior = rows === 0 ? 0 : sums.reduce((total, s) => total + s, 0) / rows + 0
  const values = Array.from(sums, (s, place) => {
    const weight = counts[place] + smoothing
    return weight === 0 ? prior : (s + smoothing * prior) / weight + 0
  })
  // Forgotten categories count towards the prior, and new rows with them are unseen.
  values[places - 2] = prior
  return values
}

function outOfFold(
  sums: FoldSums,
  codes: Int32Array,
  foldOf: Uint8Array,
  step: TargetStep,
  places: number,
): Float64Array {
  const byFold = Array.from({ length: step.folds }, (_, fold) => means(sums, step, places, fold))
  const values = new Float64Array(codes.length)
  for (let i = 0; i < codes.length; i++) values[i] = byFold[foldOf[i]][codes[i]]
  return values
}

export function targetFeatures(name: string, classes: readonly string[] | undefined): string[] {
  if (classes === undefined) return [`target(${name})`]
  return classes.map((label) => `target(${name},${label})`)
}

export function encodeTarget(fitted: FittedTarget): Encode<CategoryColumn> {
  const coder = createCoder(fitted.dictionary)
  return (column, rows) => {
    const codes = coder(column, rows)
    return fitted.means.map((means) => {
      const values = new Float64Array(codes.length)
      for (let i = 0; i < codes.length; i++) values[i] = means[codes[i]]
      return values
    })
  }
}

/** Throws `model_invalid` unless the fitted step, perhaps from a file, is usable. */
export function checkTarget(name: string, fitted: FittedTarget, outputs: number): void {
  checkDictionary(fitted.dictionary, name)
  const places = placesIn(fitted.dictionary)
  const isNumbers = (list: unknown) =>
    Array.isArray(list) && list.length === places && list.every((v) => Number.isFinite(v))
  const { means } = fitted
  const complete = Array.isArray(means) && means.length === outputs && means.every(isNumbers)
  if (!complete) {
    throw fail.model_invalid(`The fitted target encoding of "${name}" is not complete.`)
  }
}
