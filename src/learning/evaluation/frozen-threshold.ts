/**
 * A threshold that was chosen before the test was read. It records on which rows; it cannot be
 * changed, only applied; and it refuses to be judged by rows on which it was chosen.
 */
import { fail } from '../errors.ts'
import { rowsHash } from '../preparation/rows.ts'
import {
  chooseThreshold,
  type ThresholdChoice,
  type ThresholdData,
  type ThresholdEffect,
  thresholdEffect,
  type ThresholdRule,
} from './threshold.ts'

/** Rows of a data set: the hash that names it, and numbers of rows in it. */
export type NamedRows = { readonly data: string; readonly rows: Uint32Array }

/** What is kept of the choice, as plain data. */
export type FrozenThresholdRecord = ThresholdChoice & {
  readonly chosenOn: {
    /** Hash of the data set. */
    readonly data: string
    readonly rows: number
    readonly positives: number
    /** `rowsHash` of the row numbers. */
    readonly rowsHash: string
  }
}

export interface FrozenThreshold {
  readonly record: FrozenThresholdRecord
  /** 1 where a score is at or above the threshold, else 0. */
  alerts(scores: Float64Array): Uint8Array
  /**
   * What the threshold does on other rows. Throws `evaluation_invalid` if it was chosen on one of
   * them, or if rows, labels and scores differ in number.
   */
  test(on: NamedRows, results: Pick<ThresholdData, 'y' | 'scores'>): ThresholdEffect
}

/** Chooses a threshold by a rule on rows with labels, and freezes it. Throws as `chooseThreshold`. */
export function freezeThreshold(
  rule: ThresholdRule,
  on: NamedRows,
  results: ThresholdData,
): FrozenThreshold {
  checkRows(on, results)
  const choice = chooseThreshold(rule, results)
  const chosen = new Set(on.rows)
  const { truePositives, falseNegatives } = choice.effect
  const record: FrozenThresholdRecord = {
    ...choice,
    chosenOn: {
      data: on.data,
      rows: on.rows.length,
      positives: truePositives + falseNegatives,
      rowsHash: rowsHash(on.rows),
    },
  }
  return Object.freeze({
    record,
    alerts: (scores: Float64Array) =>
      Uint8Array.from(scores, (score) => (score >= choice.threshold ? 1 : 0)),
    test(other: NamedRows, tested: Pick<ThresholdData, 'y' | 'scores'>) {
      checkRows(other, tested)
      const shared = other.data === on.data ? other.rows.filter((row) => chosen.has(row)).length : 0
      if (shared > 0) {
        throw fail.evaluation_invalid(
          `The threshold was chosen on ${shared} of the ${other.rows.length} rows that it is to ` +
            'be tested on; test it on rows that played no part in the choice.',
        )
      }
      return thresholdEffect(tested, choice.threshold)
    },
  })
}

function checkRows({ rows }: NamedRows, { y, scores }: Pick<ThresholdData, 'y' | 'scores'>): void {
  if (rows.length === y.length && rows.length === scores.length) return
  throw fail.evaluation_invalid(
    `There are ${rows.length} rows, ${y.length} labels and ${scores.length} scores.`,
  )
}
