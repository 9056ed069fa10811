// The example as a person runs it: data are written, features computed by the command, and held
// against what was planted, or against the definition written out naively.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assay } from '../../test/cli/command-line.ts'
import { repositoryRoot } from '../../test/source-text.ts'
import { needs, sharedData } from '../../test/tools.ts'
import { plantedDesks } from './constructed.ts'
import { constructedFigures, priceImpact, readTable } from './figures.ts'
import { writeData } from './write-data.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-order-book-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const example = join(repositoryRoot, 'examples', 'order-book')
const bookIsThere = needs('shared-data')

/** Far enough out that a right figure lies within for all seeds but one in thousands. */
const ERRORS = 4

beforeAll(async () => {
  const sample = ['lobster_amzn_l1', 'orderbook_1.first40000.csv.gz'] as const
  await writeData(folder, bookIsThere ? sharedData(...sample) : undefined)
})

function history(set: string, data: string): void {
  const files = ['--data', join(folder, data), '--out', join(folder, `${set}.csv`)]
  const ended = assay(folder, ['features', 'history', example, '--set', set, ...files])
  expect(ended).toMatchObject({ code: 0, err: '' })
  expect(ended.out).toContain(' 0 refused')
}

function numbers(file: string, column: string): number[] {
  return readTable(join(folder, file))
    .columns.get(column)!
    .map((cell) => (cell === '' ? Number.NaN : Number(cell)))
}

test('the commands about features list a project that has nothing else', () => {
  const { code, out } = assay(folder, ['features', 'list', example])
  expect(code).toBe(0)
  for (const name of ['OFI_100_EVENTS', 'KYLES_LAMBDA', 'VPIN', 'IMPLEMENTATION_SHORTFALL']) {
    expect(out).toContain(name)
  }
  const shown = assay(folder, ['features', 'show', 'VPIN', example])
  expect(shown).toMatchObject({ code: 0, err: '' })
})

test('a run says what such a project lacks, and begins nothing', () => {
  const { code, err } = assay(folder, ['run', example, '--home', join(folder, 'home')])
  expect(code).toBe(1)
  expect(err).toContain('project_features_only')
  expect(err).toContain('has no models, gates, policies')
})

describe('on constructed data', { timeout: 120_000 }, () => {
  beforeAll(() => {
    history('constructed-tape', 'constructed-trades.csv')
    history('constructed-execution', 'constructed-orders.csv')
  }, 120_000)

  test('the features find what was planted, within four standard errors', () => {
    const figures = constructedFigures(folder)
    expect(figures).toHaveLength(12)
    for (const { figure, of, found, expected, error } of figures) {
      const distance = Math.abs(found - expected)
      expect(distance, `${figure} of ${of}`).toBeLessThanOrEqual(ERRORS * error + 1e-12)
    }
  })

  test('the errors are small enough to tell the planted symbols and desks apart', () => {
    const figures = constructedFigures(folder)
    for (const name of new Set(figures.map(({ figure }) => figure))) {
      const [one, other] = figures.filter(({ figure }) => figure === name)
      const apart = Math.abs(one.expected - other.expected)
      expect(apart, name).toBeGreaterThan(ERRORS * (one.error + other.error))
    }
  })

  test('slippage is the planted impact on every single order', () => {
    const impact = new Map(plantedDesks.map(({ desk, impact: cents }) => [desk, cents / 100]))
    const desks = readTable(join(folder, 'constructed-orders.csv')).columns.get('desk')!
    const arrival = numbers('constructed-orders.csv', 'arrival_mid')
    const slippage = numbers('constructed-execution.csv', 'SLIPPAGE')
    expect(slippage).toHaveLength(2000)
    for (const [row, value] of slippage.entries()) {
      expect(value * arrival[row]).toBeCloseTo(impact.get(desks[row])!, 9)
    }
  })
})

describe.skipIf(!bookIsThere)('on the real book', { timeout: 120_000 }, () => {
  beforeAll(() => history('book', 'quotes.csv'), 120_000)

  test('spread and order flow are those of their definitions', () => {
    const [bid, ask, bidSize, askSize] = ['bid', 'ask', 'bid_size', 'ask_size'].map((column) =>
      numbers('quotes.csv', column),
    )
    const spread = numbers('book.csv', 'SPREAD')
    const flow = numbers('book.csv', 'OFI_100_EVENTS')
    const timed = numbers('book.csv', 'OFI_10s')
    expect(spread).toHaveLength(39_999)
    const contribution = (row: number): number => {
      if (row <= 0) return 0
      let sum = 0
      if (bid[row] >= bid[row - 1]) sum += bidSize[row]
      if (bid[row] <= bid[row - 1]) sum -= bidSize[row - 1]
      if (ask[row] <= ask[row - 1]) sum -= askSize[row]
      if (ask[row] >= ask[row - 1]) sum += askSize[row - 1]
      return sum
    }
    const sumOf = (row: number, events: number): number => {
      let sum = 0
      for (let back = 0; back < events; back++) sum += contribution(row - back)
      return sum
    }
    // Every 37th row, so that a naive sum of a hundred stays quick; 10 s hold 25 events.
    for (let row = 0; row < spread.length; row += 37) {
      expect(spread[row]).toBeCloseTo(ask[row] - bid[row], 9)
      expect(flow[row]).toBe(sumOf(row, 100))
      expect(timed[row]).toBe(sumOf(row, 25))
    }
  })

  test('realised volatility is that of its definition, to the fifteen decimals that it keeps', () => {
    const mid = numbers('book.csv', 'MID')
    const volatility = numbers('book.csv', 'REALISED_VOLATILITY_100_EVENTS')
    const expectedAt = (row: number): number => {
      let sum = 0
      for (let back = 0; back < 100; back++)
        sum += Math.log(mid[row - back] / mid[row - back - 1]) ** 2
      return Math.sqrt(sum)
    }
    for (let row = 100; row < mid.length; row += 101) {
      expect(volatility[row]).toBeCloseTo(expectedAt(row), 9)
    }
  })

  test('order flow moves the mid, the more clearly the more events are taken together', () => {
    const [few, some, many] = priceImpact(folder)
    for (const { centsPerThousandShares, rSquared, rSquaredNext } of [few, some, many]) {
      expect(centsPerThousandShares).toBeGreaterThan(1)
      // It goes with the move that it makes, and says little of the next.
      expect(rSquaredNext).toBeLessThan(rSquared / 4)
    }
    expect(few.rSquared).toBeGreaterThan(0.1)
    expect(some.rSquared).toBeGreaterThan(0.25)
    expect(many.rSquared).toBeGreaterThan(0.4)
  })
})
