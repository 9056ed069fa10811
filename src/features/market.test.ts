import { expect, test } from 'vitest'
import type { ColumnDeclarations, Row } from '../data/index.ts'
import {
  category,
  compileSource,
  eventTime,
  id,
  integer,
  key,
  money,
  number,
  source,
} from '../data/index.ts'
import { agreedValues } from './agreed.cases.ts'
import { compileFeatureSet } from './compile.ts'
import type { EventScope } from './declare.ts'
import { featureSet } from './declare.ts'
import type { Feature } from './feature.ts'
import {
  amihud,
  depthImbalance,
  effectiveSpread,
  implementationShortfall,
  kylesLambda,
  mid,
  orderFlowImbalance,
  realisedVolatility,
  relativeSpread,
  slippage,
  spread,
} from './market.ts'
import type { Fact } from './oracle.cases.ts'

const bookColumns = {
  id: id(),
  at: eventTime(),
  symbol: key('text'),
  bid: money('USD'),
  ask: money('USD'),
  bid_size: integer(),
  ask_size: integer(),
}
const quotes = source('quotes', { columns: bookColumns })

const tradeColumns = {
  id: id(),
  at: eventTime(),
  symbol: key('text'),
  side: category(['buy', 'sell']),
  price: money('USD'),
  size: integer(),
  arrival: number(),
}
const trades = source('trades', { columns: tradeColumns })

type Named = { as(name: string): Feature }

/** The values of the last of the rows, which come a second apart; prices are in dollars. */
function valuesOf<Columns extends ColumnDeclarations>(
  declared: ReturnType<typeof source<Columns>>,
  declare: (tx: EventScope<Columns>) => readonly Named[],
  rows: readonly Row[],
): number[] {
  const set = compileFeatureSet(
    featureSet('set', declared, (tx) => declare(tx).map((value, i) => value.as(`F${i}`))),
  )
  const facts = rows.map((cells, i): Fact => {
    return { kind: 'event', row: [`e${i}`, i * 1_000_000, 'AMZN', ...cells] }
  })
  return agreedValues(set, compileSource(declared), facts)
}

/** Bid and ask in dollars, and their sizes. */
function quote(bid: number, ask: number, bidSize: number, askSize: number): Row {
  return [bid * 100, ask * 100, bidSize, askSize]
}

/** A trade, with the mid at its order's arrival. */
function trade(side: 'buy' | 'sell', price: number, size: number, arrival = 0): Row {
  return [side, price * 100, size, arrival]
}

test('the best prices and sizes give the spreads, the mid and the depth imbalance', () => {
  const values = valuesOf(
    quotes,
    (tx) => {
      const best = { bid: tx.value('bid'), ask: tx.value('ask') }
      const bought = { side: tx.value('bid').sign(), price: tx.value('ask') }
      return [
        mid(best),
        spread(best),
        relativeSpread(best),
        effectiveSpread(bought, best),
        depthImbalance(tx.value('bid_size'), tx.value('ask_size')),
      ]
    },
    [quote(99, 101, 300, 100)],
  )
  expect(values).toEqual([100, 2, 0.02, 2, 0.5])
})

test('order-flow imbalance adds what came to the bid and left the ask', () => {
  const flow = (tx: EventScope<typeof bookColumns>) => [
    orderFlowImbalance(tx, tx.per('symbol'), {
      bid: 'bid',
      ask: 'ask',
      bidSize: 'bid_size',
      askSize: 'ask_size',
    }).over('1h'),
  ]
  const start = quote(100, 101, 50, 40)
  const flowOf = (...rows: readonly Row[]): number => valuesOf(quotes, flow, [start, ...rows])[0]
  expect(flowOf()).toBe(0)
  // The queue at the bid grows by 10.
  expect(flowOf(quote(100, 101, 60, 40))).toBe(10)
  // The bid rises: all of the new queue came. It falls back: all of it left.
  expect(flowOf(quote(100.5, 101, 30, 40))).toBe(30)
  expect(flowOf(quote(100.5, 101, 30, 40), quote(100, 101, 50, 40))).toBe(0)
  // The ask's queue grows by 5; then the ask falls to a queue of 20.
  expect(flowOf(quote(100, 101, 50, 45))).toBe(-5)
  expect(flowOf(quote(100, 101, 50, 45), quote(100, 100.5, 50, 20))).toBe(-25)
})

test('realised volatility is the root of the summed squared log returns', () => {
  const volatility = (tx: EventScope<typeof tradeColumns>) => [
    realisedVolatility(tx, tx.per('symbol'), 'price').over('1h'),
  ]
  const tape = [100, 110, 99].map((price) => trade('buy', price, 1))
  const returns = [Math.log(110 / 100), Math.log(99 / 110)]
  const root = Math.hypot(...returns)
  expect(valuesOf(trades, volatility, tape)[0]).toBeCloseTo(root, 12)
  expect(valuesOf(trades, volatility, tape.slice(0, 1))[0]).toBeNaN()
  const ofMid = (tx: EventScope<typeof bookColumns>) => [
    realisedVolatility(
      tx,
      tx.per('symbol'),
      mid({ bid: tx.value('bid'), ask: tx.value('ask') }),
    ).over('1h'),
  ]
  const book = [100, 110, 99].map((price) => quote(price - 1, price + 1, 1, 1))
  expect(valuesOf(quotes, ofMid, book)[0]).toBeCloseTo(root, 12)
})

test('Kyle’s lambda is the slope of price changes on signed volume', () => {
  const lambda = (tx: EventScope<typeof tradeColumns>) => [
    kylesLambda(tx, tx.per('symbol'), 'price', {
      signedVolume: tx.value('side').is('buy').choose(1, -1).times(tx.value('size')),
    }).over('1h'),
  ]
  // Every 100 bought raise the price by a dollar.
  const tape = [
    trade('buy', 100, 700),
    trade('buy', 102, 200),
    trade('sell', 101, 100),
    trade('buy', 104, 300),
  ]
  expect(valuesOf(trades, lambda, tape)).toEqual([0.01])
  // y = 2 and −2 and 0 on x = 100, −100 and 300: Σx = 300, Σy = 0, Σxy = 400, Σx² = 110,000.
  const noisy = [
    trade('buy', 100, 1),
    trade('buy', 102, 100),
    trade('sell', 100, 100),
    trade('buy', 100, 300),
  ]
  expect(valuesOf(trades, lambda, noisy)).toEqual([(3 * 400) / (3 * 110_000 - 300 ** 2)])
  expect(valuesOf(trades, lambda, tape.slice(0, 2))).toEqual([NaN])
})

test('Amihud’s illiquidity is the mean absolute return a million traded', () => {
  const illiquidity = (tx: EventScope<typeof tradeColumns>) => {
    const volume = tx.value('price').times(tx.value('size'))
    return [amihud(tx, tx.per('symbol'), 'price', volume).over('1h')]
  }
  // Returns of 10 % on 110,000 dollars and of 10 % on 49,500.
  const tape = [trade('buy', 100, 1), trade('buy', 110, 1000), trade('sell', 99, 500)]
  const expected = (1e6 * (0.1 / 110_000 + 0.1 / 49_500)) / 2
  expect(valuesOf(trades, illiquidity, tape)[0]).toBeCloseTo(expected, 8)
})

test('VPIN is the mean imbalance of full buckets, filled from the newest trade', () => {
  const vpin = (tx: EventScope<typeof tradeColumns>) => [
    tx
      .per('symbol')
      .vpin('size', { buy: tx.value('side').is('buy'), bucketVolume: 100, buckets: 2 })
      .over('1h'),
  ]
  const of = (...rows: readonly Row[]): number => valuesOf(trades, vpin, rows)[0]
  // Buckets of 80 bought and 20 sold, and of 50 and 50: (60 + 0) over 200.
  const full = [
    trade('buy', 100, 50),
    trade('sell', 100, 50),
    trade('buy', 100, 80),
    trade('sell', 100, 20),
  ]
  expect(of(...full)).toBe(0.3)
  // What came before them has left.
  expect(of(trade('sell', 100, 1000), ...full)).toBe(0.3)
  // A trade of 150 fills a bucket and half of the next one, which 50 sold before it complete.
  expect(of(trade('sell', 100, 80), trade('buy', 100, 150))).toBe((100 + 0) / 200)
  expect(of(trade('buy', 100, 199))).toBeNaN()
})

test('slippage and implementation shortfall are the costs of an order', () => {
  const costs = (tx: EventScope<typeof tradeColumns>) => {
    const side = tx.value('side').is('buy').choose(1, -1)
    const [price, arrival] = [tx.value('price'), tx.value('arrival')]
    const filled = tx.value('size')
    return [
      slippage({ side, price }, arrival),
      implementationShortfall({
        side,
        decisionPrice: arrival,
        fillPrice: price,
        ordered: filled.plus(50),
        filled,
        lastPrice: price.plus(1),
        fees: 7,
      }),
    ]
  }
  // 100 bought a dollar above the decision, 50 missed that are two dollars above, 7 paid.
  expect(valuesOf(trades, costs, [trade('buy', 101, 100, 100)])).toEqual([0.01, 100 + 100 + 7])
  // 100 sold a dollar above it gain; the 50 not sold would have gained two each.
  expect(valuesOf(trades, costs, [trade('sell', 101, 100, 100)])).toEqual([-0.01, -100 - 100 + 7])
})
