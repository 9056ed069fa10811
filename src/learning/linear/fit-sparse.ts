/** Learning from sparse rows. */
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'
import { checkLabels, checkWeights } from '../fit.ts'
import type { FitOptions } from '../model.ts'
import { fitLinearRegression } from './linear-regression.ts'
import { fitLogisticRegression } from './logistic-regression.ts'
import type {
  LinearRegressionModel,
  LinearRegressionSpec,
  LogisticRegressionModel,
  LogisticRegressionSpec,
  MultinomialRegressionModel,
  MultinomialRegressionSpec,
} from './model.ts'
import { fitMultinomialRegression } from './multinomial-regression.ts'
import { checkSparse, type SparseMatrix } from './sparse.ts'

/** As `TrainingData`, in a sparse matrix. */
export type SparseTrainingData = {
  readonly x: SparseMatrix
  readonly y: Float64Array
  readonly classes?: readonly string[]
  readonly weights?: Float64Array
}

type SparseSpec = LogisticRegressionSpec | MultinomialRegressionSpec | LinearRegressionSpec
type SparseModel = LogisticRegressionModel | MultinomialRegressionModel | LinearRegressionModel

/**
 * Trains a linear model from sparse rows: the model that `fit` would learn from the same rows in a
 * dense matrix, to within the solver's tolerance, and of the same kind. It scores dense rows, such
 * as `readSparseRow` gives. Throws what `fit` throws, and `training_data_invalid` for a matrix
 * that breaks its layout.
 */
export function fitSparse(
  spec: SparseSpec,
  data: SparseTrainingData,
  options: FitOptions,
): SparseModel {
  const { x, y, classes, weights } = data
  checkSparse(x)
  if (weights !== undefined) checkWeights(weights, x.rows)
  switch (spec.kind) {
    case 'logistic-regression':
      checkLabels('binary', y, { classes }, 'training', x.rows)
      return fitLogisticRegression(spec, data, options)
    case 'multinomial-regression':
      checkLabels('multiclass', y, { classes }, 'training', x.rows)
      return fitMultinomialRegression(spec, data, options)
    case 'linear-regression':
      checkLabels('regression', y, { classes }, 'training', x.rows)
      return fitLinearRegression(spec, data, options)
    default:
      throw fail.learner_invalid(
        `The learner "${shown((spec as { kind: unknown }).kind)}" takes no sparse rows.`,
      )
  }
}
