/**
 * The honest split of transactions by time: learn from one period, wait for the labels, test on a
 * later period, without the customers who were known to be defrauded by then.
 */
import { DAY_US, parseDuration, parseTimestamp } from '../../lib/time.ts'
import { fail } from '../errors.ts'

/** A split as declared, in microseconds UTC; periods are [fromUs, toUs). */
export type TimeSplit = {
  readonly kind: 'time-split'
  readonly train: Period
  /** How long it takes until a label is known. */
  readonly delayUs: number
  readonly test: Period
  /** The column of the customer whose later rows leave the test once a fraud is known. */
  readonly dropKnown?: string
}

export type Period = { readonly fromUs: number; readonly toUs: number }

export type TimeSplitDeclaration = {
  /** First and last day, both included, as YYYY-MM-DD. */
  readonly train: readonly [string, string]
  /** Such as '7d'. */
  readonly delay: string
  readonly test: readonly [string, string]
  readonly dropKnown?: string
  /** Where a day begins; UTC by default. */
  readonly timeZone?: string
}

/** Throws `split_invalid` unless training, delay and test follow one another. */
export function timeSplit(declared: TimeSplitDeclaration): TimeSplit {
  const train = period('training', declared.train, declared.timeZone)
  const test = period('test', declared.test, declared.timeZone)
  const delayUs = parseDuration(declared.delay)
  if (test.fromUs < train.toUs + delayUs) {
    throw fail.split_invalid(
      `The test starts on ${declared.test[0]}, before the labels of the training that ends on ` +
        `${declared.train[1]} are known (${declared.delay} later).`,
    )
  }
  const split = { kind: 'time-split' as const, train, delayUs, test }
  return declared.dropKnown === undefined ? split : { ...split, dropKnown: declared.dropKnown }
}

/** The same split moved in time, for example 14 days earlier to choose parameters on. */
export function shiftSplit(split: TimeSplit, byUs: number): TimeSplit {
  const shift = ({ fromUs, toUs }: Period) => ({ fromUs: fromUs + byUs, toUs: toUs + byUs })
  return { ...split, train: shift(split.train), test: shift(split.test) }
}

export type SplitRows = {
  readonly eventTimeUs: ArrayLike<number>
  /** 0 or 1; another value (such as NaN) is a row without a label, which is left out. */
  readonly label: ArrayLike<number>
  /** Needed where the split drops known customers. */
  readonly customer?: ArrayLike<number | string>
}

/**
 * Row indices of both parts, ascending.
 *
 * A customer is known, and dropped from the test, from the training period on; and on each day of
 * the test also those defrauded up to one day before the same day less the delay (so that on the
 * first day it is the training period alone), as the Fraud Detection Handbook does it.
 */
export function splitRows(
  split: TimeSplit,
  rows: SplitRows,
): { readonly train: Uint32Array; readonly test: Uint32Array } {
  const { eventTimeUs, label, customer } = rows
  const { train, test } = split
  const isLabelled = (row: number) => label[row] === 0 || label[row] === 1
  const knownFrom = split.dropKnown === undefined ? undefined : firstKnown(split, rows)
  const trainRows: number[] = []
  const testRows: number[] = []
  for (let row = 0; row < eventTimeUs.length; row++) {
    const time = eventTimeUs[row]
    if (!isLabelled(row)) continue
    if (time >= train.fromUs && time < train.toUs) trainRows.push(row)
    if (!(time >= test.fromUs && time < test.toUs)) continue
    const known = knownFrom?.get((customer as ArrayLike<number | string>)[row])
    if (known === undefined || startOfTestDay(time, test) < known) testRows.push(row)
  }
  return { train: Uint32Array.from(trainRows), test: Uint32Array.from(testRows) }
}

/** From which test day (its start) on a customer is known to have been defrauded. */
function firstKnown(split: TimeSplit, rows: SplitRows): Map<number | string, number> {
  const { eventTimeUs, label, customer } = rows
  const { train, test, delayUs } = split
  if (customer === undefined) {
    throw fail.split_invalid(`The split drops by "${split.dropKnown}", but no customers are given.`)
  }
  const known = new Map<number | string, number>()
  for (let row = 0; row < eventTimeUs.length; row++) {
    const time = eventTimeUs[row]
    if (label[row] !== 1 || time < train.fromUs || time >= test.toUs) continue
    // A fraud of day d enters on the test day d + delay + 1; those of the training at once.
    const day = startOfTestDay(time, test)
    const from = time < train.toUs ? test.fromUs : day + delayUs + DAY_US
    known.set(customer[row], Math.min(from, known.get(customer[row]) ?? Infinity))
  }
  return known
}

/** Days are counted from the start of the test, so that they begin when the test does. */
function startOfTestDay(timeUs: number, test: Period): number {
  return test.fromUs + Math.floor((timeUs - test.fromUs) / DAY_US) * DAY_US
}

function period(which: string, [first, last]: readonly [string, string], timeZone = 'UTC'): Period {
  const fromUs = parseTimestamp(`${first} 00:00:00`, { timeZone })
  const lastUs = parseTimestamp(`${last} 00:00:00`, { timeZone })
  if (fromUs === undefined || lastUs === undefined || lastUs < fromUs) {
    throw fail.split_invalid(`The ${which} period "${first}" to "${last}" is not a period of days.`)
  }
  return { fromUs, toUs: lastUs + DAY_US }
}
