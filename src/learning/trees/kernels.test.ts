import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, type Random } from '../../lib/random.ts'
import { boostedTrees } from '../learners.ts'
import type { CheckedData } from '../model.ts'
import { compiledKernels } from './compiled-kernels.ts'
import {
  FEATURE_SLOTS,
  FOUND_LENGTH,
  type Kernels,
  KIND,
  NODE,
  NODE_LENGTH,
  TERM,
  TERMS_LENGTH,
} from './kernels.ts'
import { plainKernels } from './plain-kernels.ts'
import type { BoostedTreesParams, ObjectiveName } from './model.ts'
import { OBJECTIVES } from './objective.ts'
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

function drawLimits(kernels: Kernels, random: Random, drawn: ReturnType<typeof drawNode>) {
  const { features, derivatives, count } = drawn
  const kinds = kernels.bytes(features)
  const allowed = kernels.bytes(features)
  const bounded = random.int(2)
  for (let feature = 0; feature < features; feature++) {
    kinds[feature] = bounded === 1 ? random.int(4) : KIND.category * random.int(2)
    allowed[feature] = random.int(4) === 0 ? 0 : 1
  }
  const terms = kernels.numbers(TERMS_LENGTH)
  terms[TERM.l1] = random.int(2) * random.next()
  terms[TERM.l2] = random.int(2) * random.next()
  terms[TERM.gamma] = random.int(2) * random.next() * 0.1
  terms[TERM.hessian] = random.int(2) * random.next()
  terms[TERM.rows] = 1 + random.int(20)
  terms[TERM.bounded] = bounded
  terms[TERM.oneHot] = 4
  terms[TERM.smooth] = random.int(2) * random.next() * 3
  terms[TERM.categoryL2] = random.int(2) * random.next()
  terms[TERM.most] = 1 + random.int(40)
  terms[TERM.groupRows] = random.int(2) * random.int(20)
  const node = kernels.numbers(NODE_LENGTH)
  for (let row = 0; row < count; row++) {
    node[NODE.gradient] += derivatives[2 * row]
    node[NODE.hessian] += derivatives[2 * row + 1]
  }
  node[NODE.worth] = 0.01
  node[NODE.lower] = random.int(2) === 0 ? -Infinity : -random.next()
  node[NODE.upper] = random.int(2) === 0 ? Infinity : random.next()
  node[NODE.rows] = count
  const masked = random.int(2) === 0 ? {} : { allowed }
  return { node, limits: { kinds, terms, ...masked } }
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

  test('in the best split under limits, of categories too', () => {
    expectSame((kernels, random) => {
      const drawn = drawNode(kernels, random)
      const { features, stride, byRow, derivatives, rows, count, some } = drawn
      const histogram = kernels.numbers(features * FEATURE_SLOTS)
      kernels.addToHistogram(histogram, byRow, stride, features, rows, 0, count, derivatives)
      const counts = kernels.wholes(features * 256)
      const fewer = kernels.wholes(features * 256)
      kernels.countBins(counts, byRow, stride, some, rows, 0, count)
      kernels.countBins(fewer, byRow, stride, some, rows, 0, count >> 2)
      kernels.subtractCounts(counts, fewer, some)
      kernels.countBins(counts, byRow, stride, some, rows, 0, count >> 2)
      const { node, limits } = drawLimits(kernels, random, drawn)
      const found = kernels.numbers(FOUND_LENGTH)
      const { missing, hasMissing } = drawn
      const own = random.int(2) === 0 ? limits : { ...limits, counts }
      kernels.findSplitWithin(found, histogram, some, missing, hasMissing, node, own)
      const set = found[2] < 0 ? found.subarray(6, 14) : []
      return found[1] < 0 ? [-1] : [...counts, ...found.subarray(0, 6), ...set]
    })
  })

  test('in the best split, where limits forbid nothing, with and without them', () => {
    expectSame((kernels, random) => {
      const drawn = drawNode(kernels, random)
      const { features, stride, byRow, derivatives, rows, count, some } = drawn
      const { missing, hasMissing } = drawn
      const histogram = kernels.numbers(features * FEATURE_SLOTS)
      kernels.addToHistogram(histogram, byRow, stride, features, rows, 0, count, derivatives)
      const { node, limits } = drawLimits(kernels, random, drawn)
      const { terms } = limits
      terms[TERM.bounded] = 0
      const open = { kinds: kernels.bytes(features), terms }
      const found = [0, 1].map(() => kernels.numbers(FOUND_LENGTH))
      const penalties = {
        l1: terms[TERM.l1],
        l2: terms[TERM.l2],
        gamma: terms[TERM.gamma],
        minChildWeight: terms[TERM.hessian],
      }
      const lists = [some, missing, hasMissing] as const
      kernels.findSplitWithin(found[0], histogram, ...lists, node, open)
      const sums = [node[NODE.gradient], node[NODE.hessian], node[NODE.worth]] as const
      kernels.findSplit(found[1], histogram, ...lists, ...sums, penalties)
      expect(found[0][1]).toBe(found[1][1])
      if (found[0][1] >= 0) expect(found[0].subarray(0, 6)).toEqual(found[1].subarray(0, 6))
      return found[0].subarray(0, 2)
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
      const leaves = kernels.numbers(6)
      leaves.set([0, middle, random.normal(0, 1), middle, count, random.normal(0, 1)])
      kernels.addLeaves(margins, rows, leaves)
      const table = kernels.bytes(256)
      for (let bin = 0; bin < 6; bin++) table[bin] = random.int(2)
      const border = kernels.partitionSet(rows, 0, count, column, table, scratch)
      return [middle, border, ...rows, ...margins]
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

  test('in shares of several outputs', () => {
    expectSame((kernels, random) => {
      const rows = 1 + random.int(9)
      const outputs = 2 + random.int(4)
      const [margins, shares] = [0, 1].map(() => kernels.numbers(rows * outputs))
      const scale = [1, 30, 1000][random.int(3)]
      for (let at = 0; at < margins.length; at++) margins[at] = random.normal(0, scale)
      kernels.softmax(shares, margins, rows)
      return shares
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
      const [own] = kernels.sortColumns([values], [kernels.numbers(count)])
      const sorted = [...own].map((v) => v + 0)
      const cuts = kernels.numbers(255).fill(Infinity)
      const some = [...new Set(sorted)].slice(0, random.int(255))
      cuts.set(some)
      const again = kernels.numbers(count)
      for (let row = 0; row < count; row++) again[row] = random.int(9) === 0 ? NaN : sorted[row]
      const bins = kernels.bytes(count * 3)
      kernels.binColumns([bins.subarray(count, 2 * count)], [again], [cuts], [some.length + 1])
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
    objective: fc.constantFrom(...OBJECTIVES),
  })
  const limited = fc.constantFrom<Partial<BoostedTreesParams>>(
    {},
    {},
    { minChildRows: 15 },
    { monotone: { f0: 1, f3: -1 } },
    {
      interactions: [
        ['f0', 'f1'],
        ['f2', 'f3', 'f4'],
      ],
      nodeColumnSample: 0.7,
    },
    { maxDeltaStep: 0.2, minChildRows: 5 },
  )
  fc.assert(
    fc.property(fc.integer(), declared, limited, fc.boolean(), (seed, params, limits, codes) => {
      const own = params.objective === 'quantile' ? {} : limits
      const data = dataFor(params.objective, drawData(seed, 400, 11), codes)
      const spec = boostedTrees({ trees: 4, ...params, ...own })
      const learn = (kernels?: Kernels) => fitBoostedTrees(spec, data, { seed }, kernels)
      expect(learn(compiledKernels())).toEqual(learn(plainKernels()))
    }),
    { numRuns: 100 },
  )
})

describe('the model is the same however many threads learnt it', () => {
  const deep = { trees: 60, depth: 6, minChildWeight: 0 }
  const cases: Record<string, [CheckedData, Partial<BoostedTreesParams>]> = {
    'of small nodes': [drawData(1, 4000, 30), deep],
    'of some features a tree': [drawData(1, 4000, 30), { ...deep, columnSample: 0.6 }],
    'under limits and of categories': [
      dataFor('logistic', drawData(1, 4000, 30), true),
      { ...deep, minChildRows: 9, monotone: { f0: 1 } },
    ],
    'of many rows': [drawData(2, 40_001, 13), { trees: 25 }],
    'of many rows with categories': [
      dataFor('logistic', drawData(3, 30_000, 11), true),
      { trees: 20, rowSample: 0.9 },
    ],
  }
  test.each(Object.entries(cases))('%s', (_, [data, declared]) => {
    const learn = (threads: number) =>
      fitBoostedTrees(boostedTrees(declared), data, { seed: 1, threads }, compiledKernels())
    // Long enough for the helpers to have begun.
    expect(learn(3)).toEqual(learn(1))
  })
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

/** The same rows with labels for an objective, and two features of categories where asked. */
function dataFor(objective: ObjectiveName, data: CheckedData, codes: boolean): CheckedData {
  const { x } = data
  const few = x.columns[1].map((value) => Math.abs(Math.round(value)))
  const many = x.columns[10].map((value) => Math.abs(Math.round(value * 30)))
  const columns = x.columns.map((own, feature) =>
    feature === 1 ? few : feature === 10 ? many : own,
  )
  const parted = codes ? { x: { ...x, columns }, categorical: ['f1', 'f10'] } : {}
  const sum = x.columns[0].map((value, row) => value + x.columns[2][row])
  const y = {
    logistic: data.y,
    softmax: sum.map((value) => (value > 1 ? 2 : value > 0 ? 1 : 0)),
    squared: sum,
    poisson: sum.map((value) => Math.max(0, Math.round(value))),
    quantile: sum,
  }[objective]
  return { ...data, ...parted, y, classes: ['a', 'b', 'c'] }
}
