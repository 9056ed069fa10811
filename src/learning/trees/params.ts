/** What the optional parameters of boosted trees may be. */
import { measure } from '../evaluation/measures.ts'
import { CATEGORY_DEFAULTS } from './limits.ts'
import type { BoostedTreesParams } from './model.ts'
import { objectiveOf, OBJECTIVES } from './objective.ts'

/** Calls `check` for each, with its name, its value, and whether it holds. */
export function checkOptions(
  params: BoostedTreesParams,
  check: (name: string, value: unknown, holds: boolean) => void,
): void {
  const { objective = 'logistic', quantile, monotone = {}, interactions = [] } = params
  check('objective', objective, OBJECTIVES.includes(objective))
  const quantiles = objective === 'quantile'
  check('quantile', quantile, quantile === undefined || (quantiles && quantile > 0 && quantile < 1))
  checkSizes(params, check)
  checkWeights(params, check)
  for (const [name, direction] of Object.entries(monotone)) {
    // Leaves that get quantiles of their own rows do not keep to bounds.
    check(`monotone.${name}`, direction, (direction === 1 || direction === -1) && !quantiles)
  }
  check('interactions', interactions, interactions.every(isGroup))
  checkStopping(params, check)
}

type Check = Parameters<typeof checkOptions>[1]

function checkSizes(params: BoostedTreesParams, check: Check): void {
  const { minChildRows = 1, maxDeltaStep, nodeColumnSample = 1, objective } = params
  check('minChildRows', minChildRows, Number.isSafeInteger(minChildRows) && minChildRows >= 1)
  if (maxDeltaStep !== undefined) {
    check('maxDeltaStep', maxDeltaStep, maxDeltaStep > 0 && objective !== 'quantile')
  }
  check('nodeColumnSample', nodeColumnSample, nodeColumnSample > 0 && nodeColumnSample <= 1)
  const categories = { ...CATEGORY_DEFAULTS, ...params.categories }
  for (const [name, value] of Object.entries(categories)) {
    const known = Object.hasOwn(CATEGORY_DEFAULTS, name)
    const holds = known && value >= 0 && Number.isFinite(value)
    check(`categories.${name}`, value, holds && (name !== 'most' || value >= 1))
  }
}

function checkWeights(params: BoostedTreesParams, check: Check): void {
  const { objective = 'logistic', positiveWeight, classWeights } = params
  check('positiveWeight', positiveWeight, positiveWeight === 1 || objective === 'logistic')
  if (classWeights === undefined) return
  const classes = objective === 'logistic' || objective === 'softmax'
  const sound = classWeights === 'balanced' || isWeights(classWeights)
  check('classWeights', classWeights, classes && sound)
}

function checkStopping(params: BoostedTreesParams, check: Check): void {
  const { earlyStopping } = params
  if (earlyStopping === undefined) return
  const { rounds, metric } = earlyStopping
  check('earlyStopping.rounds', rounds, Number.isSafeInteger(rounds) && rounds >= 1)
  const text = stoppingMeasure(metric)
  // Throws with the names of the measures that there are.
  if (text !== undefined) measure(objectiveOf(params).task, text)
}

/** The text of the measure that a metric names; undefined: the learner's own loss. */
export function stoppingMeasure(metric: string): string | undefined {
  if (metric === 'log-loss') return undefined
  return metric === 'average-precision' ? 'average_precision' : metric
}

function isGroup(group: readonly string[]): boolean {
  return Array.isArray(group) && group.length > 0
}

function isWeights(list: readonly number[]): boolean {
  return Array.isArray(list) && list.every((weight) => weight > 0 && Number.isFinite(weight))
}
