import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, type Random } from '../../lib/random.ts'
import { boostedTrees } from '../learners.ts'
import type { CheckedData } from '../model.ts'
import { compiledKernels } from './compiled-kernels.ts'
import { FEATURE_SLOTS, FOUND_LENGTH, type Kernels } from './kernels.ts'
import { plainKernels } from './plain-kernels.ts'
import { fitBoostedTrees } from './boosting.ts'

/** Runs the same task on both and expects the same bits; `prepare` has built the compiled ones. */
function expectSame(task: (kernels: Kernels, random: Random) => Iterable<number>): void {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const compiled = compiledKernels()
      if (compiled === undefined)
        throw new Error('the kernels are not built: run `npm run prepare`')
      const expected = [...task(plainKernels(), createRandom(seed))]
      expect([...task(compiled, createRandom(seed))]).toEqual(expected)
    }),
    { numRuns: 60 },
  )
}

const QUANTUM = 2 ** -30

/** A node's worth of everything: bins of features of many and few values, derivatives, rows. */
function drawNode(kernels: Kernels, random: Random) {
  const count = 1 + random.int(300)
  const features = 1 + random.int(21)
  const stride = Math.ceil(features / 8) * 8
  const missing = kernels.wholes(features)
  const hasMissing = kernels.bytes(features)
  const byRow = kernels.bytes(count * stride)
  for (let feature = 0; feature < features; feature++) {
    missing[feature] = [2, 5, 255][random.int(3)]
    hasMissing[feature] = random.int(2)
    for (let row = 0; row < count; row++) {
      byRow[row * stride + feature] = random.int(missing[feature] + hasMissing[feature])
    }
  }
  const derivatives = kernels.numbers(2 * count)
  for (let row = 0; row < count; row++) {
    derivatives[2 * row] = QUANTUM * (random.int(2 ** 31) - 2 ** 30)
    derivatives[2 * row + 1] = QUANTUM * (1 + random.int(2 ** 28))
  }
  const rows = kernels.wholes(count)
  for (let row = 0; row < count; row++) rows[row] = row
  random.shuffle(rows)
  const some = kernels.wholes(1 + random.int(features))
  for (let k = 0; k < some.length; k++) some[k] = k + features - some.length
  return { count, features, stride, missing, hasMissing, byRow, derivatives, rows, some }
}

describe('compiled kernels agree with the plain ones to the last bit', () => {
  test('in sums by bin and their differences', () => {
    expectSame((kernels, random) => {
      const node = drawNode(kernels, random)
      const { features, stride, byRow, derivatives, rows, count, some, missing } = node
      const all = kernels.numbers(features * FEATURE_SLOTS)
      kernels.addToHistogram(all, byRow, stride, features, rows, 0, count, derivatives)
      const few = kernels.numbers(features * FEATURE_SLOTS)
      const half = count >> 1
      kernels.addSomeToHistogram(few, byRow, stride, some, rows, half, count, derivatives)
      kernels.subtractHistogram(all, few, some, missing)
      return [...all, ...few]
    })
  })

  test('in the best split', () => {
    expectSame((kernels, random) => {
      const node = drawNode(kernels, random)
      const { features, stride, byRow, derivatives, rows, count, some } = node
      const histogram = kernels.numbers(features * FEATURE_SLOTS)
      kernels.addToHistogram(histogram, byRow, stride, features, rows, 0, count, derivatives)
      const found = kernels.numbers(FOUND_LENGTH)
      let gradient = 0
      let hessian = 0
      for (let row = 0; row < count; row++) {
        gradient += derivatives[2 * row]
        hessian += derivatives[2 * row + 1]
      }
      const penalties = {
        l1: random.int(2) * random.next(),
        l2: random.int(2) * random.next(),
        gamma: random.int(2) * random.next(),
        minChildWeight: random.int(2) * random.next(),
      }
      const { missing, hasMissing } = node
      kernels.findSplit(
        found,
        histogram,
        some,
        missing,
        hasMissing,
        gradient,
        hessian,
        0.5,
        penalties,
      )
      return found[1] < 0 ? [-1] : found
    })
  })

  test('in parting rows and adding to them', () => {
    expectSame((kernels, random) => {
      const { rows, count } = drawNode(kernels, random)
      const column = kernels.bytes(count)
      for (let row = 0; row < count; row++) column[row] = random.int(6)
      const scratch = kernels.wholes(count)
      const from = random.int(count)
      const middle = kernels.partition(rows, from, count, column, 2, random.int(6), scratch)
      const margins = kernels.numbers(count)
      kernels.addToRows(margins, rows, from, middle, random.normal(0, 1))
      return [middle, ...rows, ...margins]
    })
  })

  test('in derivatives, of hopeless margins too', () => {
    expectSame((kernels, random) => {
      const count = 1 + random.int(50)
      const [margins, labels, weights] = [0, 1, 2].map(() => kernels.numbers(count))
      const scale = [1, 30, 1000][random.int(3)]
      for (let row = 0; row < count; row++) {
        margins[row] = random.normal(0, scale)
        labels[row] = random.int(2)
        weights[row] = random.uniform(0.1, 5)
      }
      const derivatives = kernels.numbers(2 * count)
      kernels.differentiate(derivatives, margins, labels, weights, QUANTUM)
      return derivatives
    })
  })

  test('in sorting and binning, of missing, subnormal, negative and huge values too', () => {
    const odd = [0, -0, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 1, -1]
    expectSame((kernels, random) => {
      const count = random.int(200)
      const values = kernels.numbers(count)
      for (let row = 0; row < count; row++) {
        values[row] = random.int(3) === 0 ? odd[random.int(8)] : random.normal(0, 1e3)
      }
      const sorted = [...kernels.sortValues(values, kernels.numbers(count))].map((v) => v + 0)
      const cuts = kernels.numbers(255).fill(Infinity)
      const own = [...new Set(sorted)].slice(0, random.int(255))
      cuts.set(own)
      const again = kernels.numbers(count)
      for (let row = 0; row < count; row++) again[row] = random.int(9) === 0 ? NaN : sorted[row]
      const bins = kernels.bytes(count * 3)
      kernels.binColumn(bins.subarray(count, 2 * count), again, cuts, own.length + 1)
      const byRow = kernels.bytes(count * 8)
      if (count > 0) kernels.transposeBins(byRow, bins, count, 8)
      return [...sorted, ...bins, ...byRow]
    })
  })
})

test('the model is the same whichever kernels learnt it', () => {
  const declared = fc.record({
    growth: fc.constantFrom('leaf-wise', 'depth-wise'),
    depth: fc.constantFrom(2, 5),
    leaves: fc.constantFrom(7, 32),
    l1: fc.constantFrom(0, 0.3),
    l2: fc.constantFrom(0, 1),
    gamma: fc.constantFrom(0, 0.1),
    minChildWeight: fc.constantFrom(0, 2),
    rowSample: fc.constantFrom(0.5, 1),
    columnSample: fc.constantFrom(0.5, 1),
    bins: fc.constantFrom(4, 255),
    positiveWeight: fc.constantFrom(1, 3.5),
  })
  fc.assert(
    fc.property(fc.integer(), declared, (seed, params) => {
      const data = drawData(seed, 400, 11)
      const spec = boostedTrees({ trees: 4, ...params })
      const learn = (kernels?: Kernels) => fitBoostedTrees(spec, data, { seed }, kernels)
      expect(learn(compiledKernels())).toEqual(learn(plainKernels()))
    }),
    { numRuns: 40 },
  )
})

test('the model is the same however many threads learnt it', () => {
  const data = drawData(1, 4000, 30)
  const declared = { trees: 60, depth: 6, minChildWeight: 0 }
  for (const spec of [boostedTrees(declared), boostedTrees({ ...declared, columnSample: 0.6 })]) {
    const learn = (threads: number) =>
      fitBoostedTrees(spec, data, { seed: 1, threads }, compiledKernels())
    // Long enough for the helpers to have begun.
    expect(learn(3)).toEqual(learn(1))
  }
})

function drawData(seed: number, rows: number, features: number): CheckedData {
  const random = createRandom(seed)
  const columns = Array.from({ length: features }, (_, feature) =>
    Float64Array.from({ length: rows }, () =>
      feature > 6 && random.next() < 0.2 ? Number.NaN : random.normal(0, feature + 1),
    ),
  )
  const x = { names: columns.map((_, feature) => `f${feature}`), rows, columns }
  const y = Float64Array.from(columns[0], (value) => (value + random.normal(0, 1) > 0 ? 1 : 0))
  return { x, y, weights: Float64Array.from(y, () => random.uniform(0.5, 2)) }
}
