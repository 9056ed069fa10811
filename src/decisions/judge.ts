// From what fired and what the model says to one outcome. Pure; the order of precedence is here alone.
import type { CompiledRule, CompiledTypology, Outcome } from './policy.ts'
import { outcomes } from './policy.ts'

/** What led to an outcome. */
export type Path = 'rule' | 'typology' | 'score' | 'default'

export interface Thresholds {
  readonly decline: number
  readonly review: number
}

export interface Judged {
  readonly outcome: Outcome
  readonly path: Path
}

/** The points of a typology on one event, and what it asks for. */
export interface TypologyPoints {
  readonly name: string
  readonly points: number
  /** Null where they stay below its alert. */
  readonly then: Outcome | null
}

/** Sums up typologies over the rules that fired; those without any point are left out. */
export function sumTypologies(
  typologies: readonly CompiledTypology[],
  fired: readonly CompiledRule[],
): TypologyPoints[] {
  if (fired.length === 0) return []
  return typologies.flatMap(({ name, weights, alert, interdict }) => {
    const points = fired.reduce((sum, rule) => sum + (weights[rule.name] ?? 0), 0)
    if (points === 0) return []
    const then =
      interdict !== null && points >= interdict ? 'decline' : points >= alert ? 'review' : null
    return [{ name, points, then }]
  })
}

/**
 * Rules of a priority above 0 decide over all else, the highest priority first. Else decline wins over
 * review, review over allow, whether a rule, a typology or the score says so; a rule that allows
 * exempts the event from the score's thresholds, and yields to any that does not. Where nothing asks
 * for anything and no model answered (`score` is NaN), the declared default holds.
 */
export function judge(
  score: number,
  fired: readonly CompiledRule[],
  typologies: readonly TypologyPoints[],
  { thresholds, fallback }: { readonly thresholds: Thresholds; readonly fallback: Outcome },
): Judged {
  const asking = fired.filter(({ then }) => then !== undefined)
  const highest = asking.reduce((most, { priority = 0 }) => Math.max(most, priority), 0)
  if (highest > 0) {
    const first = asking.filter(({ priority = 0 }) => priority === highest)
    return { outcome: strongest(first.map(({ then }) => then!))!, path: 'rule' }
  }
  const byRule = strongest(asking.map(({ then }) => then!))
  const byTypology = strongest(typologies.flatMap(({ then }) => then ?? []))
  const wanted: (Judged | undefined)[] = [
    asked(byRule, 'rule'),
    asked(byTypology, 'typology'),
    // A rule that allows is an exemption from the score, and from nothing else.
    byRule === 'allow' ? undefined : byScore(score, thresholds),
  ]
  const best = wanted.reduce((most, each) =>
    each !== undefined && (most === undefined || rank(each.outcome) > rank(most.outcome))
      ? each
      : most,
  )
  return best ?? { outcome: fallback, path: 'default' }
}

function asked(outcome: Outcome | undefined, path: Path): Judged | undefined {
  return outcome === undefined ? undefined : { outcome, path }
}

function byScore(score: number, { decline, review }: Thresholds): Judged | undefined {
  if (Number.isNaN(score)) return undefined
  const outcome = score >= decline ? 'decline' : score >= review ? 'review' : 'allow'
  return { outcome, path: 'score' }
}

function strongest(of: readonly Outcome[]): Outcome | undefined {
  return of.toSorted((a, b) => rank(b) - rank(a))[0]
}

function rank(outcome: Outcome): number {
  return outcomes.indexOf(outcome)
}
