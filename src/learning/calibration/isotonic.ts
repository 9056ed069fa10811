/** Isotonic regression: the non-decreasing curve nearest to the labels. */

/** A curve through these points, straight between them and level outside. */
export type IsotonicCurve = {
  /** Ascending, no two alike. */
  readonly inputs: readonly number[]
  /** Non-decreasing. */
  readonly outputs: readonly number[]
}

/**
 * Minimises Σ wᵢ·(f(xᵢ) − yᵢ)² over non-decreasing f by pooling adjacent violators (Ayer et al.
 * 1955). Rows of one score share one value, the mean of their labels.
 */
export function fitIsotonic(
  scores: Float64Array,
  y: Float64Array,
  weights?: Float64Array,
): IsotonicCurve {
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b])
  const blocks: Block[] = []
  for (let at = 0; at < order.length; at++) {
    const row = order[at]
    const weight = weights?.[row] ?? 1
    const score = scores[row]
    const last = blocks.at(-1)
    // −0 and 0 are one score.
    if (last !== undefined && last.to === score && last.from === score) merge(last, y[row], weight)
    else blocks.push({ from: score, to: score, mean: y[row], weight })
    const next = at + 1 < order.length ? scores[order[at + 1]] : NaN
    // A score is complete before it is pooled with lower ones.
    if (next !== score) pool(blocks)
  }
  return curveOf(blocks)
}

/** The curve at a score; out of range it stays level. */
export function applyIsotonic({ inputs, outputs }: IsotonicCurve, score: number): number {
  const last = inputs.length - 1
  if (score !== score) return NaN
  if (score <= inputs[0]) return outputs[0]
  if (score >= inputs[last]) return outputs[last]
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (inputs[middle] <= score) low = middle
    else high = middle
  }
  const step = outputs[high] - outputs[low]
  const share = (score - inputs[low]) / (inputs[high] - inputs[low])
  return Math.min(outputs[low] + share * step, outputs[high])
}

type Block = { from: number; to: number; mean: number; weight: number }

function merge(block: Block, mean: number, weight: number): void {
  block.weight += weight
  block.mean += ((mean - block.mean) * weight) / block.weight
}

/** While the last block lies below the one before it, both become one. */
function pool(blocks: Block[]): void {
  for (;;) {
    const last = blocks.at(-1)
    const before = blocks.at(-2)
    if (last === undefined || before === undefined || before.mean < last.mean) return
    merge(before, last.mean, last.weight)
    before.to = last.to
    blocks.pop()
  }
}

function curveOf(blocks: readonly Block[]): IsotonicCurve {
  const inputs: number[] = []
  const outputs: number[] = []
  for (const { from, to, mean } of blocks) {
    for (const input of from === to ? [from] : [from, to]) {
      inputs.push(input + 0)
      outputs.push(mean + 0)
    }
  }
  return { inputs, outputs }
}
