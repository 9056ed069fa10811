import { predictor, type Predictor, type TrainedModel } from '../learning/index.ts'
import { parseStrictJson } from '../lib/canonical-json.ts'

/** A model of a few thousand trees stays well below this. */
const modelBytesMax = 256 * 1024 * 1024

/**
 * Makes a registered model ready to score: its JSON is data, read strictly and checked, never code.
 * Fails with `json_invalid` and its kin, or with `model_invalid`.
 */
export function loadPredictor(modelJson: string | Uint8Array): Predictor {
  return predictor(parseStrictJson(modelJson, { maxBytes: modelBytesMax }) as TrainedModel)
}
