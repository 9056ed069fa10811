// Two recipes compete; the split is the handbook's own.
import { boostedTrees, logisticRegression, model, timeSplit } from 'assay'
import { behaviour, handbook } from './features.ts'
import { fraud } from './sources.ts'

export const logistic = model('logistic-regression', {
  description: 'Logistic regression on the fifteen features of the handbook: the line to beat.',
  features: [handbook],
  label: fraud,
  learner: logisticRegression({ c: 1 }),
})

/** Features and parameters were chosen on the same split 14 days earlier, never on the one below. */
export const trees = model('boosted-trees', {
  description: 'Gradient-boosted trees on the handbook’s features and on those of card behaviour.',
  features: [handbook, behaviour],
  label: fraud,
  learner: boostedTrees({
    trees: 200,
    depth: 4,
    learningRate: 0.04,
    l2: 3,
    minChildWeight: 1,
    rowSample: 0.7,
    columnSample: 0.6,
  }),
})

/** One week to train on, a week until its labels are known, one week to test on. */
export const split = timeSplit({
  train: ['2018-07-25', '2018-07-31'],
  delay: '7d',
  test: ['2018-08-08', '2018-08-14'],
  dropKnown: 'customer_id',
})
