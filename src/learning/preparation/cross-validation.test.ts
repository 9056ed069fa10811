import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { rocAuc } from '../evaluation/ranking.ts'
import { boostedTrees, logisticRegression } from '../learners.ts'
import { crossValidate, resultsOf, type TrainTest } from './cross-validation.ts'
import { exampleOf } from './example.cases.ts'
import { fitPrepared, preparedPredictor } from './prepared-model.ts'
import { rowsHash } from './rows.ts'
import { linearPreparation, preparation, targetEncoding } from './spec.ts'
import { numberColumn, tableOf } from './table.ts'

const seed = 'folds'
const { table, target } = exampleOf(300)
const all = Array.from({ length: 300 }, (_, row) => row)

function foldsOf(count: number): TrainTest[] {
  return Array.from({ length: count }, (_, fold) => ({
    train: all.filter((row) => row % count !== fold),
    test: all.filter((row) => row % count === fold),
  }))
}

const spec = {
  preparation: preparation({ columns: { job: targetEncoding(), id: { step: 'drop' } } }),
  learner: boostedTrees({ trees: 5, depth: 3 }),
}

describe('cross-validation', () => {
  const folds = foldsOf(3)
  const result = crossValidate(spec, table, target, folds, { seed })

  test('predicts every tested row by the model of its fold', () => {
    expect(result.rows).toEqual(Uint32Array.from(all))
    const fold = fitPrepared(spec, table, folds[1].train, target, { seed: `${seed}/fold 1` })
    const own = preparedPredictor(fold).predict(table, Uint32Array.from(folds[1].test))
    expect(result.folds[1].predictions).toEqual(own)
    Array.from(folds[1].test).forEach((row, i) => expect(result.predictions[row]).toBe(own[i]))
  })

  test('says of each fold on which rows both halves were fitted', () => {
    result.folds.forEach((facts, index) => {
      expect(facts.trained).toEqual({ count: 200, hash: rowsHash(folds[index].train) })
      expect(facts.prepared).toEqual(facts.trained)
      expect(facts.tested).toEqual({ count: 100, hash: rowsHash(folds[index].test) })
    })
    expect(new Set(result.folds.map(({ preparation: hash }) => hash)).size).toBe(3)
  })

  test('fits a fold alike whatever its test rows hold', () => {
    const bytes: string[] = []
    const vandal = {
      ...target,
      y: target.y.map((label, row) => (row % 3 === 0 ? 1 - label : label)),
    }
    const leak = (y: Float64Array) =>
      tableOf([
        ...table.columns,
        numberColumn(
          'leak',
          all.map((row) => (row % 3 === 0 ? y[row] : 0)),
        ),
      ])
    for (const labels of [target, vandal]) {
      crossValidate(spec, leak(labels.y), labels, folds.slice(0, 1), {
        seed,
        onFold: (_, model) => bytes.push(canonicalJson(model)),
      })
    }
    expect(bytes[0]).toBe(bytes[1])
  })

  test('does not let an encoder of labels flatter an identifier', () => {
    // Every row has a category of its own and a label by chance: nothing can be learnt.
    const noise = exampleOf(600, 'noise')
    const y = noise.target.y.map((_, row) => (row * 7919) % 2)
    const honest = {
      preparation: linearPreparation({
        columns: Object.fromEntries(
          noise.table.columns.map(({ name }) => [
            name,
            name === 'id' ? targetEncoding({ smoothing: 1 }) : ({ step: 'drop' } as const),
          ]),
        ),
      }),
      learner: logisticRegression(),
    }
    const rows = noise.target.y.map((_, row) => row)
    const parts = [0, 1, 2].map((fold) => ({
      train: rows.filter((row) => row % 3 !== fold),
      test: rows.filter((row) => row % 3 === fold),
    }))
    const labels = { task: 'binary', y } as const
    const { predictions, folds } = crossValidate(honest, noise.table, labels, parts, { seed })
    expect(predictions.length).toBe(600)
    for (const fold of folds) {
      const results = resultsOf(labels, fold)
      if (results.task !== 'binary') throw new Error('another task')
      expect(Math.abs(rocAuc(results.y, results.scores) - 0.5)).toBeLessThan(0.1)
    }
  })

  test('gives a row that several folds test the mean of their predictions', () => {
    const twice = crossValidate(spec, table, target, [...folds, ...folds], { seed })
    expect(twice.rows).toEqual(result.rows)
    const [a, b] = [twice.folds[0], twice.folds[3]]
    a.rows.forEach((row, i) => {
      expect(twice.predictions[row]).toBe((a.predictions[i] + b.predictions[i]) / 2)
    })
  })

  test('leaves out rows that no fold tests', () => {
    const { rows, predictions } = crossValidate(spec, table, target, [folds[2]], { seed })
    expect(rows).toEqual(Uint32Array.from(folds[2].test))
    expect(predictions).toHaveLength(100)
  })

  test('refuses folds that overlap, and early stopping on rows of either side', () => {
    const of = (fold: TrainTest) => () => crossValidate(spec, table, target, [fold], { seed })
    expect(of({ train: all, test: [3] })).toThrow('Row 3 is both a training row and a test row')
    const apart = { train: all.slice(0, 200), test: all.slice(200, 250) }
    expect(of({ ...apart, validation: [0] })).toThrow('training row and a validation row')
    expect(of({ ...apart, validation: [220] })).toThrow('test row and a validation row')
    expect(() => crossValidate(spec, table, target, [], { seed })).toThrow('no folds')
  })
})
