/**
 * Figures of order books and trade tapes, by their published definitions. They are made of the
 * vocabulary alone; `Group.vpin` is the one that has an operator of its own. Prices are in major
 * units, sides are 1 for a buyer's and −1 for a seller's.
 */
import type { ColumnDeclarations } from '../data/index.ts'
import type { Aggregation } from './aggregations.ts'
import { Composition } from './aggregations.ts'
import type { NumericColumn } from './columns.ts'
import type { EventScope } from './declare.ts'
import type { Group } from './group.ts'
import type { Operand } from './values.ts'
import { NumberValue } from './values.ts'
import type { Duration } from './window.ts'

/** The best prices of a book. */
export interface Quote {
  readonly bid: NumberValue
  readonly ask: NumberValue
}

/** Halfway between the best prices. */
export function mid({ bid, ask }: Quote): NumberValue {
  return bid.plus(ask).dividedBy(2)
}

/** Quoted spread: ask − bid, in the currency. */
export function spread({ bid, ask }: Quote): NumberValue {
  return ask.minus(bid)
}

/** Relative spread: (ask − bid) ÷ mid. */
export function relativeSpread(quote: Quote): NumberValue {
  return spread(quote).dividedBy(mid(quote))
}

export interface Execution {
  /** 1 where the buyer started the trade, −1 where the seller did. */
  readonly side: NumberValue
  readonly price: NumberValue
}

/** Effective spread: 2·side·(price − mid), what a taker paid for both ways (Lee & Ready 1991). */
export function effectiveSpread({ side, price }: Execution, quote: Quote): NumberValue {
  return side.times(price.minus(mid(quote))).times(2)
}

/** Slippage: side·(price − mid at arrival of the order) ÷ that mid; above zero is a cost. */
export function slippage({ side, price }: Execution, arrivalMid: NumberValue): NumberValue {
  return side.times(price.minus(arrivalMid)).dividedBy(arrivalMid)
}

export interface Order {
  /** 1 to buy, −1 to sell. */
  readonly side: NumberValue
  /** The price when it was decided to trade. */
  readonly decisionPrice: NumberValue
  /** The mean price of what was filled. */
  readonly fillPrice: NumberValue
  readonly ordered: NumberValue
  readonly filled: NumberValue
  /** What the rest is valued at: the price when the order ended. */
  readonly lastPrice: NumberValue
  readonly fees?: Operand
}

/**
 * Implementation shortfall (Perold 1988), in the currency: the gain of the order on paper, all of it
 * at the decision price, less the real one. side·(filled·(fill − decision) + (ordered − filled)·
 * (last − decision)) + fees: execution cost, opportunity cost, and what was paid for it.
 */
export function implementationShortfall(order: Order): NumberValue {
  const { side, decisionPrice, fillPrice, ordered, filled, lastPrice, fees = 0 } = order
  const execution = filled.times(fillPrice.minus(decisionPrice))
  const opportunity = ordered.minus(filled).times(lastPrice.minus(decisionPrice))
  return side.times(execution.plus(opportunity)).plus(fees)
}

/** Depth imbalance: (bid size − ask size) ÷ (bid size + ask size), from −1 to 1. */
export function depthImbalance(bidSize: NumberValue, askSize: NumberValue): NumberValue {
  return bidSize.minus(askSize).dividedBy(bidSize.plus(askSize))
}

/** The columns of a book's best level. */
export interface BookColumns<Columns extends ColumnDeclarations> {
  readonly bid: NumericColumn<Columns>
  readonly ask: NumericColumn<Columns>
  readonly bidSize: NumericColumn<Columns>
  readonly askSize: NumericColumn<Columns>
}

/** How far back the event before is looked for. */
const BEFORE_WITHIN: Duration = '1d'

/**
 * Order-flow imbalance (Cont, Kukanov & Stoikov 2014): Σ of 1(b ≥ b′)·q − 1(b ≤ b′)·q′ for the bid
 * and −1(a ≤ a′)·q + 1(a ≥ a′)·q′ for the ask, the primed being those of the book's event before.
 * Sizes are whole numbers. A book's first event of a day adds nothing; 0 over nothing.
 */
export function orderFlowImbalance<Columns extends ColumnDeclarations>(
  tx: EventScope<Columns>,
  book: Group<Columns>,
  columns: BookColumns<Columns>,
): Aggregation {
  const now = (name: NumericColumn<Columns>): NumberValue => tx.value(name)
  const before = (name: NumericColumn<Columns>): NumberValue =>
    book.lag(name, 1).over(BEFORE_WITHIN)
  const { bid, ask, bidSize, askSize } = columns
  const demand = now(bid)
    .atLeast(before(bid))
    .choose(now(bidSize), 0)
    .minus(now(bid).atMost(before(bid)).choose(before(bidSize), 0))
  const supply = now(ask)
    .atMost(before(ask))
    .choose(now(askSize), 0)
    .minus(now(ask).atLeast(before(ask)).choose(before(askSize), 0))
  return book.sum(tx.derive(demand.minus(supply), { decimals: 0 }))
}

/** Squared log returns are kept to 15 decimals: up to 3, a twentyfold price, they fit. */
const SQUARE_DECIMALS = 15

/**
 * Realised volatility: √Σr² of the log returns from one event to the next (Andersen & Bollerslev
 * 1998), not annualised. `price` is a column or a derived figure, such as the mid. Missing without
 * a return. A return from an event more than a day ago is none.
 */
export function realisedVolatility<Columns extends ColumnDeclarations>(
  tx: EventScope<Columns>,
  group: Group<Columns>,
  price: Price<Columns>,
): Composition {
  const { now, before } = movesOf(tx, group, price)
  const change = now.ln().minus(before.ln())
  const squared = tx.derive(change.times(change), { decimals: SQUARE_DECIMALS })
  return new Composition((over) =>
    over(group.sum(squared))
      .squareRoot()
      .onlyWhere(over(group.mean(squared)).isMissing().not()),
  )
}

export interface LambdaOptions {
  /** Size with the sign of the side; a whole number. */
  readonly signedVolume: NumberValue
  /** How many decimals a price has. */
  readonly decimals?: number
}

/**
 * Kyle's λ (1985): the slope of the price changes from one event to the next on the signed volume of
 * the later one, by least squares: (n·Σxy − Σx·Σy) ÷ (n·Σx² − (Σx)²), currency per unit of volume.
 * Missing below two changes, and where all volumes are the same.
 */
export function kylesLambda<Columns extends ColumnDeclarations>(
  tx: EventScope<Columns>,
  trades: Group<Columns>,
  price: Price<Columns>,
  { signedVolume, decimals = 2 }: LambdaOptions,
): Composition {
  const { now, before } = movesOf(tx, trades, price)
  const change = now.minus(before)
  const known = change.isMissing().not()
  const volume = signedVolume.onlyWhere(known)
  const sumOf = (value: NumberValue, places: number): Aggregation =>
    trades.sum(tx.derive(value, { decimals: places }))
  const one = new NumberValue({ op: 'constant', value: 1 }).onlyWhere(known)
  const moment = {
    n: sumOf(one, 0),
    x: sumOf(volume, 0),
    y: sumOf(change, decimals),
    xx: sumOf(volume.times(volume), 0),
    xy: sumOf(volume.times(change), decimals),
  }
  return new Composition((over) => {
    const [n, x] = [over(moment.n), over(moment.x)]
    const together = n.times(over(moment.xy)).minus(x.times(over(moment.y)))
    return together.dividedBy(n.times(over(moment.xx)).minus(x.times(x)))
  })
}

/**
 * Illiquidity of Amihud (2002), in his units: the mean of 10⁶·|r| ÷ (money traded), r being the
 * return p ÷ p′ − 1 from the event before. Kept to nine decimals. Missing without a return.
 */
export function amihud<Columns extends ColumnDeclarations>(
  tx: EventScope<Columns>,
  trades: Group<Columns>,
  price: Price<Columns>,
  volume: NumberValue,
): Aggregation {
  const { now, before } = movesOf(tx, trades, price)
  const change = now.dividedBy(before).minus(1).absolute()
  return trades.mean(tx.derive(change.times(1_000_000).dividedBy(volume), { decimals: 9 }))
}

/** A price: a column, or what it is worked out from at each event. */
export type Price<Columns extends ColumnDeclarations> = NumericColumn<Columns> | NumberValue

/** The price now and at the event before. */
function movesOf<Columns extends ColumnDeclarations>(
  tx: EventScope<Columns>,
  group: Group<Columns>,
  price: Price<Columns>,
): { readonly now: NumberValue; readonly before: NumberValue } {
  if (price instanceof NumberValue) {
    return { now: price, before: group.lag(tx.derive(price), 1).over(BEFORE_WITHIN) }
  }
  return { now: tx.value(price), before: group.lag(price, 1).over(BEFORE_WITHIN) }
}
