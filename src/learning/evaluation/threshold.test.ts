import { describe, expect, test } from 'vitest'
import { clopperPearsonLower } from '../../lib/statistics.ts'
import { calibrationTable } from './calibration.ts'
import { chooseThreshold, thresholdEffect } from './threshold.ts'

// A hundred rows with scores 0.99 … 0.00; frauds among the higher ones.
const scores = Float64Array.from({ length: 100 }, (_, i) => (99 - i) / 100)
const y = Float64Array.from({ length: 100 }, (_, i) => (i < 20 && i % 2 === 0 ? 1 : 0))

describe('a threshold', () => {
  test('alerts at or above itself', () => {
    const effect = thresholdEffect({ y, scores }, 0.9)
    expect(effect).toMatchObject({
      alerts: 10,
      truePositives: 5,
      falsePositives: 5,
      falseNegatives: 5,
      trueNegatives: 85,
      precision: 0.5,
      recall: 0.5,
      f1: 0.5,
      alertsPer10k: 1000,
    })
    expect(effect.recallInterval.lower).toBeCloseTo(0.187, 3)
  })

  test('above every score alerts nothing, without NaN', () => {
    const effect = thresholdEffect({ y, scores }, 2)
    expect(effect).toMatchObject({ alerts: 0, precision: 0, recall: 0, f1: 0 })
    expect(effect.precisionInterval).toEqual({ lower: 0, upper: 1 })
  })
})

describe('a declared rule', () => {
  test('keeps to the alerts that can be looked at a day', () => {
    const choice = chooseThreshold({ kind: 'alerts-per-day', alerts: 4 }, { y, scores, days: 3 })
    expect(choice.effect.alerts).toBe(12)
    expect(choice.threshold).toBe(0.88)
  })

  test('alerts a share of the rows, and no more', () => {
    const rule = { kind: 'alert-rate', rate: 0.075 } as const
    expect(chooseThreshold(rule, { y, scores }).effect.alerts).toBe(7)
    expect(chooseThreshold({ ...rule, rate: 1 }, { y, scores }).effect.alerts).toBe(100)
    expect(() => chooseThreshold({ ...rule, rate: 0.001 }, { y, scores })).toThrow('No score')
    for (const rate of [0, 1.1, NaN]) {
      expect(() => chooseThreshold({ ...rule, rate }, { y, scores })).toThrow('between 0 and 1')
    }
  })

  test('takes no part of a group of equal scores', () => {
    const tied = scores.map((score) => Math.floor(score * 10) / 10)
    const choice = chooseThreshold(
      { kind: 'alerts-per-day', alerts: 15 },
      { y, scores: tied, days: 1 },
    )
    expect(choice.effect.alerts).toBe(10)
  })

  test('reaches a recall with confidence, by as few alerts as possible', () => {
    const rule = { kind: 'recall-at-least', recall: 0.5, confidence: 0.95 } as const
    const { effect } = chooseThreshold(rule, { y, scores })
    expect(clopperPearsonLower(effect.truePositives, 10, 0.95)).toBeGreaterThanOrEqual(0.5)
    expect(clopperPearsonLower(effect.truePositives - 1, 10, 0.95)).toBeLessThan(0.5)
    expect(effect.precision).toBeGreaterThanOrEqual(0.5)
  })

  test('says when no threshold can satisfy it', () => {
    const rule = { kind: 'recall-at-least', recall: 0.9, confidence: 0.99 } as const
    expect(() => chooseThreshold(rule, { y, scores })).toThrow('recall-at-least')
    const none = { kind: 'precision-at-least', precision: 1 } as const
    expect(() => chooseThreshold(none, { y: y.map((v) => 1 - v), scores })).toThrow('No score')
  })

  test('finds as much as a precision allows', () => {
    const rule = { kind: 'precision-at-least', precision: 0.4 } as const
    const { effect } = chooseThreshold(rule, { y, scores })
    expect(effect.alerts).toBe(25)
  })

  test('weighs the costs, by count or by amount', () => {
    const cheap = { kind: 'cost', falseAlert: 1, missed: 100 } as const
    expect(chooseThreshold(cheap, { y, scores }).effect.recall).toBe(1)
    const dear = { kind: 'cost', falseAlert: 100, missed: 1 } as const
    expect(chooseThreshold(dear, { y, scores }).effect.alerts).toBe(1)
    const amounts = y.map((_, i) => (i === 18 ? 1000 : 1))
    const byAmount = { kind: 'cost', falseAlert: 2, missedShare: 1 } as const
    expect(chooseThreshold(byAmount, { y, scores, amounts }).effect.alerts).toBe(19)
    expect(() => chooseThreshold(byAmount, { y, scores })).toThrow('amounts')
    // Handling an alert costs more than the fraud that it stops: it is cheapest to alert on nothing.
    const handled = { kind: 'cost', falseAlert: 1, missed: 3, trueAlert: 4 } as const
    expect(() => chooseThreshold(handled, { y, scores })).toThrow('alerting on nothing is cheapest')
    const cheaper = { ...handled, trueAlert: 1 }
    expect(chooseThreshold(cheaper, { y, scores }).effect.recall).toBe(1)
  })

  test('passes a fixed threshold through with its effect', () => {
    const choice = chooseThreshold({ kind: 'fixed', threshold: 0.95 }, { y, scores })
    expect(choice).toMatchObject({ threshold: 0.95, effect: { alerts: 5 } })
  })
})

describe('a calibration table', () => {
  test('holds every row once, in ascending order, finer among the highest scores', () => {
    const many = Float64Array.from({ length: 10_000 }, (_, i) => i / 10_000)
    const labels = many.map((score, i) => ((i * 7919) % 10_000 < score * 10_000 ? 1 : 0))
    const table = calibrationTable(labels, many)
    expect(table.reduce((sum, bin) => sum + bin.rows, 0)).toBe(10_000)
    expect(table.length).toBe(19)
    expect(table.at(-1)?.rows).toBe(100)
    table.forEach((bin, i) => {
      if (i > 0) expect(bin.meanScore).toBeGreaterThan(table[i - 1].meanScore)
      expect(Math.abs(bin.observed - bin.meanScore)).toBeLessThan(0.15)
      expect(bin.interval.lower).toBeLessThanOrEqual(bin.observed)
    })
  })

  test('keeps equal scores together', () => {
    const labels = Float64Array.from({ length: 100 }, (_, i) => i % 2)
    expect(calibrationTable(labels, new Float64Array(100).fill(0.5))).toMatchObject([
      { rows: 100, positives: 50, meanScore: 0.5, observed: 0.5 },
    ])
  })
})
