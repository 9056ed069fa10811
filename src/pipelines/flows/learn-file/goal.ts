// What a person wants the best model to be best at: a measure, and the rule of the threshold.
import { measure, type Measure, type ThresholdRule } from '../../../learning/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { pipelineErrors } from '../../errors.ts'
import type { LabelledTask } from './question.ts'

export interface Goal {
  /** As the person wrote it. */
  readonly text: string
  /** Decides which estimator is the best; the others are reported beside it. */
  readonly measures: readonly Measure[]
  /** Of a binary task. */
  readonly threshold: ThresholdRule | null
}

const USUAL: Readonly<Record<LabelledTask, string>> = {
  binary: 'auc',
  multiclass: 'auc',
  regression: 'rmse',
}

const BESIDE: Readonly<Record<LabelledTask, readonly string[]>> = {
  binary: ['roc_auc', 'average_precision', 'log_loss', 'brier', 'ks'],
  multiclass: ['roc_auc_ovr', 'accuracy', 'balanced_accuracy', 'f1_macro', 'log_loss'],
  regression: ['rmse', 'mae', 'median_absolute_error', 'r2'],
}

/** Errors: `learn_request_invalid` where the task has no such goal. */
export function goalOf(text: string | undefined, task: LabelledTask): Goal {
  const written = text ?? USUAL[task]
  const { name, threshold } = readGoal(written, task)
  let first: Measure
  try {
    first = measure(task, name)
  } catch (error) {
    if (!isAssayError(error, 'evaluation_invalid')) throw error
    throw pipelineErrors.learn_request_invalid(`The goal "${written}": ${error.detail}`)
  }
  if (typeof first.info.better === 'object') {
    throw pipelineErrors.learn_request_invalid(
      `"${first.info.title}" says whether a model is calibrated, not how good it is.`,
    )
  }
  const others = BESIDE[task].filter((other) => other !== first.text)
  return {
    text: written,
    measures: [first, ...others.map((other) => measure(task, other))],
    threshold: task === 'binary' ? (threshold ?? { kind: 'best-f1' }) : null,
  }
}

function readGoal(
  text: string,
  task: LabelledTask,
): { readonly name: string; readonly threshold?: ThresholdRule } {
  if (text === 'auc') return { name: task === 'multiclass' ? 'roc_auc_ovr' : 'roc_auc' }
  if (text === 'ap') return { name: 'average_precision' }
  const cost = /^cost=(?<falseAlert>[\d.]+)(?::(?<missed>[\d.]+))?$/.exec(text)?.groups
  if (cost !== undefined) {
    // One number is what a miss costs, a false alert costing 1.
    const falseAlert = cost['missed'] === undefined ? 1 : Number(cost['falseAlert'])
    const missed = Number(cost['missed'] ?? cost['falseAlert'])
    if (!(falseAlert > 0 && missed > 0)) {
      throw pipelineErrors.learn_request_invalid(
        `The goal "${text}": write cost=A:B, what a false alert and what a miss costs.`,
      )
    }
    return {
      name: `cost@missed=${missed / falseAlert}`,
      threshold: { kind: 'cost', falseAlert, missed },
    }
  }
  const precision = /^recall@precision=(?<precision>[\d.]+)$/.exec(text)?.groups?.['precision']
  if (precision !== undefined) {
    return {
      name: text,
      threshold: { kind: 'precision-at-least', precision: Number(precision) },
    }
  }
  return { name: text }
}

/** The rule that chose a threshold, in words. */
export function ruleInWords(rule: ThresholdRule): string {
  switch (rule.kind) {
    case 'best-f1':
      return 'where F1, which weighs precision and recall alike, is highest'
    case 'precision-at-least':
      return `the lowest at which precision is at least ${rule.precision}`
    case 'recall-at-least':
      return `the highest at which recall is at least ${rule.recall} at ${100 * rule.confidence} % confidence`
    case 'cost':
      return `the cheapest where a false alert costs ${rule.falseAlert} and a miss ${rule.missed}`
    case 'alerts-per-day':
      return `so that ${rule.alerts} alerts a day are made`
    default:
      return 'as given'
  }
}
