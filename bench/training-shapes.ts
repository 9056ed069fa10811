// The tables that training is measured on. Each is drawn from a seed, so that a name stands for the
// same numbers everywhere.
import { exp } from '../src/lib/math.ts'
import { createRandom } from '../src/lib/random.ts'

export interface Shape {
  readonly rows: number
  readonly testRows: number
  readonly features: number
  /** What the margins are shifted by. */
  readonly offset: number
  /** How many categories each feature has, where all features hold codes of such. */
  readonly codes?: readonly number[]
}

/** Raw values row after row, as a person has them before any library takes them. */
export interface Table {
  readonly rows: number
  readonly features: number
  readonly values: Float32Array
  /** 0 or 1 a row. */
  readonly labels: Float32Array
}

export const shapes = {
  /** The measure of issue and documents: 200,000 rows of 30 features. */
  'mixed-30': { rows: 200_000, testRows: 50_000, features: 30, offset: 0 },
  wide: { rows: 20_000, testRows: 20_000, features: 2_000, offset: 0 },
  tall: { rows: 2_000_000, testRows: 50_000, features: 30, offset: 0 },
  rare: { rows: 200_000, testRows: 200_000, features: 30, offset: -7.5 },
  /** Categories of which few are frequent; each has an effect of its own. */
  codes: {
    rows: 500_000,
    testRows: 100_000,
    features: 10,
    offset: -1.5,
    codes: [4, 12, 30, 80, 200, 250, 600, 1500, 4000, 10_000],
  },
} as const satisfies Record<string, Shape>

export type ShapeName = keyof typeof shapes

/**
 * Of every ten features seven are continuous (normal, log-normal, uniform), one is a small whole
 * number, one is a flag, one is continuous and lacks a tenth of its values. The label's margin has
 * linear, threshold and pairwise parts over the first ten features, and noise.
 */
export function drawTable(name: ShapeName, part: 'train' | 'test'): Table {
  const shape: Shape = shapes[name]
  const { features } = shape
  const rows = part === 'train' ? shape.rows : shape.testRows
  const random = createRandom(`training ${name}`).fork(part)
  const values = new Float32Array(rows * features)
  const labels = new Float32Array(rows)
  if (shape.codes !== undefined) return drawCodes(shape.codes, shape.offset, random, values, labels)
  for (let row = 0; row < rows; row++) {
    const at = row * features
    for (let feature = 0; feature < features; feature++) {
      values[at + feature] = drawValue(feature % 10, random)
    }
    const p = 1 / (1 + exp(-(marginOf(values, at) + shape.offset)))
    labels[row] = random.next() < p ? 1 : 0
  }
  return { rows, features, values, labels }
}

/**
 * The k-th of n categories is drawn as if a uniform number to the third power fell into the k-th of n
 * equal parts. Effects are normal; those of two features also act together.
 */
function drawCodes(
  codes: readonly number[],
  offset: number,
  random: ReturnType<typeof createRandom>,
  values: Float32Array,
  labels: Float32Array,
): Table {
  const effects = codes.map((count, feature) => {
    const own = createRandom(`effects of ${feature}`)
    return Float64Array.from({ length: count }, () => own.normal(0, 0.5))
  })
  const features = codes.length
  for (let row = 0; row < labels.length; row++) {
    let margin = offset
    for (let feature = 0; feature < features; feature++) {
      const code = Math.floor(codes[feature] * random.next() ** 3)
      values[row * features + feature] = code
      margin += effects[feature][code]
    }
    const [a, b] = [values[row * features + 1], values[row * features + 6]]
    margin += 2 * effects[1][a] * effects[6][b]
    labels[row] = random.next() < 1 / (1 + exp(-margin)) ? 1 : 0
  }
  return { rows: labels.length, features, values, labels }
}

function drawValue(kind: number, random: ReturnType<typeof createRandom>): number {
  if (kind < 4) return random.normal(0, 1)
  if (kind < 6) return exp(random.normal(0, 1))
  if (kind === 6) return random.uniform(0, 10)
  if (kind === 7) return random.int(12)
  if (kind === 8) return random.int(2)
  return random.next() < 0.1 ? Number.NaN : random.normal(0, 2)
}

function marginOf(values: Float32Array, at: number): number {
  const [a, b, c, d, e, f, g, h, i, j] = values.subarray(at, at + 10)
  const lacking = j !== j
  return (
    0.8 * a +
    0.6 * b * c +
    (d > 0.5 ? 0.9 : -0.4) +
    0.3 * Math.min(e, 4) -
    0.2 * Math.abs(g - 5) +
    (h >= 7 && i === 1 ? 0.8 : 0) +
    (lacking ? 0.7 : 0.25 * j) * (f > 1 ? 1 : -1)
  )
}
