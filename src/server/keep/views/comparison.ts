// Champion and challenger side by side, in words: what is known, and how surely.
import { clopperPearson } from '../../../lib/statistics.ts'
import type { Counted, SequentialEvidence } from '../../../lib/sequential.ts'
import {
  TEST_ALPHA,
  type ChallengerFigures,
  type ComparedRate,
  type PairTests,
  type SideFigures,
} from '../../../monitoring/index.ts'
import type {
  ChallengerView,
  Compared,
  ComparedFigure,
  Comparison,
  Rate,
  Verdict,
} from '../../contract/index.ts'
import { rate, verdict } from '../present.ts'

const LEVEL = 0.95

/** `tests` are of all labels that ever came, the figures of the newest answers. */
export function comparisonView(figures: ChallengerFigures, tests: PairTests): Comparison {
  const { mode, comparable, psi, scoreDistance, errors, agreed } = figures
  return {
    comparable,
    note:
      mode === 'shadow'
        ? 'Both answered the same events; differences are of pairs.'
        : comparable
          ? 'Each answered its own share of the traffic; differences are of separate events.'
          : 'The challenger takes only events on which its condition holds, so the two are not compared.',
    champion: sideView(figures.champion),
    challenger: sideView(figures.challenger),
    errors: rateOf(errors),
    psi,
    scoreDistance,
    agreed: agreed && rateOf(agreed),
    allowed: comparedView(figures.allowed, null),
    recall: comparedView(figures.recall, tests.recall),
    disturbed: comparedView(figures.disturbed, tests.disturbed),
    verdict: verdictOf(figures, tests),
  }
}

/** The lines of the table that people see, as figures of their own. */
export function comparedFigures(policy: string, challenger: ChallengerView): ComparedFigure[] {
  const { name, version, mode, guards, comparison } = challenger
  const { champion, challenger: ours } = comparison
  const of = { policy, name, version: version.id, mode }
  const only = (figure: ComparedFigure['figure'], of: Figure, guard: number | null = null) => ({
    figure,
    champion: null,
    challenger: of,
    guard,
  })
  const both = (figure: ComparedFigure['figure'], side: 'allowed' | 'recall' | 'disturbed') => ({
    figure,
    champion: figureOf(champion[side]),
    challenger: figureOf(ours[side]),
    ...differenceOf(comparison[side]),
  })
  const lines = [
    { figure: 'answers', champion: plain(champion.n), challenger: plain(ours.n) },
    both('allowed', 'allowed'),
    both('recall', 'recall'),
    both('disturbed', 'disturbed'),
    {
      figure: 'precision',
      champion: figureOf(champion.precision),
      challenger: figureOf(ours.precision),
    },
    only('not_answered', figureOf(comparison.errors), guards.errorRateMax),
    {
      ...only('latency_ms_p99', plain(ours.latencyMsP99), guards.latencyMsP99Max),
      champion: plain(champion.latencyMsP99),
    },
    only('psi', plain(comparison.psi), guards.psiMax),
    only('score_distance', plain(comparison.scoreDistance), guards.scoreDistanceMax),
    ...(comparison.agreed === null ? [] : [only('same_outcome', figureOf(comparison.agreed))]),
  ] as const
  return lines.map((line) => ({ difference: null, test: null, guard: null, ...of, ...line }))
}

type Figure = ComparedFigure['champion']

function figureOf({ value, interval, n }: Rate): Figure {
  return { value, low: interval?.low ?? null, high: interval?.high ?? null, n }
}

function plain(value: number | null): Figure {
  return value === null ? null : { value, low: null, high: null, n: null }
}

function differenceOf(compared: Compared | null): Pick<ComparedFigure, 'difference' | 'test'> {
  if (compared === null) return { difference: null, test: null }
  const { difference: value, interval, test } = compared
  return {
    difference: { value, low: interval.low, high: interval.high },
    test: test && { discordant: test.discordant, pValue: test.pValue },
  }
}

function sideView({ n, outcomes, latencyMsP99, ...rates }: SideFigures) {
  return {
    n,
    ...outcomes,
    allowed: rateOf(rates.allowed),
    precision: rateOf(rates.precision),
    recall: rateOf(rates.recall),
    disturbed: rateOf(rates.disturbed),
    latencyMsP99,
  }
}

function rateOf({ count, n }: Counted): Rate {
  if (n === 0) return rate(0, 0)
  const { lower, upper } = clopperPearson(count, n, LEVEL)
  return rate(count, n, { low: lower, high: upper })
}

function comparedView(
  compared: ComparedRate | null,
  test: SequentialEvidence | null,
): Compared | null {
  if (compared === null) return null
  const { difference, interval } = compared
  return {
    difference,
    interval: { low: interval.lower, high: interval.upper, level: LEVEL },
    test: test && {
      discordant: test.discordant,
      // JSON has no infinity; beyond this nobody doubts any more.
      eValue: Math.min(test.eValue, 1e12),
      pValue: test.pValue,
    },
  }
}

function verdictOf({ comparable }: ChallengerFigures, { recall, disturbed }: PairTests): Verdict {
  if (!comparable || recall.discordant + disturbed.discordant === 0) {
    return verdict('no-data', 'No label has come home yet on which the two differ.')
  }
  const sure = ({ pValue, first, discordant }: SequentialEvidence) =>
    pValue <= TEST_ALPHA ? Math.sign(2 * first - discordant) : 0
  const [catches, disturbs] = [sure(recall), sure(disturbed)]
  const words = [
    catches > 0 && 'it catches more fraud',
    catches < 0 && 'it catches less fraud',
    disturbs > 0 && 'it stops more genuine payments',
    disturbs < 0 && 'it stops fewer genuine payments',
  ].filter((word) => word !== false)
  if (words.length === 0) {
    return verdict('ok', 'No difference is sure yet; looking again costs nothing.')
  }
  const isWorse = catches < 0 || disturbs > 0
  return verdict(
    isWorse ? 'warning' : 'ok',
    `Surely different from the champion: ${words.join(', ')}.`,
  )
}
