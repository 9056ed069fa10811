/**
 * Card precision at k: of the k customers whom investigators can look at in a day, the share that
 * was defrauded that day (Fraud Detection Handbook, chapter 4). Each day customers are ranked by
 * their highest score; those found defrauded among the first k are known and leave later days.
 */
import { fail } from '../errors.ts'

export type CardDays = {
  /** The day of each row, as any whole number that grows with time. */
  readonly day: ArrayLike<number>
  readonly customer: ArrayLike<number | string>
  readonly y: Float64Array
  readonly scores: Float64Array
}

/** The mean over the days; k above the number of customers still divides by k. */
export function cardPrecisionAt(k: number, rows: CardDays): number {
  const ranked = rankCards(rows)
  return cardPrecisionOfRanked(k, ranked)
}

/** Customers of each day in the order in which they would be looked at. */
export type RankedCards = {
  readonly days: readonly DayOfCards[]
  /** The customers, numbered as in `days`. */
  readonly customers: readonly (number | string)[]
}

type DayOfCards = {
  /** Customer numbers, the highest score first; equal scores in order of first appearance. */
  readonly customer: Uint32Array
  /** Whether that customer was defrauded that day. */
  readonly defrauded: Uint8Array
}

export function rankCards(rows: CardDays): RankedCards {
  const { day, customer, y, scores } = rows
  if (day.length !== y.length || customer.length !== y.length || scores.length !== y.length) {
    throw fail.evaluation_invalid('Days, customers, labels and scores differ in number.')
  }
  const numbers = new Map<number | string, number>()
  const byDay = new Map<number, Map<number, { score: number; defrauded: number }>>()
  for (let row = 0; row < y.length; row++) {
    const number = numbers.get(customer[row]) ?? numbers.size
    numbers.set(customer[row], number)
    const cards = byDay.get(day[row]) ?? new Map()
    byDay.set(day[row], cards)
    const card = cards.get(number)
    if (card === undefined) cards.set(number, { score: scores[row], defrauded: y[row] })
    else {
      card.score = Math.max(card.score, scores[row])
      card.defrauded = Math.max(card.defrauded, y[row])
    }
  }
  const days = [...byDay]
    .sort(([a], [b]) => a - b)
    .map(([, cards]) => {
      const ranked = [...cards].sort(([a, x], [b, z]) => z.score - x.score || a - b)
      return {
        customer: Uint32Array.from(ranked, ([number]) => number),
        defrauded: Uint8Array.from(ranked, ([, card]) => card.defrauded),
      }
    })
  return { days, customers: [...numbers.keys()] }
}

/** `weights` (customer numbers) say how often each customer counts; absent: once. */
export function cardPrecisionOfRanked(
  k: number,
  ranked: RankedCards,
  weights?: ArrayLike<number>,
): number {
  const known = new Uint8Array(ranked.customers.length)
  let sum = 0
  for (const { customer, defrauded } of ranked.days) {
    let looked = 0
    let found = 0
    for (let i = 0; i < customer.length && looked < k; i++) {
      const who = customer[i]
      if (known[who] === 1) continue
      const times = Math.min(weights === undefined ? 1 : weights[who], k - looked)
      looked += times
      if (defrauded[i] === 1 && times > 0) {
        found += times
        known[who] = 1
      }
    }
    sum += found / k
  }
  return sum / ranked.days.length
}
