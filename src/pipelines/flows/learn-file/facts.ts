// Facts for the report: what columns hold, the curves, what the threshold does.
import { profileFrame, type ColumnProfile, type TableFile } from '../../../data/index.ts'
import {
  calibrationTable,
  precisionRecallCurve,
  rank,
  rocCurve,
  thresholdEffect,
  type Results,
  type ThresholdRule,
} from '../../../learning/index.ts'
import { formatTimestamp } from '../../../lib/time.ts'
import type { Curve } from '../plan.ts'
import { ruleInWords } from './goal.ts'
import { effectOfRule, thresholdOf, type Judged } from './judge.ts'
import type { ColumnFacts, LearnReport, NamedCurves, ThresholdFacts } from './report.ts'
import { number } from './svg.ts'

export function columnFacts({ frame, schema }: TableFile, target: string): ColumnFacts[] {
  const profile = profileFrame(frame, schema, { eventTime: '', timeZone: 'UTC' })
  return profile.columns
    .filter(({ name }) => name !== target)
    .map((column) => ({
      name: column.name,
      kind: column.type === 'text' ? 'category' : 'number',
      missing: column.nulls,
      distinct: column.distinct,
      summary: summaryOf(column),
    }))
}

/** A column in a few words. */
export function summaryOf({ type, min, max, mean, top, count }: ColumnProfile): string {
  if (count === 0) return 'nothing'
  if (type !== 'text' && type !== 'time') {
    return `${number(min!)} to ${number(max!)}, mean ${number(mean!)}`
  }
  if (type === 'time') return `${dateOf(min!)} to ${dateOf(max!)}`
  return top
    .slice(0, 4)
    .map((one) => `${one.value} ${number((100 * one.count) / count)} %`)
    .join(', ')
}

const dateOf = (us: number) => formatTimestamp(us).slice(0, 10)

type Curves = Pick<LearnReport, 'roc' | 'precisionRecall' | 'calibration'>

/** The same of every estimator but the best. */
export function otherCurvesOf(judged: readonly Judged[], best: Judged): NamedCurves[] {
  return judged.flatMap(({ entrant: { name, title }, results: [first] }) => {
    if (name === best.entrant.name || first === undefined) return []
    const { roc, precisionRecall, calibration } = curvesOf(first)
    if (roc === null || precisionRecall === null || calibration === null) return []
    return [{ name, title, roc, precisionRecall, calibration }]
  })
}

export function curvesOf(results: Results): Curves {
  if (results.task !== 'binary') return { roc: null, precisionRecall: null, calibration: null }
  const { y, scores } = results
  const ranking = rank(y, scores)
  return {
    roc: curve(rocCurve(ranking), (p) => [p.falsePositiveRate, p.truePositiveRate]),
    precisionRecall: curve(precisionRecallCurve(ranking), (p) => [p.recall, p.precision]),
    calibration: calibrationTable(y, scores).map((bin) => ({
      predicted: bin.meanScore,
      observed: bin.observed,
      n: bin.rows,
    })),
  }
}

function curve<Point>(
  points: readonly Point[],
  place: (point: Point) => readonly [number, number],
): Curve {
  const places = points.map(place)
  return { x: places.map(([x]) => x), y: places.map(([, y]) => y) }
}

/**
 * The threshold by its rule on rows predicted out of fold, and what it does on rows that had no part
 * in choosing it: those of the test file, or each part of the rows by the threshold of the others.
 * Null where there is no rule, or no threshold that it allows.
 */
export function thresholdFacts(
  rule: ThresholdRule | null,
  outOfFold: Results,
  test: Results | undefined,
  seed: number,
): ThresholdFacts | null {
  if (rule === null) return null
  const threshold = thresholdOf(rule, outOfFold)
  if (threshold === undefined) return null
  const effect =
    test?.task === 'binary' ? thresholdEffect(test, threshold) : effectOfRule(rule, outOfFold, seed)
  const { alerts, rows, precision, recall, precisionInterval, recallInterval } = effect
  return {
    threshold,
    rule: ruleInWords(rule),
    alerts,
    rows,
    precision: { value: precision, ...precisionInterval },
    recall: { value: recall, ...recallInterval },
  }
}
