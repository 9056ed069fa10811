/** Spaces that suit most data, one a kind of learner, and the learner of a setting. */
import { fail } from '../errors.ts'
import {
  boostedTrees,
  linearRegression,
  logisticRegression,
  multinomialRegression,
  randomForest,
} from '../learners.ts'
import type { LearnerSpec } from '../model.ts'
import type { Setting, Space } from './space.ts'

type TunedKind = keyof typeof spaces

/**
 * What moves figures most, in ranges in which the best values of many data sets were found
 * (Probst, Boulesteix and Bischl 2019). The number of trees of a forest is not tuned: more are
 * better (Probst and Boulesteix 2018).
 */
const spaces = {
  'boosted-trees': [
    { name: 'learningRate', kind: 'log-uniform', from: 0.01, to: 0.3 },
    { name: 'trees', kind: 'log-integer', from: 50, to: 1000 },
    { name: 'growth', kind: 'choice', options: ['leaf-wise', 'depth-wise'] },
    {
      name: 'depth',
      kind: 'integer',
      from: 2,
      to: 10,
      when: { parameter: 'growth', is: ['depth-wise'] },
    },
    {
      name: 'leaves',
      kind: 'log-integer',
      from: 4,
      to: 256,
      when: { parameter: 'growth', is: ['leaf-wise'] },
    },
    { name: 'minChildWeight', kind: 'log-uniform', from: 0.1, to: 100 },
    { name: 'l2', kind: 'log-uniform', from: 0.01, to: 100 },
    { name: 'rowSample', kind: 'uniform', from: 0.5, to: 1 },
    { name: 'columnSample', kind: 'uniform', from: 0.3, to: 1 },
  ],
  'random-forest': [
    { name: 'nodeFeatures', kind: 'choice', options: ['sqrt', 'third', 'all'] },
    { name: 'minChildRows', kind: 'log-integer', from: 1, to: 100 },
    { name: 'depth', kind: 'integer', from: 4, to: 32 },
    { name: 'rowSample', kind: 'uniform', from: 0.3, to: 1 },
  ],
  'logistic-regression': [
    { name: 'c', kind: 'log-uniform', from: 1e-4, to: 1e3 },
    { name: 'l1Ratio', kind: 'choice', options: [0, 0.5, 1] },
  ],
  'multinomial-regression': [
    { name: 'c', kind: 'log-uniform', from: 1e-4, to: 1e3 },
    { name: 'l1Ratio', kind: 'choice', options: [0, 0.5, 1] },
  ],
  'linear-regression': [
    { name: 'l1', kind: 'log-uniform', from: 1e-6, to: 10 },
    { name: 'l2', kind: 'log-uniform', from: 1e-6, to: 10 },
  ],
} satisfies Partial<Record<LearnerSpec['kind'], Space>>

/** The usual space of a kind of learner. Throws `tuning_invalid` where there is none. */
export function defaultSpace(kind: LearnerSpec['kind']): Space {
  if (!Object.hasOwn(spaces, kind)) {
    throw fail.tuning_invalid(
      `There is no usual space for a learner of the kind "${kind}"; declare one.`,
    )
  }
  return spaces[kind as TunedKind]
}

/** Depth is a limit of leaf-wise trees only where it was declared. */
const LEAF_WISE_DEPTH = 32

/**
 * The learner with the setting's parameters in place of its own. Throws `learner_invalid` where a
 * parameter has a value that the learner does not take, and `tuning_invalid` where it has none of
 * that name.
 */
export function learnerWith(base: LearnerSpec, setting: Setting): LearnerSpec {
  const strange = Object.keys(setting).find((name) => !isParameter(base, name))
  if (strange !== undefined) {
    throw fail.tuning_invalid(`A learner of the kind "${base.kind}" has no "${strange}" to tune.`)
  }
  switch (base.kind) {
    case 'boosted-trees':
      return boostedTrees({ ...base.params, ...boundsOfTree(setting), ...setting })
    case 'random-forest':
      return randomForest({ ...base.params, ...setting })
    case 'logistic-regression':
      return logisticRegression({ ...base.params, ...setting })
    case 'multinomial-regression':
      return multinomialRegression({ ...base.params, ...setting })
    case 'linear-regression':
      return linearRegression({ ...base.params, ...setting })
    default:
      throw fail.tuning_invalid(`A learner of the kind "${base.kind}" is not tuned by name.`)
  }
}

function isParameter(base: LearnerSpec, name: string): boolean {
  const optional: Partial<Record<LearnerSpec['kind'], readonly string[]>> = {
    'boosted-trees': ['minChildRows', 'maxDeltaStep', 'nodeColumnSample'],
    'logistic-regression': ['l1Ratio', 'classWeights', 'solver'],
    'random-forest': ['classWeights'],
    'linear-regression': ['huberWidth'],
  }
  return Object.hasOwn(base.params, name) || (optional[base.kind] ?? []).includes(name)
}

/** Where a setting bounds trees by leaves alone or by depth alone, the other bound gives way. */
function boundsOfTree({ growth, depth, leaves }: Setting): {
  readonly depth?: number
  readonly leaves?: number
} {
  if (growth === 'leaf-wise' && leaves !== undefined && depth === undefined) {
    return { depth: LEAF_WISE_DEPTH }
  }
  if (typeof depth === 'number' && leaves === undefined) return { leaves: 2 ** Math.min(depth, 10) }
  return {}
}
