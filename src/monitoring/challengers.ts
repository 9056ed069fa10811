// Champion and challenger side by side: on the same events where the challenger is in shadow, on their own
// shares where it is live; and whether a guard has had enough.
import type { AnsweredEvent, Outcome, ShadowAnswer } from '../decisions/index.ts'
import { pairedRateDifference, rateDifference, type Counted } from '../lib/sequential.ts'
import { clopperPearsonLower, quantileOfSorted, type Interval } from '../lib/statistics.ts'
import type { ChallengerGuards, ChallengerTraffic } from '../serving/index.ts'
import { psiFrozenDeciles } from './distance.ts'

/** What one of the two did. Rates count what has a label, except `allowed`. */
export interface SideFigures {
  /** Events that it answered. */
  readonly n: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly allowed: Counted
  /** Of those that it reviewed or declined, the positive ones. */
  readonly precision: Counted
  /** Of the positive ones, those that it reviewed or declined. */
  readonly recall: Counted
  /** Of the negative ones, those that it reviewed or declined. */
  readonly disturbed: Counted
  /** Milliseconds, nearest rank; null in shadow, where nobody waits, and where there is nothing. */
  readonly latencyMsP99: number | null
}

/** A difference, challenger − champion. */
export interface ComparedRate {
  readonly difference: number
  readonly interval: Interval
}

export interface ChallengerFigures {
  readonly mode: ChallengerTraffic['mode']
  /** Whether both answered the same events, or events of the same kind; else only the sides count. */
  readonly comparable: boolean
  readonly champion: SideFigures
  readonly challenger: SideFigures
  /** Events on which the challenger was asked and did not answer, of all on which it was asked. */
  readonly errors: Counted
  readonly psi: number | null
  readonly scoreDistance: number | null
  readonly allowed: ComparedRate | null
  readonly recall: ComparedRate | null
  readonly disturbed: ComparedRate | null
  /** Share of the events on which both said the same; null where it is live. */
  readonly agreed: Counted | null
}

interface Answer {
  readonly score: number | null
  readonly outcome: Outcome
  readonly latencyUs: number | null
  readonly label: AnsweredEvent['label']
}

const LEVEL = 0.95

export function compareLive(
  events: readonly AnsweredEvent[],
  { name, when }: Pick<ChallengerTraffic, 'name' | 'when'>,
): ChallengerFigures {
  // An event that it took and did not answer was answered by another in its place.
  const [taken, failed] = [false, true].map((isFailed) =>
    events.filter(({ challenger, unanswered }) => {
      return challenger === name && unanswered.includes(name) === isFailed
    }),
  )
  const champion = events.filter(({ challenger, unanswered }) => {
    return challenger === null && unanswered.length === 0
  })
  const errors = { count: failed.length, n: taken.length + failed.length }
  const isComparable = when === undefined
  return figuresOf('live', isComparable, { champion, challenger: taken, errors }, null)
}

export function compareShadow(answers: readonly ShadowAnswer[]): ChallengerFigures {
  const asked = answers.filter(({ decision }) => {
    return decision.challenger === null && decision.unanswered.length === 0
  })
  const both = asked
    .filter(({ score }) => score !== null)
    .map(({ score, outcome, decision }): readonly [Answer, Answer] => [
      { score, outcome, latencyUs: null, label: decision.label },
      decision,
    ])
  const agreed = both.filter(([ours, theirs]) => ours.outcome === theirs.outcome).length
  const missing = answers.filter(({ score }) => score === null).length
  const sides = {
    challenger: both.map(([ours]) => ours),
    champion: both.map(([, theirs]) => theirs),
    errors: { count: missing, n: answers.length },
    pairs: both,
  }
  return figuresOf('shadow', true, sides, { count: agreed, n: both.length })
}

/** What the two answered to one event, the challenger first. */
type Pairs = readonly (readonly [Answer, Answer])[]

function figuresOf(
  mode: ChallengerTraffic['mode'],
  comparable: boolean,
  sides: {
    readonly champion: readonly Answer[]
    readonly challenger: readonly Answer[]
    readonly errors: Counted
    /** Where both answered the same events. */
    readonly pairs?: Pairs
  },
  agreed: Counted | null,
): ChallengerFigures {
  const champion = sideOf(sides.champion)
  const challenger = sideOf(sides.challenger)
  const scores = [sides.champion, sides.challenger].map((side) =>
    side.flatMap(({ score }) => (score === null ? [] : [score])).sort((a, b) => a - b),
  )
  const compared = (
    rate: 'allowed' | 'recall' | 'disturbed',
    has: (answer: Answer) => boolean,
    of: (answer: Answer) => boolean,
  ): ComparedRate | null => {
    const [ours, theirs] = [challenger[rate], champion[rate]]
    if (!comparable || ours.n === 0 || theirs.n === 0) return null
    const difference = ours.count / ours.n - theirs.count / theirs.n
    if (sides.pairs === undefined) {
      return { difference, interval: rateDifference(ours, theirs, LEVEL) }
    }
    const pairs = sides.pairs.filter(([answer]) => of(answer))
    const first = pairs.filter(([a, b]) => has(a) && !has(b)).length
    const second = pairs.filter(([a, b]) => has(b) && !has(a)).length
    const interval = pairedRateDifference({ first, second, n: pairs.length }, LEVEL)
    return { difference, interval }
  }
  return {
    mode,
    comparable,
    champion,
    challenger,
    errors: sides.errors,
    psi: comparable ? psiFrozenDeciles(scores[0], scores[1]) : null,
    scoreDistance: comparable ? distanceOf(scores[0], scores[1]) : null,
    allowed: compared(
      'allowed',
      ({ outcome }) => outcome === 'allow',
      () => true,
    ),
    recall: compared('recall', isFlagged, ({ label }) => label?.positive === true),
    disturbed: compared('disturbed', isFlagged, ({ label }) => label?.positive === false),
    agreed,
  }
}

const isFlagged = ({ outcome }: Answer) => outcome !== 'allow'

function sideOf(answers: readonly Answer[]): SideFigures {
  const count = (of: readonly Answer[], has: (answer: Answer) => boolean) => ({
    count: of.filter(has).length,
    n: of.length,
  })
  const positive = answers.filter(({ label }) => label?.positive === true)
  const negative = answers.filter(({ label }) => label?.positive === false)
  const isPositive = ({ label }: Answer) => label?.positive === true
  const labelled = [...positive, ...negative]
  const outcomes = { allow: 0, review: 0, decline: 0 }
  for (const { outcome } of answers) outcomes[outcome]++
  const latencies = answers.flatMap(({ latencyUs }) => latencyUs ?? []).sort((a, b) => a - b)
  return {
    n: answers.length,
    outcomes,
    allowed: { count: outcomes.allow, n: answers.length },
    precision: count(labelled.filter(isFlagged), isPositive),
    recall: count(positive, isFlagged),
    disturbed: count(negative, isFlagged),
    latencyMsP99: latencies.length === 0 ? null : quantileOfSorted(latencies, 0.99) / 1000,
  }
}

/** The greatest distance of the two empirical distributions; both sorted, null where one is empty. */
function distanceOf(a: readonly number[], b: readonly number[]): number | null {
  if (a.length === 0 || b.length === 0) return null
  let [i, j, largest] = [0, 0, 0]
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i], b[j])
    while (i < a.length && a[i] <= at) i++
    while (j < b.length && b[j] <= at) j++
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length))
  }
  return largest
}

const GUARD_CONFIDENCE = 0.99

/** Sentences on the guards that have had enough, with the figures; none while too little is known. */
export function trippedGuards(
  { challenger, champion, errors, psi, scoreDistance, comparable }: ChallengerFigures,
  guards: ChallengerGuards,
): string[] {
  const tripped: string[] = []
  const { minDecisions } = guards
  if (errors.n >= minDecisions) {
    const lower = clopperPearsonLower(errors.count, errors.n, GUARD_CONFIDENCE)
    if (lower > guards.errorRateMax) {
      tripped.push(
        `It did not answer ${percent(errors.count / errors.n)} of ${errors.n} events; at most ${percent(guards.errorRateMax)} was agreed.`,
      )
    }
  }
  if (challenger.n < minDecisions) return tripped
  const { latencyMsP99 } = challenger
  if (latencyMsP99 !== null && latencyMsP99 > guards.latencyMsP99Max) {
    tripped.push(
      `One in a hundred of its ${challenger.n} decisions took more than ${latencyMsP99.toFixed(1)} ms; at most ${guards.latencyMsP99Max} ms was agreed.`,
    )
  }
  if (!comparable || champion.n < minDecisions) return tripped
  const over = (value: number | null, max: number, what: string) => {
    if (value === null || value <= max) return
    tripped.push(
      `${what} is ${value.toFixed(3)} over ${challenger.n} scores against the champion's ${champion.n}; at most ${max} was agreed.`,
    )
  }
  over(psi, guards.psiMax, 'The stability index of its scores')
  over(scoreDistance, guards.scoreDistanceMax, 'The distance of its scores')
  const { lower, upper } = rateDifference(challenger.allowed, champion.allowed, 0.98)
  if (Math.max(lower, -upper) > guards.approvalDifferenceMax) {
    tripped.push(
      `It allows ${percent(challenger.allowed.count / challenger.n)} of ${challenger.n} events and the champion ${percent(champion.allowed.count / champion.n)} of ${champion.n}; a difference of ${percent(guards.approvalDifferenceMax)} was agreed.`,
    )
  }
  return tripped
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
