import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { measure, measureNames, measurer, measures } from './measures.ts'
import { confusionMatrix } from './multiclass-measures.ts'
import { type Results, unitWeights } from './results.ts'

/** The figures of `python bench/peers/measures.py` (scikit-learn 1.9.1, SciPy 1.17.1). */
const theirs = {
  binary: {
    roc_auc: 0.7409060846560847,
    average_precision: 0.6219066783096996,
    gini: 0.4818121693121693,
    ks: 0.2976190476190476,
    'recall@precision=0.6': 0.3888888888888889,
    recall: 0.5555555555555556,
    precision: 0.45454545454545453,
    f1: 0.5,
    accuracy: 0.6666666666666666,
    balanced_accuracy: 0.6349206349206349,
    mcc: 0.25660560061597815,
    log_loss: 0.5404278415138957,
    brier: 0.18597222222222223,
    ece: 0.14555555555555558,
    calibration_slope: 1.0927811943170984,
    calibration_intercept: -0.5428407385828565,
  },
  multiclass: {
    log_loss: 0.8937186545522446,
    brier: 0.4797386090752455,
    roc_auc_ovr: 0.9484989648033125,
    roc_auc_hand_till: 0.9482709750566892,
    accuracy: 0.8,
    balanced_accuracy: 0.7976190476190477,
    f1_macro: 0.7946392537394122,
    f1_weighted: 0.8004868329018829,
    f1_micro: 0.8,
    cohens_kappa: 0.7329376854599408,
    mcc: 0.7351874276059515,
  },
  regression: {
    rmse: 2.2638462845343543,
    mae: 1.8625,
    median_absolute_error: 1.625,
    r2: 0.7625360378912686,
    mape: 0.3675859111676953,
    'pinball@quantile=0.9': 1.2529166666666667,
  },
}

const list = (count: number, of: (i: number) => number) =>
  Float64Array.from({ length: count }, (_, i) => of(i))
const y = list(120, (i) => ((i * 37) % 101 < 30 ? 1 : 0))
const classes = ['a', 'b', 'c', 'd']
const labels = list(120, (i) => ((i * 11) % 17) % 4)
const values = list(120, (i) => ((i * 29) % 50) / 4)
const known: Record<Results['task'], Results> = {
  binary: {
    task: 'binary',
    y,
    scores: y.map((label, i) => (((i * 53) % 40) + 12 * label + 1) / 60),
  },
  multiclass: {
    task: 'multiclass',
    y: labels,
    classes,
    probabilities: Float64Array.from(
      [...labels].flatMap((label, i) => {
        const raw = classes.map((_, c) => 1 + ((i * (7 + 6 * c)) % 11) + (label === c ? 6 : 0))
        const sum = raw.reduce((total, part) => total + part, 0)
        return raw.map((part) => part / sum)
      }),
    ),
  },
  regression: {
    task: 'regression',
    y: values.map((value, i) => Math.max(0, Math.round(value * 1.1 + (((i * 17) % 23) - 11) / 3))),
    values,
  },
}

const figure = (results: Results, text: string, weights = unitWeights(results.y.length)) =>
  measurer(results, [measure(results.task, text)]).figures(weights)[0]

describe('measures', () => {
  for (const task of ['binary', 'multiclass', 'regression'] as const) {
    test.each(Object.entries(theirs[task]))(`${task}: %s is scikit-learn's`, (text, expected) => {
      expect(figure(known[task], text)).toBeCloseTo(expected, 9)
    })
  }

  test('the Poisson deviance is scikit-learn’s', () => {
    const shifted = { ...known.regression, values: values.map((value) => value + 0.5) } as Results
    expect(figure(shifted, 'poisson_deviance')).toBeCloseTo(1.1098713927574224, 12)
  })
})

/** Results of all tasks with many ties; every class and both labels occur. */
const rows = fc
  .array(fc.record({ a: fc.nat(3), b: fc.nat(9), c: fc.nat(9), d: fc.nat(9), weight: fc.nat(3) }), {
    minLength: 6,
    maxLength: 40,
  })
  .map((records) => {
    const label = list(records.length, (i) => (i < 4 ? i : records[i].a))
    const shares = records.map(({ b, c, d }) => [b + 1, c + 1, d + 1, 2])
    const results: Results[] = [
      {
        task: 'binary',
        y: label.map((a) => a & 1),
        scores: list(records.length, (i) => (records[i].b + 1) / 12),
        // Every day keeps a row, as a day without one counts as nothing found.
        day: list(records.length, (i) => (i < 3 ? i : records[i].c % 3)),
      },
      {
        task: 'multiclass',
        y: label,
        classes,
        probabilities: Float64Array.from(
          shares.flatMap((parts) => {
            const sum = parts.reduce((total, part) => total + part, 0)
            return parts.map((part) => part / sum)
          }),
        ),
      },
      {
        task: 'regression',
        y: list(records.length, (i) => records[i].b),
        values: list(records.length, (i) => records[i].c + 0.5),
      },
    ]
    const weights = Uint16Array.from(records, ({ weight }, i) => (i < 4 ? weight + 1 : weight))
    return { results, weights }
  })

/** Each row as often as its weight says. */
function repeated(results: Results, weights: Uint16Array): Results {
  const rowsTaken = [...weights].flatMap((weight, row) => new Array<number>(weight).fill(row))
  const take = (from: ArrayLike<number>, width = 1) =>
    Float64Array.from(
      rowsTaken.flatMap((row) => Array.from({ length: width }, (_, c) => from[row * width + c])),
    )
  const taken = { ...results, y: take(results.y) }
  switch (taken.task) {
    case 'binary':
      return { ...taken, scores: take(taken.scores), day: take(taken.day ?? []) }
    case 'multiclass':
      return { ...taken, probabilities: take(taken.probabilities, taken.classes.length) }
    case 'regression':
      return { ...taken, values: take(taken.values) }
  }
}

const texts = (task: Results['task']) =>
  measureNames(task).map((name) =>
    name
      .replace('precision=…', 'precision=0.6')
      .replace('k=…', 'k=3')
      .replace('missed=…', 'missed=4'),
  )

describe('every measure of the table', () => {
  test('counts a row of weight w as w rows', () => {
    fc.assert(
      fc.property(rows, ({ results, weights }) => {
        for (const one of results) {
          // Bins of equally many rows are cut once, for all samples alike.
          const names = texts(one.task).filter((name) => !name.startsWith('adaptive_ece'))
          const all = names.map((name) => measure(one.task, name))
          const weighted = measurer(one, all).figures(weights)
          const plain = measurer(repeated(one, weights), all)
          const once = plain.figures(unitWeights(weights.reduce((sum, w) => sum + w, 0)))
          names.forEach((name, i) => {
            if (Number.isNaN(once[i])) expect(weighted[i], name).toBeNaN()
            else expect(Math.abs(weighted[i] - once[i]), name).toBeLessThan(1e-7)
          })
        }
      }),
    )
  })

  test('is best for results that are perfect', () => {
    const perfect: Results[] = [
      { task: 'binary', y, scores: y.map((label) => (label === 1 ? 1 - 2 ** -53 : 2 ** -53)) },
      {
        task: 'multiclass',
        y: labels,
        classes,
        probabilities: Float64Array.from(
          [...labels].flatMap((l) => classes.map((_, c) => +(c === l))),
        ),
      },
      { task: 'regression', y: values.map((v) => v + 1), values: values.map((v) => v + 1) },
    ]
    for (const results of perfect) {
      for (const name of texts(results.task)) {
        const { info, goodness } = measure(results.task, name)
        const value = figure(results, name)
        // Classes that scores part perfectly have no calibration line.
        if (name.startsWith('calibration_')) expect(value).toBeNaN()
        else if (name.startsWith('precision@k')) expect(value).toBe(1)
        else expect(goodness(value), name).toBeCloseTo(info.better === 'higher' ? 1 : 0, 9)
      }
    }
  })

  test('has a name of its own, and words', () => {
    const names = measures.map((one) => `${one.task} ${one.name} ${one.parameter?.name}`)
    expect(new Set(names).size).toBe(names.length)
    for (const { title, name } of measures) {
      expect(title.length).toBeGreaterThan(0)
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    }
  })

  test('stands in the reference under its task, as it is written', () => {
    const page = readFileSync(
      new URL('../../../docs/reference/measures.md', import.meta.url),
      'utf8',
    )
    const sections = {
      binary: 'Two classes',
      multiclass: 'Several classes',
      regression: 'Numbers',
    } as const
    for (const task of ['binary', 'multiclass', 'regression'] as const) {
      const section = page.split(`## ${sections[task]}\n`)[1].split('\n## ')[0]
      const rowsOfTable = section.split('\n').filter((line) => line.startsWith('| `'))
      const named = rowsOfTable.flatMap((line) => line.split('|')[1].match(/[^`, ]+(?=`)/g) ?? [])
      expect(named).toEqual(measureNames(task))
    }
  })
})

describe('single measures', () => {
  test('the cost of missed positives takes the best threshold', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), ({ results: [binary] }, missed) => {
        const { y: truth, scores } = binary as Extract<Results, { task: 'binary' }>
        const costs = [2, ...scores].map((threshold) =>
          truth.reduce((sum, label, row) => {
            const alert = scores[row] >= threshold
            return sum + (alert ? 1 - label : label * missed)
          }, 0),
        )
        const least = Math.min(...costs) / truth.length
        expect(figure(binary, `cost@missed=${missed}`)).toBeCloseTo(least, 12)
      }),
    )
  })

  test('precision at k takes the k highest scores of each day, a group once a day', () => {
    const results: Results = {
      task: 'binary',
      y: Float64Array.of(1, 0, 0, 1, 1, 0),
      scores: Float64Array.of(0.9, 0.8, 0.1, 0.7, 0.6, 0.5),
      day: [1, 1, 1, 2, 2, 2],
    }
    expect(figure(results, 'precision@k=2')).toBe((1 / 2 + 2 / 2) / 2)
    // Group a is found on day 1 and is not looked at again; on day 2 there are c, then d.
    const groups = ['a', 'b', 'c', 'a', 'c', 'd']
    expect(figure({ ...results, groups }, 'precision@k=2')).toBe((1 / 2 + 1 / 2) / 2)
  })

  test('relative errors leave rows of true value 0 out, or count them in full', () => {
    const results: Results = {
      task: 'regression',
      y: Float64Array.of(0, 0, 10),
      values: Float64Array.of(5, 0, 5),
    }
    expect(figure(results, 'mape')).toBe(0.5)
    expect(figure(results, 'smape')).toBeCloseTo((2 + 0 + 5 / 7.5) / 3, 15)
    expect(figure({ ...results, y: Float64Array.of(0, 0, 0) }, 'mape')).toBeNaN()
  })

  test('R² of equal true values is 1 without error, else 0', () => {
    const flat = Float64Array.of(2, 2, 2)
    expect(figure({ task: 'regression', y: flat, values: flat }, 'r2')).toBe(1)
    expect(figure({ task: 'regression', y: flat, values: Float64Array.of(1, 2, 3) }, 'r2')).toBe(0)
  })

  test('a class that no sample row has is left out of means over classes', () => {
    const weights = Uint16Array.from(labels, (label) => (label === 3 ? 0 : 1))
    const rest = repeated(known.multiclass, weights)
    for (const name of texts('multiclass')) {
      expect(figure(known.multiclass, name, weights)).toBeCloseTo(figure(rest, name), 12)
      expect(figure(rest, name)).not.toBeNaN()
    }
  })

  test('a confusion matrix counts each class against each', () => {
    const { classes: names, counts } = confusionMatrix({
      task: 'multiclass',
      y: Float64Array.of(0, 1, 1),
      classes: ['no', 'yes'],
      probabilities: Float64Array.of(0.9, 0.1, 0.5, 0.5, 0.2, 0.8),
    })
    expect([names, counts]).toEqual([
      ['no', 'yes'],
      [
        [1, 0],
        [1, 1],
      ],
    ])
  })
})

describe('a measure’s text', () => {
  test('is completed by the usual parameter', () => {
    expect(measure('binary', 'f1').text).toBe('f1@threshold=0.5')
    expect(measure('binary', 'recall').text).toBe('recall@threshold=0.5')
    expect(measure('binary', 'recall@precision=0.90').text).toBe('recall@precision=0.9')
    expect(measure('multiclass', 'mcc').text).toBe('mcc')
  })

  test('that names none is refused with those that there are', () => {
    expect(() => measure('binary', 'rmse')).toThrow('roc_auc, average_precision')
    expect(() => measure('binary', 'roc_auc@k=1')).toThrow('no measure')
    expect(() => measure('binary', 'cost')).toThrow('cost@missed=…')
    expect(() => measure('binary', 'recall@precision=2')).toThrow('above 0 and up to 1')
    expect(() => measure('binary', 'precision@k=1.5')).toThrow('whole number')
    expect(() => measure('binary', 'f1@threshold=')).toThrow('no measure')
  })
})

test('results that cannot be measured are refused with the reason', () => {
  const refused = (results: Results, text: string, reason: string) =>
    expect(() => figure(results, text)).toThrow(reason)
  const f = (...of: number[]) => Float64Array.from(of)
  const { binary } = known as { binary: Extract<Results, { task: 'binary' }> }
  refused({ ...binary, y: f(), scores: f() }, 'roc_auc', 'no rows')
  refused({ ...binary, groups: [1] }, 'roc_auc', '1 groups for 120 rows')
  refused({ ...binary, day: [1] }, 'roc_auc', '1 days')
  refused({ task: 'binary', y: f(0, 2), scores: f(0, 1) }, 'roc_auc', 'neither 0 nor 1')
  const many = { task: 'multiclass', classes: ['a', 'b'] } as const
  refused({ ...many, y: f(0, 1), probabilities: f(1) }, 'accuracy', '1 probabilities')
  refused({ ...many, y: f(0, 2), probabilities: f(1, 0, 0, 1) }, 'accuracy', '2 classes')
  refused({ ...many, y: f(0, 0), probabilities: f(1, 0, 0, 1) }, 'accuracy', 'one class')
  refused({ ...many, y: f(0, 1), probabilities: f(2, 0, 0, 1) }, 'accuracy', 'between 0 and 1')
  refused({ task: 'regression', y: f(1), values: f() }, 'mae', '0 predictions')
  refused({ task: 'regression', y: f(NaN), values: f(1) }, 'mae', 'true value')
  // A measure that needs probabilities says so; the others of the same results stand.
  const margins = { ...binary, scores: binary.scores.map((score) => 9 * score) }
  const two = measurer(margins, [measure('binary', 'brier'), measure('binary', 'roc_auc')])
  expect(two.refusals[0]).toContain('not a probability')
  expect(two.figures(unitWeights(120))).toEqual([NaN, figure(binary, 'roc_auc')])
  const counts = measurer(known.regression, [measure('regression', 'poisson_deviance')])
  expect(counts.refusals[0]).toContain('predictions above 0')
})
