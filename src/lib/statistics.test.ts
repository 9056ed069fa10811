import { describe, expect, test } from 'vitest'
import {
  clopperPearson,
  clopperPearsonLower,
  incompleteBeta,
  lnGamma,
  mean,
  normalCdf,
  normalQuantile,
  percentileInterval,
  quantile,
  standardDeviation,
} from './statistics.ts'

describe('quantiles and moments', () => {
  test('interpolate between order statistics', () => {
    expect(quantile([3, 1, 2, 4], 0.5)).toBe(2.5)
    expect(quantile([3, 1, 2, 4], 1)).toBe(4)
    expect(quantile([5], 0.3)).toBe(5)
    expect(quantile([-1.5e308, 1.5e308], 0.5)).toBe(0)
    expect(quantile([], 0.5)).toBeNaN()
    expect(percentileInterval([...Array(5).keys()], 0.5)).toEqual({ lower: 1, upper: 3 })
  })

  test('mean and deviation are those of the population', () => {
    expect(mean([1, 2, 3, 6])).toBe(3)
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2)
  })
})

describe('the normal distribution', () => {
  test('has its tabulated values', () => {
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14)
    expect(normalCdf(-8)).toBeCloseTo(6.220960574271785e-16, 28)
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13)
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 12)
    expect(normalQuantile(0.5)).toBeCloseTo(0, 15)
  })

  test('quantile inverts the distribution function', () => {
    for (let p = 0.001; p < 1; p += 0.013) expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 14)
  })
})

describe('the beta distribution and exact intervals', () => {
  test('gamma agrees with factorials and with √π', () => {
    expect(lnGamma(6)).toBeCloseTo(Math.log(120), 13)
    expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 13)
    expect(lnGamma(101)).toBeCloseTo(363.73937555556347, 10)
  })

  test('incomplete beta has its closed forms', () => {
    expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 14)
    expect(incompleteBeta(0.3, 1, 5)).toBeCloseTo(1 - 0.7 ** 5, 14)
    expect(incompleteBeta(0.9, 4, 1)).toBeCloseTo(0.9 ** 4, 14)
  })

  test('Clopper-Pearson agrees with published intervals', () => {
    // 0 of 10 and 5 of 10 at 95 %: standard tables give [0, .3085] and [.1871, .8129].
    expect(clopperPearson(0, 10, 0.95).upper).toBeCloseTo(0.30849710781876083, 10)
    expect(clopperPearson(5, 10, 0.95).lower).toBeCloseTo(0.18708602844739855, 10)
    expect(clopperPearson(10, 10, 0.95).upper).toBe(1)
    expect(clopperPearsonLower(0, 10, 0.95)).toBe(0)
    expect(clopperPearsonLower(10, 10, 0.95)).toBeCloseTo(0.05 ** 0.1, 12)
  })
})
