/** Warnings about how the rows are parted into training and test. */
import type { Matrix } from '../../lib/matrix.ts'
import { rowsHash } from '../preparation/rows.ts'
import { numberGroups, type Numbered } from '../splits/assign.ts'
import type { Fold } from '../splits/folds.ts'
import type { LeakageCode, LeakageInput, LeakageWarning } from './leakage.ts'

/** What is known on both sides of the split; figures are shares of the test rows of all folds. */
export function partWarnings(input: LeakageInput): LeakageWarning[] {
  const { x, folds = [], groups, eventTimeUs, knownUs } = input
  if (folds.length === 0) return []
  return [
    // Rows without columns are all the same.
    x.columns.length === 0 ? undefined : duplicatesWarning(folds, numberRows(x)),
    groups === undefined ? undefined : groupsWarning(folds, numberGroups(groups)),
    eventTimeUs === undefined ? undefined : timesWarning(folds, eventTimeUs),
    eventTimeUs === undefined || knownUs === undefined
      ? undefined
      : knownWarning(folds, eventTimeUs, knownUs),
    ...preparedWarnings(input),
  ].filter((warning) => warning !== undefined)
}

function duplicatesWarning(folds: readonly Fold[], rows: Numbered): LeakageWarning | undefined {
  const share = shareAcross(folds, rows)
  return warning('duplicates_across', share, 'possible', (of) => {
    return `${of} of the test rows are, column for column, also training rows; remove duplicates, or keep them together as a group.`
  })
}

function groupsWarning(folds: readonly Fold[], groups: Numbered): LeakageWarning | undefined {
  const share = shareAcross(folds, groups)
  return warning('groups_straddle', share, 'likely', (of) => {
    return `${of} of the test rows belong to groups that were learnt from; part the rows by group.`
  })
}

function timesWarning(
  folds: readonly Fold[],
  times: ArrayLike<number>,
): LeakageWarning | undefined {
  const share = shareOfTests(folds, ({ train, test }) => {
    const last = train.reduce((latest, row) => Math.max(latest, times[row]), -Infinity)
    return test.reduce((count, row) => (times[row] < last ? count + 1 : count), 0)
  })
  return warning('times_straddle', share, 'possible', (of) => {
    return `${of} of the test rows are earlier than rows learnt from, so figures know the future; part the rows by time.`
  })
}

function knownWarning(
  folds: readonly Fold[],
  times: ArrayLike<number>,
  knownUs: ArrayLike<number>,
): LeakageWarning | undefined {
  let late = 0
  let learnt = 0
  for (const { train, test } of folds) {
    const first = test.reduce((earliest, row) => Math.min(earliest, times[row]), Infinity)
    late += train.reduce((count, row) => (knownUs[row] > first ? count + 1 : count), 0)
    learnt += train.length
  }
  return warning('labels_not_yet_known', late / learnt, 'likely', (of) => {
    return `${of} of the labels learnt from were not known when the test began; leave out rows whose label came later, or widen the delay.`
  })
}

function preparedWarnings({ folds = [], preparations = [], x }: LeakageInput): LeakageWarning[] {
  const inside = new Uint8Array(x.rows)
  return preparations.flatMap(({ name, fold, fittedOn }): LeakageWarning[] => {
    if (!(fittedOn instanceof Uint32Array)) {
      if (fittedOn.hash === rowsHash(folds[fold].train)) return []
      const words = `"${name}" of fold ${fold} was fitted on ${fittedOn.count} rows that are not its training rows; fit it on those alone.`
      return [{ code: 'prepared_outside', level: 'likely', figure: 1, words }]
    }
    inside.fill(0)
    for (const row of folds[fold].train) inside[row] = 1
    const outside = fittedOn.reduce((count, row) => (inside[row] === 1 ? count : count + 1), 0)
    const found = warning('prepared_outside', outside / fittedOn.length, 'likely', (of) => {
      return `"${name}" of fold ${fold} was fitted on rows of which ${of} are not among its training rows; fit it on those alone.`
    })
    return found === undefined ? [] : [found]
  })
}

function warning(
  code: LeakageCode,
  share: number,
  level: LeakageWarning['level'],
  words: (share: string) => string,
): LeakageWarning | undefined {
  if (!(share > 0)) return undefined
  const digits = share < 0.001 ? 3 : share < 0.1 ? 1 : 0
  return { code, level, figure: share, words: words(`${(100 * share).toFixed(digits)} %`) }
}

/** The share of test rows whose number also stands among the training rows. */
function shareAcross(folds: readonly Fold[], { of, count }: Numbered): number {
  const learnt = new Uint8Array(count)
  return shareOfTests(folds, ({ train, test }) => {
    learnt.fill(0)
    for (const row of train) learnt[of[row]] = 1
    return test.reduce((shared, row) => shared + learnt[of[row]], 0)
  })
}

function shareOfTests(folds: readonly Fold[], countOf: (fold: Fold) => number): number {
  let counted = 0
  let tested = 0
  for (const fold of folds) {
    counted += countOf(fold)
    tested += fold.test.length
  }
  return counted / tested
}

/**
 * Gives rows with the same values in all columns the same number; missing equals missing. The
 * first row of each kind stands in a table of twice as many places, found by its hash.
 */
function numberRows(x: Matrix): Numbered {
  const hashes = hashRows(x)
  const of = new Uint32Array(x.rows)
  const places = new Uint32Array(2 ** (33 - Math.clz32(x.rows)))
  let count = 0
  for (let row = 0; row < x.rows; row++) {
    let place = hashes[row] & (places.length - 1)
    // A place holds a row's number plus 1, or 0 while it is free.
    while (places[place] !== 0 && !isSame(places[place] - 1, row)) {
      place = (place + 1) & (places.length - 1)
    }
    if (places[place] === 0) {
      places[place] = row + 1
      of[row] = count++
    } else of[row] = of[places[place] - 1]
  }
  return { of, count }

  function isSame(a: number, b: number): boolean {
    return hashes[a] === hashes[b] && sameRow(x, a, b)
  }
}

/** A 32-bit hash of each row's values (FNV-1a over words); −0 counts as 0. */
function hashRows(x: Matrix): Uint32Array {
  const hashes = new Uint32Array(x.rows).fill(0x811c9dc5)
  const value = new Float64Array(1)
  const words = new Uint32Array(value.buffer)
  for (const column of x.columns) {
    for (let row = 0; row < x.rows; row++) {
      // NaN has many bit patterns, of which this takes one.
      value[0] = Number.isNaN(column[row]) ? NaN : column[row] + 0
      const first = Math.imul(hashes[row] ^ words[0], 0x01000193)
      const mixed = Math.imul(first ^ words[1], 0x01000193)
      hashes[row] = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    }
  }
  return hashes
}

function sameRow(x: Matrix, a: number, b: number): boolean {
  return x.columns.every((column) => {
    return column[a] === column[b] || (Number.isNaN(column[a]) && Number.isNaN(column[b]))
  })
}
