import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { dataOf } from '../estimator.cases.ts'
import { fit } from '../fit.ts'
import { linearRegression, logisticRegression, multinomialRegression } from '../learners.ts'
import type { LearnerSpec, TrainingData } from '../model.ts'
import { denseDesign } from './design.ts'
import { logisticLoss, type Problem, smoothObjective, softmaxLoss, squaredLoss } from './loss.ts'
import { solveLeastSquares } from './least-squares.ts'
import { minimiseByNewton, penalties } from './newton.ts'
import { leastSubgradient, minimiseWithL1 } from './owlqn.ts'
import { createRest } from './saga.ts'
import { factorise, invertFactorised, solveFactorised } from './symmetric.ts'

/** Correlated features, a rare one, missing values and weights. */
function data(task: 'binary' | 'multiclass' | 'regression', rows = 300): TrainingData {
  const random = createRandom(7)
  const table = Array.from({ length: rows }, () => {
    const a = random.normal(10, 2)
    const b = a + random.normal(0, 1)
    const rare = random.next() < 0.03 ? 1 : 0
    return [a, b, rare, random.next() < 0.1 ? NaN : random.normal(0, 1), random.int(2), 0]
  })
  const margins = table.map(([a, b, rare, , e]) => a - 10 + 0.2 * b - 2 + rare + e)
  const noisy = margins.map((margin) => margin + random.normal(0, 1.5))
  const y = Float64Array.from(noisy, (value) => {
    if (task === 'regression') return 40 + 7 * value
    return task === 'binary' ? Number(value > 0) : value < -1 ? 0 : value < 1 ? 1 : 2
  })
  const weights = y.map(() => random.uniform(0.3, 3))
  const x = fromRows(['a', 'b', 'rare', 'gaps', 'e', 'zero'], table)
  return { x, y, weights, ...(task === 'multiclass' && { classes: ['p', 'q', 'r'] }) }
}

function numbersOf(spec: LearnerSpec, rows: TrainingData): number[] {
  const model = fit(spec, rows, { seed: 3 })
  if (model.kind === 'multinomial-regression')
    return [...model.intercepts, ...model.coefficients.flat()]
  if (model.kind !== 'logistic-regression' && model.kind !== 'linear-regression') return []
  return [model.intercept, ...model.coefficients]
}

function expectSame(ours: ArrayLike<number>, theirs: ArrayLike<number>, within: number): void {
  const far = Array.from(ours, (value, i) => Math.abs(value - theirs[i]))
  expect(ours.length).toBe(theirs.length)
  expect(Math.max(...far)).toBeLessThan(within)
}

describe('SAGA', () => {
  const exact = { solver: 'saga', tolerance: 1e-11, maxIterations: 5000 } as const
  const cases: [string, LearnerSpec, LearnerSpec, TrainingData][] = [
    ['ridge', logisticRegression(), logisticRegression(exact), data('binary')],
    [
      'elastic net',
      logisticRegression({ c: 0.3, l1Ratio: 0.6 }),
      logisticRegression({ c: 0.3, l1Ratio: 0.6, ...exact }),
      data('binary'),
    ],
    [
      'lasso',
      logisticRegression({ c: 0.1, l1Ratio: 1 }),
      logisticRegression({ c: 0.1, l1Ratio: 1, ...exact }),
      data('binary'),
    ],
    [
      'several classes',
      multinomialRegression({ c: 0.5, l1Ratio: 0.3 }),
      multinomialRegression({ c: 0.5, l1Ratio: 0.3, ...exact }),
      data('multiclass'),
    ],
    [
      'squared loss',
      linearRegression({ l1: 0.2, l2: 0.1 }),
      linearRegression({ l1: 0.2, l2: 0.1, ...exact }),
      data('regression'),
    ],
    [
      "Huber's loss",
      linearRegression({ loss: 'huber', huberWidth: 5, l2: 0.1 }),
      linearRegression({ loss: 'huber', huberWidth: 5, l2: 0.1, ...exact }),
      data('regression'),
    ],
  ]
  test.each(cases)('finds the minimum that the dense solver finds: %s', (_, dense, saga, rows) => {
    expectSame(numbersOf(saga, rows), numbersOf(dense, rows), 1e-6)
  })

  test('makes the steps that no row touched at once as it would one by one', () => {
    const number = (most: number) => fc.double({ min: -most, max: most, noNaN: true })
    const share = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true }))
    fc.assert(
      fc.property(number(3), number(2), share, share, fc.nat(300), (x, slope, l1, l2, steps) => {
        const step = 0.02
        const rest = createRest(step, l1, l2, 300)
        let slow = x
        for (let n = 0; n < steps; n++) {
          const moved = slow - step * slope
          const left = Math.max(0, Math.abs(moved) - step * l1)
          slow = (Math.sign(moved) * left) / (1 + step * l2)
        }
        expect(Math.abs(rest(x, slope, steps) - slow)).toBeLessThan(1e-10)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('an L1 penalty', () => {
  const weights = new Float64Array(300).fill(1)
  const [binary, classes] = [data('binary'), data('multiclass')]
  const shared = { weights, l1: 0.02, l2: 0.01 }
  const problems: [string, Problem][] = [
    [
      'logistic loss',
      {
        ...shared,
        design: denseDesign(binary.x),
        loss: logisticLoss,
        outputs: 1,
        y: binary.y ?? weights,
      },
    ],
    [
      'softmax',
      {
        ...shared,
        design: denseDesign(classes.x),
        loss: softmaxLoss,
        outputs: 3,
        y: classes.y ?? weights,
      },
    ],
  ]
  const limits = { tolerance: 1e-10, maxIterations: 2000 }

  test.each(problems)('gives the same minimum by both solvers, no slope left: %s', (_, problem) => {
    const l1 = penalties(problem)
    const objective = smoothObjective(problem)
    const start = new Float64Array(l1.length)
    const newton = minimiseByNewton(problem, start, limits).point
    const orthants = minimiseWithL1(objective, l1, start, limits).point
    // Of several intercepts only the differences matter.
    expectSame(centred(newton, problem), centred(orthants, problem), 1e-7)
    expect(newton.map((x) => Number(x === 0))).toEqual(orthants.map((x) => Number(x === 0)))
    const gradient = new Float64Array(start.length)
    objective(newton, gradient)
    leastSubgradient(newton, gradient, l1).forEach((slope) =>
      expect(Math.abs(slope)).toBeLessThanOrEqual(1e-10),
    )
  })

  function centred(point: Float64Array, { design, outputs }: Problem): Float64Array {
    const block = design.width + 1
    const intercepts = point.filter((_, at) => at % block === design.width)
    const middle = outputs === 1 ? 0 : intercepts.reduce((sum, x) => sum + x, 0) / outputs
    return point.map((x, at) => (at % block === design.width ? x - middle : x))
  }

  test('leaves no feature where it is strong enough, and all where it is absent', () => {
    const strong = numbersOf(logisticRegression({ c: 1e-4, l1Ratio: 1 }), binary)
    expect(strong.slice(1)).toEqual(strong.slice(1).map(() => 0))
    const none = numbersOf(logisticRegression({ l1Ratio: 0 }), binary)
    expect(none.filter((value) => value === 0)).toHaveLength(1)
    const lasso = numbersOf(linearRegression({ l1: 1e3 }), data('regression'))
    expect(lasso.slice(1)).toEqual(lasso.slice(1).map(() => 0))
  })
})

describe('least squares', () => {
  test('is the same in closed form, by L-BFGS and by coordinate descent', () => {
    const { x, y = new Float64Array(), weights = y } = data('regression')
    const problem: Problem = {
      design: denseDesign(x),
      loss: squaredLoss,
      outputs: 1,
      y,
      weights,
      l1: 0,
      l2: 0.1,
    }
    const limits = { tolerance: 1e-12, maxIterations: 10_000 }
    const closed = solveLeastSquares(problem, limits).point
    const l1 = new Float64Array(closed.length)
    const walked = minimiseWithL1(smoothObjective(problem), l1, l1, limits).point
    expectSame(closed, walked, 1e-8)
    const descended = solveLeastSquares({ ...problem, l1: 1e-12 }, limits).point
    expectSame(closed, descended, 1e-8)
  })

  test('gives a feature that others add up to the coefficient 0', () => {
    const random = createRandom(2)
    const table = Array.from({ length: 60 }, () => {
      const [a, b] = [random.normal(0, 1), random.normal(3, 1)]
      return [a, b, a + 2 * b, random.normal(0, 1)]
    })
    const y = Float64Array.from(table, ([a, b, , d]) => 1 + a + 2 * b + 3 * d)
    const x = fromRows(['a', 'b', 'sum', 'd'], table)
    const model = fit(linearRegression(), { x, y }, { seed: 1 })
    if (model.kind !== 'linear-regression') throw new Error('another kind of model')
    const slopes = model.coefficients.map((beta, j) => beta / model.scales[j])
    expectSame(slopes, [1, 2, 0, 3], 1e-10)
    expect(model.coefficients[2]).toBe(0)
  })

  test('of Poisson counts gives the rates back, and refuses what is no count', () => {
    const random = createRandom(4)
    const table = Array.from({ length: 3000 }, () => [random.normal(0, 1), random.next()])
    const rates = table.map(([a, b]) => Math.exp(0.5 + 0.4 * a - b))
    const y = Float64Array.from(rates, (rate) => random.poisson(rate))
    const x = fromRows(['a', 'b'], table)
    const model = fit(linearRegression({ loss: 'poisson' }), { x, y }, { seed: 1 })
    if (model.kind !== 'linear-regression') throw new Error('another kind of model')
    const slopes = model.coefficients.map((beta, j) => beta / model.scales[j])
    expectSame(slopes, [0.4, -1], 0.1)
    const spec = linearRegression({ loss: 'poisson' })
    expect(() => fit(spec, { x, y: y.map(() => -1) }, { seed: 1 })).toThrow('not negative')
    expect(() => fit(spec, { x, y: y.map(() => 0) }, { seed: 1 })).toThrow('All counts are 0')
    expect(() => linearRegression({ loss: 'poisson', solver: 'saga' })).toThrow('"solver"')
  })
})

describe('weights of classes', () => {
  test('count as weights of their rows', () => {
    const several = data('multiclass')
    const ofClass = [1, 2, 0.5]
    const weights = several.weights?.map((w, i) => w * ofClass[several.y?.[i] ?? 0])
    const weighted = numbersOf(multinomialRegression(), { ...several, ...(weights && { weights }) })
    expectSame(numbersOf(multinomialRegression({ classWeights: ofClass }), several), weighted, 1e-9)
    const two = data('binary')
    const doubled = numbersOf(logisticRegression({ positiveWeight: 2 }), two)
    expectSame(numbersOf(logisticRegression({ classWeights: [1, 2] }), two), doubled, 1e-12)
  })

  test('that balance make the mean probability that of even classes', () => {
    const { x, y = new Float64Array() } = data('binary')
    const model = fit(
      logisticRegression({ classWeights: 'balanced', c: 1e-9 }),
      { x, y },
      { seed: 1 },
    )
    expect(model.kind === 'logistic-regression' && Math.abs(model.intercept)).toBeLessThan(1e-6)
  })

  test('are refused where they are not one positive number a class', () => {
    expect(() => logisticRegression({ classWeights: [1, 0] })).toThrow('"classWeights"')
    expect(() => multinomialRegression({ classWeights: [1] })).toThrow('"classWeights"')
    const spec = multinomialRegression({ classWeights: [1, 2] })
    expect(() => fit(spec, data('multiclass'), { seed: 1 })).toThrow('2 weights for 3 classes')
  })
})

test('learners are refused with the parameter that is wrong', () => {
  expect(() => logisticRegression({ l1Ratio: 1.5 })).toThrow('"l1Ratio"')
  expect(() => multinomialRegression({ c: 0 })).toThrow('"c"')
  expect(() => linearRegression({ l1: -1 })).toThrow('"l1"')
  expect(() => linearRegression({ huberWidth: 1 })).toThrow('"huberWidth"')
  expect(() => linearRegression({ loss: 'huber' })).toThrow('"huberWidth"')
})

test('symmetric systems are solved and inverted', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 8 }), (seed, size) => {
      const random = createRandom(seed)
      const root = Float64Array.from({ length: size * size }, () => random.normal(0, 1))
      const values = new Float64Array(size * size)
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          for (let k = 0; k < size; k++) {
            values[i * size + j] += root[i * size + k] * root[j * size + k]
          }
          if (i === j) values[i * size + j] += 1
        }
      }
      const truth = Float64Array.from({ length: size }, () => random.normal(0, 1))
      const times = (of: Float64Array) =>
        of.map((_, i) => of.reduce((total, x, j) => total + values[i * size + j] * x, 0))
      const lower = factorise({ size, values })
      expectSame(solveFactorised(lower, times(truth)), truth, 1e-9)
      const inverse = invertFactorised(lower).values
      const unit = times(inverse.filter((_, at) => at % size === 0))
      expectSame(
        unit,
        Float64Array.from({ length: size }, (_, i) => Number(i === 0)),
        1e-9,
      )
    }),
    { numRuns: 50 },
  )
})

// Bytes of models as the first release with logistic regression wrote them.
test.each([
  [{}, '4082010e2f1466dc285f646947656eb44c22baba02de4359016bd4dc4599ac36'],
  [
    { c: 0.1, positiveWeight: 5 },
    'dc16f403b920ce1aa9e0083d8dafe4b134c571052f45aba55cc77e879e504121',
  ],
])('logistic regression declared as %j learns the bytes that it always learnt', (params, hash) => {
  const model = fit(logisticRegression(params), dataOf('binary', 400), { seed: 11 })
  expect(createHash('sha256').update(JSON.stringify(model)).digest('hex')).toBe(hash)
})
