/**
 * Forward-chaining folds: learn from what was known, test on what came next, several times over
 * (rolling-origin evaluation, Tashman 2000), with the rows purged whose labels were not known yet.
 */
import { fail } from '../errors.ts'
import type { Fold, FoldRows } from './folds.ts'

export type TimeFoldPlan = {
  readonly kind: 'time-folds'
  /** Number of test periods, one after the other up to the last row. */
  readonly folds: number
  /**
   * Length of a test period. Absent: the rows, in order of time, are cut into folds + 1 parts of
   * equally many; the first is only learnt from. Rows of the same time stay together.
   */
  readonly testUs?: number
  /** Training ends this long before the test begins; 0 if absent. */
  readonly gapUs?: number
  /** How long it takes until a label is known, where the rows do not say; 0 if absent. */
  readonly delayUs?: number
  /** How far back training reaches; absent: to the first row. */
  readonly trainUs?: number
}

/**
 * For a test period that begins at T, training rows have event times in [T − gap − train, T − gap)
 * and labels known by T.
 */
export function timeFolds(plan: TimeFoldPlan, rows: FoldRows): Fold[] {
  const times = checkTimes(plan, rows)
  const { gapUs = 0, delayUs = 0, trainUs = Infinity } = plan
  return periods(plan, times).map(([fromUs, toUs], fold) => {
    const train: number[] = []
    const test: number[] = []
    for (let row = 0; row < times.length; row++) {
      const time = times[row]
      const knownUs = rows.knownUs?.[row] ?? time + delayUs
      if (time >= fromUs && time < toUs) test.push(row)
      const reached = time < fromUs - gapUs && time >= fromUs - gapUs - trainUs
      if (reached && knownUs <= fromUs) train.push(row)
    }
    if (train.length === 0 || test.length === 0) {
      const empty = train.length === 0 ? 'nothing to learn from' : 'nothing to test on'
      throw fail.split_invalid(
        `Fold ${fold} of ${plan.folds} in time has ${empty}; ask for fewer folds, shorter test ` +
          'periods or a shorter gap.',
      )
    }
    return { repeat: 0, fold, train: Uint32Array.from(train), test: Uint32Array.from(test) }
  })
}

/** The test periods as [from, to), in order. */
function periods({ folds, testUs }: TimeFoldPlan, times: Float64Array): [number, number][] {
  const sorted = times.slice().sort()
  // Event times are whole microseconds, so the last row lies within a period that ends 1 later.
  const end = sorted[sorted.length - 1] + 1
  const starts = Array.from({ length: folds }, (_, fold) =>
    testUs === undefined
      ? sorted[Math.floor(((fold + 1) * sorted.length) / (folds + 1))]
      : end - (folds - fold) * testUs,
  )
  return starts.map((from, fold) => [from, starts[fold + 1] ?? end])
}

function checkTimes(plan: TimeFoldPlan, { count, eventTimeUs }: FoldRows): Float64Array {
  if (!Number.isSafeInteger(plan.folds) || plan.folds < 1 || plan.folds > 1000) {
    throw fail.split_invalid(`There must be 1 to 1000 folds in time, not ${plan.folds}.`)
  }
  for (const name of ['gapUs', 'delayUs', 'testUs', 'trainUs'] as const) {
    const value = plan[name] ?? 1
    const least = name === 'testUs' || name === 'trainUs' ? 1 : 0
    if (!Number.isSafeInteger(value) || value < least) {
      throw fail.split_invalid(`${name} must be a whole number of at least ${least}, not ${value}.`)
    }
  }
  if (eventTimeUs === undefined) {
    throw fail.split_invalid('The plan parts rows by time, but no event times are given.')
  }
  const times = Float64Array.from(eventTimeUs)
  const wrong = times.findIndex((time) => !Number.isSafeInteger(time))
  if (wrong >= 0) throw fail.split_invalid(`Row ${wrong} has no event time in microseconds.`)
  if (count === 0) throw fail.split_invalid('There are no rows to part.')
  return times
}
