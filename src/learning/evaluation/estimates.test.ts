import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { pairedDifference, rankingIntervals } from './bootstrap.ts'
import { estimateMeasures, type ModelResults } from './estimates.ts'
import { measure, measureNames } from './measures.ts'
import type { BinaryResults, Results } from './results.ts'

const random = createRandom(11)
const n = 600
const y = Float64Array.from({ length: n }, () => (random.next() < 0.3 ? 1 : 0))
const noisy = (noise: number) =>
  y.map((label) => Math.min(Math.max(0.3 + 0.4 * label + random.normal(0, noise), 0.01), 0.99))
const good: BinaryResults = { task: 'binary', y, scores: noisy(0.3) }
const better: BinaryResults = { task: 'binary', y, scores: noisy(0.15) }
const labels = Float64Array.from({ length: n }, () => random.int(3))
const kinds: Results[] = [
  good,
  {
    task: 'multiclass',
    y: labels,
    classes: ['a', 'b', 'c'],
    probabilities: Float64Array.from(
      [...labels].flatMap((label) => {
        const raw = [0, 1, 2].map((c) => random.uniform(0.2, 1) + (c === label ? 0.4 : 0))
        return raw.map((part) => part / raw.reduce((sum, other) => sum + other, 0))
      }),
    ),
  },
  {
    task: 'regression',
    y: y.map((label, i) => label + (i % 7)),
    values: y.map((label, i) => label + (i % 7) + 0.5 + random.uniform(0, 1)),
  },
]
const models = (...results: BinaryResults[]): ModelResults[] =>
  results.map((one, i) => ({ name: `m${i}`, results: [one] }))
const written = (task: Results['task']) =>
  measureNames(task).map((name) =>
    name.replace('precision=…', 'precision=0.6').replace(/=…$/, '=10'),
  )

describe('estimates', () => {
  test.each(kinds)('give every measure of the table its value and interval ($task)', (results) => {
    const names = written(results.task)
    const { estimates, refused } = estimateMeasures([{ name: 'a', results: [results] }], names, {
      seed: 1,
      resamples: 100,
    })
    expect(refused).toEqual([])
    expect(estimates.map((one) => one.measure)).toEqual(
      names.map((name) => measure(results.task, name).text),
    )
    for (const { value, lower, upper, resamples } of estimates) {
      expect(resamples).toBe(100)
      expect(lower).toBeLessThan(upper)
      expect(value).toBeGreaterThan(lower - (upper - lower))
      expect(value).toBeLessThan(upper + (upper - lower))
    }
  })

  test('are those of the ranking figures for the same seed, alone and in groups', () => {
    const groups = Array.from(y, (_, row) => row % 150)
    for (const cluster of [undefined, groups]) {
      const grouped = { ...good, ...(cluster && { groups: cluster }) }
      const { estimates } = estimateMeasures(models(grouped), ['roc_auc', 'average_precision'], {
        seed: 3,
      })
      const { rocAuc, averagePrecision } = rankingIntervals(y, good.scores, {
        seed: 3,
        ...(cluster && { cluster }),
      })
      expect(estimates).toMatchObject([rocAuc, averagePrecision])
    }
  })

  test('are means over repetitions of the folds, drawn together', () => {
    const of = (results: BinaryResults[]) =>
      estimateMeasures([{ name: 'a', results }], ['roc_auc'], { seed: 1 }).estimates[0]
    const both = of([good, better])
    const [first, second] = [of([good]), of([better])]
    expect(both.value).toBeCloseTo((first.value + second.value) / 2, 12)
    // One row drawn twice counts twice in both, so repetitions do not look like more data.
    expect(of([good, good])).toEqual(first)
  })

  test('say which measures the results do not allow, and why', () => {
    const margins = { ...good, scores: good.scores.map((score) => 20 * score) }
    const parted = { ...good, scores: y.map((label) => 0.2 + 0.6 * label) }
    const names = ['brier', 'calibration_slope', 'roc_auc']
    const { estimates, comparisons, refused } = estimateMeasures(models(margins, parted), names, {
      seed: 1,
    })
    expect(refused).toMatchObject([
      { measure: 'brier', model: 'm0', reason: expect.stringContaining('not a probability') },
      { measure: 'calibration_slope', model: 'm0' },
      { measure: 'calibration_slope', model: 'm1', reason: 'It is not defined on these rows.' },
    ])
    expect(estimates.map((one) => [one.measure, one.model])).toEqual([
      ['brier', 'm1'],
      ['roc_auc', 'm0'],
      ['roc_auc', 'm1'],
    ])
    expect(comparisons.map((one) => one.measure)).toEqual(['roc_auc'])
  })
})

describe('comparison', () => {
  const of = (name: string, ...results: BinaryResults[]) =>
    estimateMeasures(models(...results), [name], { seed: 1 }).comparisons

  test('is the paired difference for the same seed', () => {
    const [{ gain, lowerBound }] = of('average_precision', good, better)
    const expected = pairedDifference('averagePrecision', y, better.scores, good.scores, {
      seed: 1,
    })
    expect({ value: gain.value, lowerBound, lower: gain.lower, upper: gain.upper }).toEqual({
      value: expected.value,
      lowerBound: expected.lowerBound,
      ...expected.interval,
    })
  })

  test.each(['roc_auc', 'log_loss', 'brier', 'mcc', 'calibration_slope', 'calibration_intercept'])(
    'by %s calls gain what is better, whichever way the measure runs',
    (name) => {
      // One model says 0.8 and 0.2 and is right in four of five rows; the other’s scores are noise
      // for the most part, and far too low.
      const half = y.map((_, i) => i % 2)
      const clean: BinaryResults = {
        task: 'binary',
        y: half,
        scores: half.map((label, i) => (i % 5 === 0 ? 0.8 - 0.6 * label : 0.2 + 0.6 * label)),
      }
      const spoilt: BinaryResults = { ...clean, scores: noisy(0.9).map((score) => score ** 3) }
      const [{ gain, better: verdict }] = of(name, spoilt, clean)
      expect(gain.lower).toBeGreaterThan(0)
      expect(verdict).toBe('candidate')
      expect(of(name, clean, spoilt)[0].better).toBe('champion')
    },
  )

  test('takes every pair, and finds nothing between the same scores', () => {
    const all = of('roc_auc', good, better, good)
    expect(all.map(({ candidate, champion }) => `${candidate} ${champion}`)).toEqual([
      'm1 m0',
      'm2 m0',
      'm2 m1',
    ])
    expect(all[1]).toMatchObject({ gain: { value: 0, lower: 0, upper: 0 }, better: 'undecided' })
  })

  test('refuses results of other rows, none at all, and an unknown measure', () => {
    const other = { ...good, y: y.map((label) => 1 - label) }
    expect(() => of('roc_auc', good, other)).toThrow('not of the same rows')
    expect(() => of('roc_auc')).toThrow('no results')
    const none = [...models(good), { name: 'empty', results: [] }]
    expect(() => estimateMeasures(none, ['roc_auc'], { seed: 1 })).toThrow('"empty" has no results')
    expect(() => of('wonder', good)).toThrow('no measure')
    const asked = (options: object) => () =>
      estimateMeasures(models(good), ['roc_auc'], { seed: 1, ...options })
    expect(asked({ resamples: 5 })).toThrow('20 to 100000')
    expect(asked({ level: 1 })).toThrow('level')
  })
})
