import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { deployment } from '../../test/small-bank.ts'
import type { Row } from '../data/index.ts'
import type { Challenger } from './deployed.ts'
import { readyTraffic } from './traffic.ts'

const plain = deployment()
const names = plain.featureSets.flatMap(({ features }) => features.map(({ name }) => name))
const column = plain.source.columns.findIndex(({ name }) => name === 'customer')
const vector = new Float64Array(names.length)

function trafficOf(challengers: readonly (readonly [string, Challenger['traffic']])[]) {
  const document = deployment({
    sticky: 'customer',
    challengers: challengers.map(([name, traffic]) => {
      return { name, traffic, model: plain.model, thresholds: plain.thresholds }
    }),
  })
  return readyTraffic(document, names, ({ name }) => name)
}

function customer(n: number): Row {
  return plain.source.columns.map((_, index) => (index === column ? n : undefined))
}

const CUSTOMERS = 4000

/** Shares of a whole in hundredths, which leave something to the champion. */
const shares = fc
  .array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 })
  .map((all) => all.map((share) => share / 100))

test('each challenger takes its share of customers, and no customer meets two', () => {
  fc.assert(
    fc.property(shares, fc.integer({ min: 0, max: 1e12 }), (all, first) => {
      const { taker } = trafficOf(
        all.map((share, index) => [`c${index}`, { mode: 'live', share }] as const),
      )
      const taken = new Map<string | undefined, number>()
      for (let n = 0; n < CUSTOMERS; n++) {
        const by = taker(customer(first + n), vector)
        taken.set(by, (taken.get(by) ?? 0) + 1)
        if (n < 50) expect(taker(customer(first + n), vector)).toBe(by)
      }
      for (const [index, share] of all.entries()) {
        // Five standard errors: of some hundred draws none should lie beyond.
        const error = 5 * Math.sqrt((share * (1 - share)) / CUSTOMERS)
        const found = (taken.get(`c${index}`) ?? 0) / CUSTOMERS
        expect(Math.abs(found - share)).toBeLessThan(error)
      }
    }),
    { numRuns: 30, seed: 6 },
  )
})

test('a share that grows keeps the customers it had, whatever comes after it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.5, noNaN: true }), (share) => {
      const before = trafficOf([['a', { mode: 'live', share }]])
      const after = trafficOf([
        ['a', { mode: 'live', share: share * 1.8 }],
        ['b', { mode: 'live', share: 0.1 }],
      ])
      for (let n = 0; n < 300; n++) {
        const row = customer(n)
        if (before.taker(row, vector) === 'a') expect(after.taker(row, vector)).toBe('a')
      }
    }),
    { numRuns: 20, seed: 6 },
  )
})

test('who is asked in shadow does not hang on who takes the live traffic', () => {
  const { taker, shadows } = trafficOf([
    ['live', { mode: 'live', share: 0.5 }],
    ['beside', { mode: 'shadow', share: 0.4 }],
  ])
  const rows = Array.from({ length: CUSTOMERS }, (_, n) => customer(n))
  const among = (of: readonly Row[]) =>
    of.filter((row) => shadows(row).includes('beside')).length / of.length
  const taken = rows.filter((row) => taker(row, vector) === 'live')
  const left = rows.filter((row) => taker(row, vector) === undefined)
  for (const of of [taken, left]) {
    expect(Math.abs(among(of) - 0.4)).toBeLessThan(5 * Math.sqrt(0.24 / of.length))
  }
})
