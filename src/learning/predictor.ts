/** Scoring with a trained model. */
import { fail } from './errors.ts'
import { type Estimator, estimators } from './estimator.ts'
import { type LearnerSpec, MODEL_FORMAT, type Predictor, type TrainedModel } from './model.ts'

/**
 * Makes a model ready for scoring. The model may come from a file: everything that scoring relies
 * on is checked here, and `model_invalid` says what is wrong.
 */
export function predictor(model: TrainedModel): Predictor {
  if (model?.format !== MODEL_FORMAT) {
    throw fail.model_invalid(`The model's format is "${String(model?.format)}".`)
  }
  const estimator = estimators[model.kind] as Estimator<LearnerSpec['kind']> | undefined
  if (estimator === undefined) {
    throw fail.model_invalid(
      `The model's kind "${String((model as { kind: unknown }).kind)}" is not known.`,
    )
  }
  const named = Array.isArray(model.features) && model.features.length > 0
  if (!named || model.features.some((name) => typeof name !== 'string')) {
    throw fail.model_invalid('The model does not list its features.')
  }
  return estimator.predictor(model)
}
