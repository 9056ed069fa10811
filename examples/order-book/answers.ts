/**
 * What the features of the constructed data must come to, worked out from what was planted: the
 * expected value of each figure, and the standard error of one reading of it. Nothing here looks at
 * the data or at the features.
 */
import { orderShape, tapeShape, type PlantedDesk, type PlantedTape } from './constructed.ts'

export interface Answer {
  readonly expected: number
  /** Of one reading; 0 where the answer is exact. */
  readonly error: number
}

/** Trades behind one reading of the figures of half an hour, one a second. */
export const WINDOW_TRADES = 1800
/** As features.ts declares it. */
export const VPIN = { bucketVolume: 20_000, buckets: 10 } as const

/** Cents to dollars; and cents a hundred shares to dollars a share. */
const [DOLLAR, DOLLAR_A_SHARE] = [1 / 100, 1 / 10_000]

/** Effective spread in dollars: both ways, exactly. */
export function effectiveSpreadAnswer({ cost }: PlantedTape): Answer {
  return { expected: 2 * cost * DOLLAR, error: 0 }
}

/** Kyle's λ in dollars a share; the error is that of a least-squares slope, σ(u) ÷ (√n·σ(x)). */
export function lambdaAnswer({ lambda, informed }: PlantedTape): Answer {
  const lots = momentsOf(tapeShape.lots)
  // News shifts the mean of signed volume, which takes from its variance.
  const flow = Math.sqrt(lots.square - (informed * lots.mean) ** 2)
  const error = momentsOf(tapeShape.noise).deviation / (Math.sqrt(WINDOW_TRADES) * flow)
  return { expected: lambda * DOLLAR_A_SHARE, error: error * DOLLAR_A_SHARE }
}

/** Amihud's illiquidity at a price in dollars: 10⁶·E|move| ÷ (price²·shares). */
export function amihudAnswer(tape: PlantedTape, price: number): Answer {
  const scale = (1e6 * DOLLAR_A_SHARE) / price ** 2
  const terms = movesOf(tape).map(({ cents, lots }) => Math.abs(cents) / lots)
  const { mean, deviation } = momentsOf(terms)
  return { expected: mean * scale, error: (deviation * scale) / Math.sqrt(WINDOW_TRADES) }
}

/** Realised volatility at a price in dollars: √(n·E[move²]) ÷ price. */
export function volatilityAnswer(tape: PlantedTape, price: number): Answer {
  const { mean, deviation } = momentsOf(movesOf(tape).map(({ cents }) => cents ** 2))
  const expected = (Math.sqrt(WINDOW_TRADES * mean) * DOLLAR) / price
  return { expected, error: (expected * deviation) / (2 * mean * Math.sqrt(WINDOW_TRADES)) }
}

/**
 * VPIN while one piece of news lasts. The imbalance of a bucket is about normal with the planted
 * share as its mean, so its absolute value has the folded normal's mean: a little above the share,
 * and above zero where nobody is informed.
 */
export function vpinAnswer({ informed }: PlantedTape): Answer {
  const lots = momentsOf(tapeShape.lots)
  const trades = VPIN.bucketVolume / (100 * lots.mean)
  const variance = (lots.square - (informed * lots.mean) ** 2) / (trades * lots.mean ** 2)
  const deviation = Math.sqrt(variance)
  const expected =
    deviation * Math.sqrt(2 / Math.PI) * Math.exp(-(informed ** 2) / (2 * variance)) +
    informed * (1 - 2 * normalBelow(-informed / deviation))
  const folded = Math.sqrt(informed ** 2 + variance - expected ** 2)
  return { expected, error: folded / Math.sqrt(VPIN.buckets) }
}

/** Mean implementation shortfall of so many of a desk's orders, in dollars. */
export function shortfallAnswer(desk: PlantedDesk, orders: number): Answer {
  const ordered = momentsOf(orderShape.ordered)
  const noise = momentsOf(orderShape.noise)
  const perShare = desk.filled * (desk.delay + desk.impact) + (1 - desk.filled) * desk.drift
  const variance =
    ordered.deviation ** 2 * perShare ** 2 +
    ordered.square * noise.square * (desk.filled ** 2 + (1 - desk.filled) ** 2)
  return {
    expected: (ordered.mean * perShare + desk.feesCents) * DOLLAR,
    error: Math.sqrt(variance / orders) * DOLLAR,
  }
}

/** Every move of the mid that a trade can make, in cents; the sides are mirror images. */
function movesOf({ lambda }: PlantedTape) {
  return tapeShape.lots.flatMap((lots) =>
    tapeShape.noise.map((noise) => ({ lots, cents: lambda * lots + noise })),
  )
}

/** Of values that are equally likely. */
function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + value ** 2, 0) / values.length
  return { mean, square, deviation: Math.sqrt(square - mean ** 2) }
}

/** The normal distribution function, by Simpson's rule over [−8, x]; good to nine digits here. */
function normalBelow(x: number): number {
  const steps = 2000
  const width = (x + 8) / steps
  let sum = 0
  for (let step = 0; step <= steps; step++) {
    const weight = step === 0 || step === steps ? 1 : step % 2 === 1 ? 4 : 2
    sum += weight * Math.exp(-((-8 + step * width) ** 2) / 2)
  }
  return (sum * width) / (3 * Math.sqrt(2 * Math.PI))
}
