/**
 * The table of measures. A measure is named by a text, with its parameter where it has one:
 * `roc_auc`, `recall@precision=0.9`, `precision@k=100`, `f1` (at its usual threshold of 0.5).
 */
import { isAssayError } from '../../lib/errors.ts'
import { fail } from '../errors.ts'
import { binaryMeasures } from './binary-measures.ts'
import { type Better, goodness, type MeasureParameter } from './measure.ts'
import { multiclassMeasures } from './multiclass-measures.ts'
import { regressionMeasures } from './regression-measures.ts'
import {
  readyBinary,
  readyMulticlass,
  readyRegression,
  type Results,
  type Weights,
} from './results.ts'

const table = [...binaryMeasures, ...multiclassMeasures, ...regressionMeasures]

/** What can be measured, as data. */
export const measures: readonly MeasureInfo[] = table

export type MeasureInfo = {
  readonly task: Results['task']
  readonly name: string
  readonly title: string
  readonly better: Better
  readonly needs: 'ranks' | 'decisions' | 'probabilities' | 'values'
  readonly parameter?: MeasureParameter
}

/** A measure with its parameter. */
export type Measure = {
  /** The full text that names it. */
  readonly text: string
  readonly info: MeasureInfo
  /** Higher is better: the figure, its negative, or the negative of its distance to the best. */
  readonly goodness: (figure: number) => number
  readonly entry: (typeof table)[number]
  readonly parameter: number
}

/** Finds a measure by its text. Throws `evaluation_invalid`, naming those that there are. */
export function measure(task: Results['task'], text: string): Measure {
  const found = /^(?<name>[a-z0-9_]+)(?:@(?<parameter>[a-z]+)=(?<value>[-+.0-9a-z]+))?$/i.exec(text)
  const { name, parameter, value } = found?.groups ?? {}
  const entry = table.find(
    (one) =>
      one.task === task &&
      one.name === name &&
      (parameter === undefined
        ? one.parameter === undefined || one.parameter.usual !== undefined
        : one.parameter?.name === parameter),
  )
  if (entry === undefined) {
    throw fail.evaluation_invalid(
      `"${text}" is no measure of a ${task} model; there are ${measureNames(task).join(', ')}.`,
    )
  }
  const number = value === undefined ? entry.parameter?.usual : Number(value)
  if (entry.parameter !== undefined) checkParameter(text, entry.parameter, number)
  return {
    text:
      entry.parameter === undefined
        ? entry.name
        : `${entry.name}@${entry.parameter.name}=${number}`,
    info: entry,
    goodness: (figure) => goodness(entry.better, figure),
    entry,
    parameter: number ?? NaN,
  }
}

/** One model's results under several measures. */
export type Measurer = {
  /** The figure of each measure with the rows weighted so; NaN where there is none. */
  readonly figures: (weights: Weights) => number[]
  /** Why a measure cannot be taken of these results at all. */
  readonly refusals: readonly (string | undefined)[]
}

/** Prepares results once for all measures. Throws `evaluation_invalid` where they are malformed. */
export function measurer(results: Results, list: readonly Measure[]): Measurer {
  switch (results.task) {
    case 'binary': {
      const ready = readyBinary(results)
      return assemble(ready, list, ({ entry, parameter }) =>
        entry.task === 'binary' ? entry.prepare(ready, parameter) : otherTask(entry, results),
      )
    }
    case 'multiclass': {
      const ready = readyMulticlass(results)
      return assemble(ready, list, ({ entry, parameter }) =>
        entry.task === 'multiclass' ? entry.prepare(ready, parameter) : otherTask(entry, results),
      )
    }
    case 'regression': {
      const ready = readyRegression(results)
      return assemble(ready, list, ({ entry, parameter }) =>
        entry.task === 'regression' ? entry.prepare(ready, parameter) : otherTask(entry, results),
      )
    }
  }
}

function assemble<Sample>(
  ready: { readonly weigh: (weights: Weights) => Sample },
  list: readonly Measure[],
  prepare: (one: Measure) => (sample: Sample) => number,
): Measurer {
  const refusals: (string | undefined)[] = []
  const prepared = list.map((one, i) => {
    try {
      return prepare(one)
    } catch (error) {
      if (!isAssayError(error, 'evaluation_invalid')) throw error
      refusals[i] = error.detail
      return () => NaN
    }
  })
  return {
    refusals,
    figures: (weights) => {
      const sample = ready.weigh(weights)
      return prepared.map((figure) => figure(sample))
    },
  }
}

function otherTask(info: MeasureInfo, results: Results): never {
  throw fail.evaluation_invalid(
    `"${info.name}" is a measure of a ${info.task} model, and these are ${results.task} results.`,
  )
}

/** Names as they are written, parameters shown as `=…`. */
export function measureNames(task: Results['task']): string[] {
  return table
    .filter((one) => one.task === task)
    .map(({ name, parameter }) => {
      if (parameter === undefined) return name
      return `${name}@${parameter.name}=${parameter.usual ?? '…'}`
    })
}

function checkParameter(text: string, parameter: MeasureParameter, value = NaN): void {
  const { name, above, upTo, whole } = parameter
  const fits = value > above && value <= upTo && (whole !== true || Number.isInteger(value))
  if (fits) return
  throw fail.evaluation_invalid(
    `"${text}": ${name} must be a ${whole === true ? 'whole ' : ''}number above ${above} and up to ${upTo}.`,
  )
}
