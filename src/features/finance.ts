/**
 * Figures of accounts and cards that banks define alike, each one line of declaration. They are
 * made of the vocabulary alone and compile to the same operators as what is written by hand.
 */
import type { ColumnDeclarations } from '../data/index.ts'
import { Composition } from './aggregations.ts'
import type { NumericColumn } from './columns.ts'
import type { EventScope } from './declare.ts'
import type { ConditionOn, Group } from './group.ts'
import type { Condition, NumberValue } from './values.ts'
import type { Duration } from './window.ts'

/**
 * Credit utilisation: what is drawn, as a share of the limit. A balance in the customer's favour
 * (below zero) draws nothing. Missing where the limit is zero or not known. Both in one currency.
 * Source: the amounts-owed ratio of credit scoring, as in the CFPB's glossary of credit reports.
 */
export function creditUtilisation(drawn: NumberValue, limit: NumberValue): NumberValue {
  return drawn.greatest(0).dividedBy(limit)
}

/**
 * Balance volatility: the sample's standard deviation of the balances after each event, over the
 * absolute value of their mean (the coefficient of variation, without a unit). Missing below two
 * events, and where the mean is zero.
 */
export function balanceVolatility<Columns extends ColumnDeclarations>(
  account: Group<Columns>,
  balance: NumericColumn<Columns>,
): Composition {
  return new Composition((over) =>
    over(account.std(balance)).dividedBy(over(account.mean(balance)).absolute()),
  )
}

export interface LiquidityCoverageOptions<Columns extends ColumnDeclarations> {
  /** What can be spent at once, as of the event. */
  readonly balance: NumberValue
  /** The amount of an event, never below zero. */
  readonly amount: NumericColumn<Columns>
  /** Whether an event takes money out; the others bring money in. */
  readonly outflow: (event: EventScope<Columns>) => Condition
}

/**
 * Liquidity coverage of an account: the balance over the net outflow of the window, as the Basel
 * Committee's liquidity coverage ratio takes it (BCBS 238, paragraphs 16 and 69): inflows count
 * against outflows up to three quarters of them. 1 over 30 days is a month's net outflow in hand.
 * Missing where nothing flowed out.
 */
export function liquidityCoverage<Columns extends ColumnDeclarations>(
  account: Group<Columns>,
  { balance, amount, outflow }: LiquidityCoverageOptions<Columns>,
): Composition {
  const inflow: ConditionOn<Columns> = (event) => outflow(event).not()
  return new Composition((over) => {
    const out = over(account.where(outflow).sum(amount))
    const netted = over(account.where(inflow).sum(amount)).least(out.times(0.75))
    return balance.dividedBy(out.minus(netted))
  })
}

/** How far back the income before this one is looked for. */
const INCOME_WITHIN: Duration = '90d'

/**
 * Income regularity: (μ − σ) ÷ (μ + σ) with the mean μ and the sample's standard deviation σ of the
 * whole seconds between one income and the next: 1 where they are evenly spaced, 0 where they come
 * at random, below 0 where they come in bursts. The burstiness of Goh & Barabási (EPL 81, 2008) with
 * the sign turned. Missing below two gaps. A gap of more than 90 days is none.
 */
export function incomeRegularity<Columns extends ColumnDeclarations>(
  account: Group<Columns>,
  income: ConditionOn<Columns>,
): Composition {
  const incomes = account.where(income)
  const gap = incomes.timeSinceLast().over(INCOME_WITHIN)
  return new Composition((over) => {
    const mean = over(incomes.mean((event) => event.derive(gap, { decimals: 0 })))
    const spread = over(incomes.std((event) => event.derive(gap, { decimals: 0 })))
    return mean.minus(spread).dividedBy(mean.plus(spread))
  })
}
