/** Calibrated models: what they are declared with, and what is kept of them. */
import type { LearnerSpec, ModelHead, TrainedModel } from '../model.ts'
import type { Calibration, CalibrationKind } from './calibration.ts'

export type CalibratedSpec = {
  readonly kind: 'calibrated'
  readonly params: CalibratedParams
}

export type CalibratedParams = {
  readonly method: CalibrationKind
  /** The calibration is learnt from the margins of rows that a fold's model has not seen. */
  readonly folds: number
  /** Binary; of several classes only with the method 'temperature'. */
  readonly learner: LearnerSpec
}

/** Its margins and explanations are those of the inner model; only its outputs are calibrated. */
export type CalibratedModel = ModelHead & {
  readonly kind: 'calibrated'
  readonly model: TrainedModel
  readonly calibration: Calibration
}
