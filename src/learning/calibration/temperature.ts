/** Temperature scaling: all margins divided by one number. */
import { type Loss, logisticLoss, softmaxLoss } from '../linear/loss.ts'

/** Temperatures lie between 1/1024 and 1024. */
const BOUND = 1024

/**
 * The temperature T of least log loss of margins/T (Guo et al., "On calibration of modern neural
 * networks", 2017). The loss is convex in 1/T: where its derivative changes sign is bisected.
 * `margins` holds `outputs` numbers a row, row after row; one output is the log-odds of the label 1.
 */
export function fitTemperature(
  margins: Float64Array,
  outputs: number,
  y: Float64Array,
  weights?: Float64Array,
): number {
  const loss: Loss = outputs === 1 ? logisticLoss : softmaxLoss
  const scaled = new Float64Array(outputs)
  const slopes = new Float64Array(outputs)

  function rises(factor: number): boolean {
    let slope = 0
    for (let i = 0; i < y.length; i++) {
      for (let k = 0; k < outputs; k++) scaled[k] = factor * margins[i * outputs + k]
      loss.at(scaled, y[i], slopes)
      let own = 0
      for (let k = 0; k < outputs; k++) own += slopes[k] * margins[i * outputs + k]
      slope += (weights?.[i] ?? 1) * own
    }
    return slope > 0
  }

  let low = 1 / BOUND
  let high = BOUND
  if (rises(low)) return BOUND
  if (!rises(high)) return 1 / BOUND
  for (;;) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) return 1 / middle
    if (rises(middle)) high = middle
    else low = middle
  }
}
