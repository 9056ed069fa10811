import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { boostedTrees, fit, predictor } from '../index.ts'
import { counterfactuals } from './counterfactual.ts'
import { formulaModel, manyFormulas } from './models.cases.ts'

const names = ['age', 'income', 'debt', 'job', 'region']
const categorical = ['job', 'region']

/** Applicants: age only rises, the region stays, jobs are codes. */
function applicants(seed: number, rows: number): { x: Matrix; y: Float64Array } {
  const random = createRandom(seed)
  const table = Array.from({ length: rows }, () => [
    20 + random.int(50),
    random.next() < 0.05 ? NaN : random.normal(50, 15),
    random.uniform(0, 40),
    random.int(4),
    random.int(3),
  ])
  const y = Float64Array.from(table, ([age, income, debt, job]) => {
    const margin = (income || 40) / 10 - debt / 5 + age / 30 + (job === 2 ? 2 : 0) - 4
    return random.next() < 1 / (1 + Math.exp(-margin)) ? 1 : 0
  })
  return { x: fromRows(names, table), y }
}

const { x, y } = applicants(1, 600)
const model = predictor(fit(boostedTrees({ trees: 25, depth: 4 }), { x, y }, { seed: 1 }))
const rules = {
  age: { direction: 'up', to: 75 },
  region: { immutable: true },
  debt: { direction: 'down', from: 5 },
  job: { codes: [1, 2] },
} as const

describe('counterfactuals', () => {
  test('flip the prediction, and never break a rule', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), (seed, up) => {
        const row = readRow(applicants(seed, 1).x, 0)
        const target = up ? { atLeast: 0.6 } : { atMost: 0.4 }
        const result = counterfactuals(model, row, { target, data: x, categorical, rules })
        const score = model.score(row)
        const there = up ? score >= 0.6 : score <= 0.4
        expect(result.outcome === 'already').toBe(there)
        for (const { row: own, outputs, changes, distance } of result.counterfactuals) {
          expect(outputs).toEqual(model.predict(own))
          expect(up ? outputs[0] >= 0.6 : outputs[0] <= 0.4).toBe(true)
          expect(own[4]).toBe(row[4])
          expect(own[0] >= row[0]).toBe(true)
          expect(own[2] <= row[2]).toBe(true)
          expect(Number.isInteger(own[0])).toBe(true)
          const changed = (j: number) => !Object.is(own[j], row[j])
          if (changed(0)) expect(own[0]).toBeLessThanOrEqual(75)
          if (changed(2)) expect(own[2]).toBeGreaterThanOrEqual(5)
          if (changed(3)) expect([1, 2]).toContain(own[3])
          expect(changes.map(({ feature }) => feature)).toEqual(names.filter((_, j) => changed(j)))
          expect(changes.length).toBeGreaterThan(0)
          expect(distance).toBeGreaterThan(0)
        }
        const sets = result.counterfactuals.map(({ changes }) => changes.map((c) => c.feature))
        sets.forEach((set, i) =>
          sets.slice(0, i).forEach((other) => {
            expect(other.every((feature) => set.includes(feature))).toBe(false)
          }),
        )
        expect(result.evaluations).toBeLessThanOrEqual(result.evaluationsMax)
      }),
      { numRuns: 40 },
    )
  })

  test('hold no change that can be taken back', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const row = readRow(applicants(seed, 1).x, 0)
        const { counterfactuals: found } = counterfactuals(model, row, {
          target: { atLeast: 0.7 },
          data: x,
          categorical,
        })
        for (const { row: own, changes } of found) {
          if (changes.length < 2) continue
          for (const { feature, from } of changes) {
            const without = own.with(names.indexOf(feature), from)
            expect(model.score(without)).toBeLessThan(0.7)
          }
        }
      }),
      { numRuns: 15 },
    )
  })

  test('are the same every time', () => {
    const row = readRow(x, 3)
    const ask = { target: { atLeast: 0.9 }, data: x, categorical, rules } as const
    expect(counterfactuals(model, row, ask)).toEqual(counterfactuals(model, row, ask))
  })

  test('come close to the border of a known model, in its cheapest feature first', () => {
    const data = fromRows(
      ['p', 'q'],
      Array.from({ length: 101 }, (_, i) => [i / 10 + 0.05, i / 10 + 0.05]),
    )
    const steep = formulaModel(['p', 'q'], ([p, q]) => 4 * p + q)
    const { counterfactuals: found } = counterfactuals(steep, Float64Array.of(1, 1), {
      target: { atLeast: 9 },
      data,
    })
    expect(found.map(({ changes }) => changes.map(({ feature }) => feature))).toEqual([
      ['p'],
      ['q'],
    ])
    expect(found[0].row[0]).toBeGreaterThanOrEqual(2)
    expect(found[0].row[0]).toBeLessThan(2.11)
    expect(found[1].row[1]).toBeGreaterThanOrEqual(5)
    expect(found[1].row[1]).toBeLessThan(5.3)
  })

  test('find what takes three changes at once, from a row on the other side', () => {
    const random = createRandom(6)
    const bits = ['u', 'v', 'w', 'z']
    const data = fromRows(
      bits,
      Array.from({ length: 100 }, () => bits.map(() => random.int(2))),
    )
    const lock = formulaModel(bits, ([u, v, w]) => (u === 1 && v === 1 && w === 1 ? 1 : 0))
    const { counterfactuals: found } = counterfactuals(lock, Float64Array.of(0, 0, 0, 0), {
      target: { atLeast: 1 },
      data,
      categorical: bits,
    })
    expect(found).toHaveLength(1)
    expect(found[0].changes.map(({ feature }) => feature)).toEqual(['u', 'v', 'w'])
  })

  test('make another class the greatest', () => {
    const data = fromRows(
      ['p'],
      Array.from({ length: 50 }, (_, i) => [i]),
    )
    const classes = manyFormulas(['p'], ['low', 'high'], ([p]) => [20 - p, p])
    const result = counterfactuals(classes, Float64Array.of(3), { target: { greatest: 1 }, data })
    expect(result.counterfactuals[0].changes).toEqual([{ feature: 'p', from: 3, to: 11 }])
  })

  test('say when there are none within the bounds, and how far these went', () => {
    const row = readRow(x, 0)
    const all = Object.fromEntries(names.map((name) => [name, { immutable: true }]))
    expect(
      counterfactuals(model, row, {
        target: { atLeast: 2 },
        data: x,
        rules: all,
        evaluationsMax: 99,
      }),
    ).toMatchObject({ outcome: 'none', counterfactuals: [], evaluationsMax: 99, changesMax: 4 })
    const short = counterfactuals(model, row, {
      target: { atLeast: 2 },
      data: x,
      evaluationsMax: 99,
    })
    expect(short).toMatchObject({ outcome: 'none', evaluations: 99 })
  })

  test('refuse rules that contradict themselves', () => {
    const ask = (options: object) => () =>
      counterfactuals(model, readRow(x, 0), {
        target: { atLeast: 2 },
        data: x,
        categorical,
        ...options,
      })
    expect(ask({ rules: { job: { direction: 'up' } } })).toThrow('rule of "job"')
    expect(ask({ rules: { age: { from: 3, to: 2 } } })).toThrow('rule of "age"')
    expect(ask({ rules: { age: { codes: [1] } } })).toThrow('rule of "age"')
    expect(ask({ rules: { shoe: {} } })).toThrow('no feature "shoe"')
    expect(ask({ target: { greatest: 0 } })).toThrow('one output')
    expect(ask({ target: { atLeast: NaN } })).toThrow('NaN')
    expect(ask({ count: 0 })).toThrow('"count" is 0')
  })
})
