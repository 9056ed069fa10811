import type { OutcomeRate } from '../../../monitoring/index.ts'
import type { Overview } from '../../contract/index.ts'
import { rate } from '../present.ts'

/** The share of one outcome, as a page shows it against what is normal. */
export function outcomeRateView(of: OutcomeRate): Overview['outcomes'][number] {
  const { outcome, reference } = of
  const share =
    of.rate === null
      ? rate(0, 0)
      : rate(Math.round(of.rate.value * of.rate.n), of.rate.n, {
          low: of.rate.lower,
          high: of.rate.upper,
        })
  return { outcome, rate: share, normal: usualRange(outcome, reference), verdict: of.verdict }
}

/** Half to twice as much is what the verdict calls usual; of `allow`, what is left. */
function usualRange(
  outcome: string,
  reference: number | null,
): { low: number; high: number } | null {
  if (reference === null) return null
  if (outcome !== 'allow') return { low: reference * 0.5, high: reference * 2 }
  return { low: 1 - (1 - reference) * 2, high: 1 - (1 - reference) * 0.5 }
}
