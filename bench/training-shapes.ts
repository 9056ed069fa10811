// The tables that training is measured on. Each is drawn from a seed, so that a name stands for the
// same numbers everywhere.
import { exp } from '../src/lib/math.ts'
import { createRandom } from '../src/lib/random.ts'

export interface Shape {
  readonly rows: number
  readonly testRows: number
  readonly features: number
  /** Share of positives that the margins are shifted to, roughly. */
  readonly offset: number
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
} as const satisfies Record<string, Shape>

export type ShapeName = keyof typeof shapes

/**
 * Of every ten features seven are continuous (normal, log-normal, uniform), one is a small whole
 * number, one is a flag, one is continuous and lacks a tenth of its values. The label's margin has
 * linear, threshold and pairwise parts over the first ten features, and noise.
 */
export function drawTable(name: ShapeName, part: 'train' | 'test'): Table {
  const shape = shapes[name]
  const { features } = shape
  const rows = part === 'train' ? shape.rows : shape.testRows
  const random = createRandom(`training ${name}`).fork(part)
  const values = new Float32Array(rows * features)
  const labels = new Float32Array(rows)
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
