/** Budgets of successive halving and Hyperband. */
import type { Schedule } from './spec.ts'

/** A rung: so many settings at such a share of the whole budget. */
export type Rung = { readonly count: number; readonly budget: number }

/** Shares of the whole budget, ascending by the factor eta up to 1, none below `from`. */
export function rungBudgets(from: number, eta: number): number[] {
  const budgets = [1]
  // Divided anew, not step by step, so that a third of a third is a ninth.
  for (let power = eta; 1 / power >= from * (1 - 1e-9); power *= eta) budgets.unshift(1 / power)
  return budgets
}

/** The rungs of the bracket with this number, counted from 0; undefined where there is none. */
export function bracketRungs(schedule: Schedule, bracket: number): Rung[] | undefined {
  if (schedule.kind === 'full') return undefined
  const { eta } = schedule
  const budgets = rungBudgets(schedule.from, eta)
  if (schedule.kind === 'halving') {
    return bracket === 0 ? halved(schedule.configurations, budgets, eta) : undefined
  }
  const highest = budgets.length - 1
  const rounds = highest - (bracket % budgets.length)
  const count = Math.ceil(((highest + 1) / (rounds + 1)) * integerPower(eta, rounds))
  return halved(count, budgets.slice(highest - rounds), eta)
}

function halved(count: number, budgets: readonly number[], eta: number): Rung[] {
  return budgets.map((budget, rung) => ({
    count: Math.max(1, Math.floor(count / integerPower(eta, rung))),
    budget,
  }))
}

/** A product, because the runtime's power function may differ from it in the last bit. */
function integerPower(base: number, exponent: number): number {
  let power = 1
  for (let i = 0; i < exponent; i++) power *= base
  return power
}
