/**
 * A trade tape and orders that are constructed from a seed, so that the answers are known: what is
 * planted here is what the features must find. Prices are whole cents, sizes hundreds of shares.
 */
import { createRandom, type Random } from 'assay'

/** What is planted in the trades of one constructed symbol. */
export interface PlantedTape {
  readonly symbol: string
  /** Kyle's λ in cents per hundred shares: what bought volume adds to the mid. */
  readonly lambda: number
  /** A taker pays this many cents more than the mid, one way: half the effective spread. */
  readonly cost: number
  /** The share of trades that follow the news; the side of the others is a fair coin. */
  readonly informed: number
}

/** One symbol without news and one with; the second also costs more and moves more. */
export const plantedTapes: readonly PlantedTape[] = [
  { symbol: 'CONSTRUCTED-QUIET', lambda: 1, cost: 1, informed: 0 },
  { symbol: 'CONSTRUCTED-INFORMED', lambda: 2, cost: 3, informed: 0.3 },
]

export const tapeShape = {
  /** Trades of each symbol, one a second. */
  trades: 10_000,
  /** News lasts this many trades; then the opposite news begins, so that prices come back. */
  episode: 1250,
  /** Hundreds of shares a trade, equally likely. */
  lots: [1, 2, 3] as const,
  /** Cents by which the mid moves for no reason, equally likely. */
  noise: [-2, -1, 0, 1, 2] as const,
  startCents: 20_000,
} as const

/** What is planted in the orders of one constructed desk, in cents a share of its own side. */
export interface PlantedDesk {
  readonly desk: string
  /** What the price moved against the order between decision and arrival, in the mean. */
  readonly delay: number
  /** What the fills cost against the mid at arrival, exactly. */
  readonly impact: number
  /** What the price had moved against the order since the decision when it ended, in the mean. */
  readonly drift: number
  /** The share of the order that is filled, exactly. */
  readonly filled: number
  readonly feesCents: number
}

export const plantedDesks: readonly PlantedDesk[] = [
  { desk: 'CONSTRUCTED-PATIENT', delay: 6, impact: 1, drift: 12, filled: 0.75, feesCents: 1500 },
  { desk: 'CONSTRUCTED-URGENT', delay: 1, impact: 5, drift: 10, filled: 1, feesCents: 1500 },
]

export const orderShape = {
  /** Orders of each desk, one every ten seconds. */
  orders: 1000,
  /** Shares of an order, equally likely; a whole number is filled of each. */
  ordered: [400, 800, 1200] as const,
  /** Cents by which a price moves for no reason before arrival, and again until the end. */
  noise: [-10, -5, 0, 5, 10] as const,
  decisionCents: [15_000, 20_000, 25_000] as const,
} as const

/** When the constructed hours begin. */
const START = Date.parse('2012-06-21T13:30:00Z')

/** The constructed trades as lines of CSV, the header first, in order of time. */
export function* constructedTrades(
  seed: number,
  planted: readonly PlantedTape[] = plantedTapes,
): Generator<string> {
  yield 'trade_id,at,symbol,side,price,size,mid_before,mid_after\n'
  const random = createRandom(seed).fork('trades')
  const markets = planted.map((tape) => ({
    tape,
    random: random.fork(tape.symbol),
    mid: tapeShape.startCents as number,
  }))
  let id = 0
  for (let place = 0; place < tapeShape.trades; place++) {
    const at = timeText(place * 1000)
    for (const market of markets) {
      const { tape, mid: before } = market
      const side = sideOf(tape, place, market.random)
      const lots = oneOf(tapeShape.lots, market.random)
      market.mid += side * lots * tape.lambda + oneOf(tapeShape.noise, market.random)
      const price = before + side * tape.cost
      const prices = [dollars(price), lots * 100, dollars(before), dollars(market.mid)]
      yield `${++id},${at},${tape.symbol},${sideText(side)},${prices.join(',')}\n`
    }
  }
}

/** Those who are informed trade with the news; the others toss a coin. */
function sideOf({ informed }: PlantedTape, place: number, random: Random): 1 | -1 {
  const news = Math.floor(place / tapeShape.episode) % 2 === 0 ? 1 : -1
  if (random.next() < informed) return news
  return random.next() < 0.5 ? 1 : -1
}

/** The constructed orders as lines of CSV, the header first, in order of time. */
export function* constructedOrders(
  seed: number,
  planted: readonly PlantedDesk[] = plantedDesks,
): Generator<string> {
  yield 'order_id,at,desk,side,ordered,filled,decision_price,arrival_mid,fill_price,last_price,fees\n'
  const random = createRandom(seed).fork('orders')
  const desks = planted.map((desk) => ({ desk, random: random.fork(desk.desk) }))
  let id = 0
  for (let place = 0; place < orderShape.orders; place++) {
    const at = timeText(place * 10_000)
    for (const { desk, random: own } of desks) {
      yield `${++id},${at},${order(desk, own)}\n`
    }
  }
}

function order(desk: PlantedDesk, random: Random): string {
  const side = random.next() < 0.5 ? 1 : -1
  const ordered = oneOf(orderShape.ordered, random)
  const decision = oneOf(orderShape.decisionCents, random)
  const arrival = decision + side * desk.delay + oneOf(orderShape.noise, random)
  const last = decision + side * desk.drift + oneOf(orderShape.noise, random)
  const prices = [decision, arrival, arrival + side * desk.impact, last, desk.feesCents]
  const shares = [ordered, ordered * desk.filled]
  return [desk.desk, sideText(side), ...shares, ...prices.map((cents) => dollars(cents))].join(',')
}

function oneOf<Value>(values: readonly Value[], random: Random): Value {
  return values[random.int(values.length)]
}

function sideText(side: 1 | -1): 'buy' | 'sell' {
  return side === 1 ? 'buy' : 'sell'
}

/** Whole cents as dollars: 20001 is 200.01. */
export function dollars(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}

/** A constructed time, so many milliseconds after the start. */
export function timeText(afterMs: number): string {
  return new Date(START + afterMs).toISOString()
}
