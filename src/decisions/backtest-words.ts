// What a back-test came to, in a sentence that a person can repeat.
import { sumTallies, type BacktestReport } from './backtest.ts'
import type { Outcome } from './policy.ts'

/** What would change; `money` writes minor units. */
export function sayBacktest(report: BacktestReport, money: (minor: number) => string): string {
  return [sayMoves(report, money), ...sayFailures(report)].join(' ')
}

/** A rule that cannot be calculated looks like one that never fires. */
function sayFailures({ rules }: BacktestReport): string[] {
  return rules
    .filter(({ failed }) => failed > 0)
    .map(({ name, failed }) => `Rule ${name} could not be calculated on ${events(failed)}.`)
}

function sayMoves(report: BacktestReport, money: (minor: number) => string): string {
  const { moves } = report
  const from = (before: Outcome, draft: Outcome) => moves[before][draft]
  const stricter = sumTallies([
    from('allow', 'review'),
    from('allow', 'decline'),
    from('review', 'decline'),
  ])
  const milder = sumTallies([
    from('decline', 'review'),
    from('decline', 'allow'),
    from('review', 'allow'),
  ])
  if (stricter.n + milder.n === 0)
    return report.rulesChanged === 0
      ? 'Nothing would change.'
      : `No answer would change; on ${events(report.rulesChanged)} other rules would have fired.`
  const parts: string[] = []
  if (stricter.n > 0)
    parts.push(
      `${events(stricter.n)} answered more strictly (${many(stricter.positives)} of them positive, ` +
        `${money(stricter.positiveAmountMinor)}; ${many(stricter.negatives)} not)`,
    )
  if (milder.n > 0)
    parts.push(
      `${events(milder.n)} more mildly (${many(milder.positives)} of them positive, ` +
        `${money(milder.positiveAmountMinor)}; ${many(milder.negatives)} not)`,
    )
  return `${parts.join(', ')}.`
}

function many(value: number): string {
  return value.toLocaleString('en-US')
}

function events(n: number): string {
  return `${many(n)} event${n === 1 ? '' : 's'}`
}
