/** Agreement with scikit-learn on German credit, one-hot encoded. Skips without it. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { needs, sharedData, toolPath } from '../../../test/tools.ts'
import { calibrate } from '../calibration/calibration.ts'
import { fit } from '../fit.ts'
import { linearRegression, logisticRegression, multinomialRegression } from '../learners.ts'
import type { LearnerSpec, TrainingData } from '../model.ts'
import { predictor } from '../predictor.ts'

// Standardises as ours does; `age` is the label of the linear models and, cut, of the multinomial.
const python = `
import json, sys, warnings
import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import StandardScaler
warnings.filterwarnings('ignore')
given = json.load(sys.stdin)
X, y, age, w, third = (np.array(given[k], float) for k in ('x', 'y', 'age', 'weights', 'third'))
Z = StandardScaler().fit_transform(X)
dense = dict(tol=1e-10, max_iter=5000)
saga = dict(solver='saga', tol=1e-9, max_iter=20000, random_state=0)
descent = dict(tol=1e-12, max_iter=100000)
models = {
    'ridge logistic': LogisticRegression(C=0.5, **dense).fit(Z, y, w),
    'balanced logistic': LogisticRegression(class_weight='balanced', **dense).fit(Z, y),
    'lasso logistic': LogisticRegression(C=0.05, l1_ratio=1, **saga).fit(Z, y),
    'elastic-net logistic': LogisticRegression(C=0.1, l1_ratio=0.5, **saga).fit(Z, y, w),
    'multinomial': LogisticRegression(C=0.1, **dense).fit(Z, third),
    'elastic-net multinomial': LogisticRegression(C=0.1, l1_ratio=0.5, **saga).fit(Z, third),
    'ridge': Ridge(alpha=0.1 * w.sum()).fit(Z, age, w),
    'lasso': Lasso(alpha=0.3, **descent).fit(Z, age),
    'elastic net': ElasticNet(alpha=0.5, l1_ratio=0.5, **descent).fit(Z, age, w),
    'Poisson': PoissonRegressor(alpha=0.1, tol=1e-10, max_iter=5000).fit(Z, age, w),
}
curve = IsotonicRegression(out_of_bounds='clip').fit(given['margins'], y, w)
json.dump({
    **{name: [np.atleast_1d(m.intercept_).tolist(), np.atleast_2d(m.coef_).tolist()]
       for name, m in models.items()},
    'isotonic': curve.predict(given['margins']).tolist(),
}, sys.stdout)
`

const specs: Record<string, LearnerSpec> = {
  'ridge logistic': logisticRegression({ c: 0.5 }),
  'balanced logistic': logisticRegression({ classWeights: 'balanced' }),
  'lasso logistic': logisticRegression({ c: 0.05, l1Ratio: 1 }),
  'elastic-net logistic': logisticRegression({ c: 0.1, l1Ratio: 0.5 }),
  multinomial: multinomialRegression({ c: 0.1 }),
  'elastic-net multinomial': multinomialRegression({ c: 0.1, l1Ratio: 0.5 }),
  ridge: linearRegression({ l2: 0.1 }),
  lasso: linearRegression({ l1: 0.3 }),
  'elastic net': linearRegression({ l1: 0.25, l2: 0.25 }),
  Poisson: linearRegression({ loss: 'poisson', l2: 0.1 }),
}
const weighted = ['ridge logistic', 'elastic-net logistic', 'ridge', 'elastic net', 'Poisson']

function hasSklearn(): boolean {
  if (!needs('shared-data') || !needs('python')) return false
  const version =
    'import sklearn; assert tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8)'
  const probe = spawnSync(toolPath('python'), ['-c', version], { timeout: 60_000 })
  if (probe.status === 0) return true
  process.stderr.write(
    'scikit-learn 1.8 or later is missing, its comparison is skipped: pip install scikit-learn\n',
  )
  return false
}

describe.skipIf(!hasSklearn())('German credit (needs ../shared/data, scikit-learn)', () => {
  let credit: ReturnType<typeof readCredit>
  let margins: number[] = []
  let theirs: Record<string, unknown> = {}

  beforeAll(() => {
    credit = readCredit()
    const scorer = predictor(fit(logisticRegression(), credit.binary, { seed: 1 }))
    margins = credit.rows.map((row) => scorer.margin(Float64Array.from(row)))
    const run = spawnSync(toolPath('python'), ['-c', python], {
      input: JSON.stringify({
        x: credit.rows,
        y: [...credit.y],
        age: [...credit.age],
        third: [...credit.third],
        weights: [...credit.weights],
        margins,
      }),
      encoding: 'utf8',
      maxBuffer: 16 * 1024 * 1024,
      timeout: 100_000,
    })
    if (run.status !== 0) throw new Error(`scikit-learn failed: ${run.stderr}`)
    theirs = JSON.parse(run.stdout) as Record<string, unknown>
  }, 120_000)

  test.each(Object.entries(specs))('%s has the coefficients of scikit-learn', (name, spec) => {
    const [intercepts, coefficients] = theirs[name] as [number[], number[][]]
    const base: TrainingData =
      {
        'linear-regression': { x: credit.binary.x, y: credit.age },
        'multinomial-regression': { x: credit.binary.x, y: credit.third, classes: ['a', 'b', 'c'] },
      }[spec.kind as string] ?? credit.binary
    const weights = weighted.includes(name) ? { weights: credit.weights } : {}
    const model = fit(spec, { ...base, ...weights }, { seed: 1 })
    if (!('coefficients' in model)) throw new Error('another kind of model')
    const several = model.kind === 'multinomial-regression'
    const ours = several ? model.coefficients : [model.coefficients]
    ours.forEach((list, k) =>
      list.forEach((value, j) => expect(Math.abs(value - coefficients[k][j])).toBeLessThan(1e-4)),
    )
    const middle = several ? intercepts.reduce((sum, value) => sum + value, 0) / 3 : 0
    const own = several ? model.intercepts : [model.intercept]
    own.forEach((value, k) => {
      expect(Math.abs(value - (intercepts[k] - middle))).toBeLessThan(1e-4)
    })
    if (name.startsWith('ridge') || name === 'multinomial' || name === 'Poisson') return
    if (name === 'balanced logistic') return
    expect(ours.flat().filter((value) => value === 0).length).toBeGreaterThan(3)
  })

  test('isotonic calibration has the curve of scikit-learn', () => {
    const shares = theirs.isotonic as number[]
    const { x, y } = credit.binary
    const calibration = calibrate('isotonic', {
      margins: Float64Array.from(margins),
      y: y ?? new Float64Array(),
      weights: credit.weights,
    })
    if (calibration.kind !== 'isotonic') throw new Error('another kind of calibration')
    const at = new Map(calibration.inputs.map((input, i) => [input, calibration.outputs[i]]))
    const least = 1 / (x.rows + 2)
    let compared = 0
    margins.forEach((margin, i) => {
      const ours = at.get(margin)
      if (ours === undefined) return
      compared++
      const within = Math.min(1 - least, Math.max(least, shares[i]))
      expect(Math.abs(ours - within)).toBeLessThan(1e-9)
    })
    expect(compared).toBeGreaterThan(20)
  })
})

/**
 * The columns but age, those of codes one-hot without their first level (with all levels a lasso
 * has many minima); bad credit is positive.
 */
function readCredit() {
  const text = gunzipSync(readFileSync(sharedData('uci_german_credit', 'german.data.gz')))
  const cells = text
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/[, ]+/))
  const names: string[] = []
  const columns: Float64Array[] = []
  for (let j = 0; j < 20; j++) {
    if (j === 12) continue
    const codes = cells.every((row) => row[j].startsWith('A'))
    const levels = codes ? [...new Set(cells.map((row) => row[j]))].sort().slice(1) : [undefined]
    for (const level of levels) {
      names.push(`${j}${level ?? ''}`)
      columns.push(
        Float64Array.from(cells, (row) =>
          level === undefined ? Number(row[j]) : Number(row[j] === level),
        ),
      )
    }
  }
  const x = { names, rows: cells.length, columns }
  const y = Float64Array.from(cells, (row) => (row[20] === '2' ? 1 : 0))
  const age = Float64Array.from(cells, (row) => Number(row[12]))
  return {
    binary: { x, y } as TrainingData,
    rows: cells.map((_, i) => columns.map((column) => column[i])),
    y,
    age,
    third: age.map((years) => (years < 30 ? 0 : years < 45 ? 1 : 2)),
    weights: age.map((_, i) => 0.5 + (i % 7) / 3),
  }
}
