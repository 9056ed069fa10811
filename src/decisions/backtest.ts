// What a draft of a policy would have answered on events of the past, beside what answered them. Counts
// alone are kept, and a few examples, so a month of events takes no memory.
import type { Row } from '../data/index.ts'
import { clopperPearson } from '../lib/statistics.ts'
import { DAY_US, HOUR_US } from '../lib/time.ts'
import type { Circumstances, DecisionEngine, EngineResult } from './engine.ts'
import { judge, sumTypologies } from './judge.ts'
import { fallbackDefaults, outcomes } from './policy.ts'
import type { CompiledRule, Outcome } from './policy.ts'

/** One event of the past, with the values that its features had then. */
export interface PastEvent {
  readonly eventId: string
  readonly eventTimeUs: number
  /** In the order of the draft's contract. */
  readonly row: Row
  /** In the order of the draft engine's names, canonical; it is read at once, and may be used again. */
  readonly vector: Float64Array
  /** Minor units; null where the event has no amount. */
  readonly amountMinor: number | null
  /** What is known of it by now; null without a label. */
  readonly positive: boolean | null
  readonly circumstances: Circumstances
  /** What answered it: its decision, or another policy on the same values. */
  readonly before: { readonly outcome: Outcome; readonly rules: readonly string[] }
}

/** How many events, and what is known of them; amounts in minor units. */
export interface Tally {
  readonly n: number
  readonly positives: number
  readonly negatives: number
  readonly amountMinor: number
  readonly positiveAmountMinor: number
}

export interface RuleFigures {
  readonly name: string
  /** Null for a signal. */
  readonly then: Outcome | null
  readonly mode: 'live' | 'shadow'
  readonly fired: Tally
  /** Share of positives among the labelled ones that it fired on, with its exact 95 % interval. */
  readonly precision: Rate
  /** Share of all positives that it fired on. */
  readonly recall: Rate
  /** Events that are answered less strictly without this rule; none for a rule in shadow. */
  readonly adds: Tally
  /** On how many events it fired together with each other rule of the draft. */
  readonly overlap: Readonly<Record<string, number>>
  /** Hours in which it fired more often than its cap, and would have paused itself. */
  readonly hoursOverCap: number
  /** Events on which its calculation failed: it did not fire there, whatever it would have said. */
  readonly failed: number
  /** The first of them, and why; absent where there is none. */
  readonly failedFirst?: { readonly eventId: string; readonly why: string }
}

export interface Rate {
  /** NaN-free: null where there is nothing to divide by. */
  readonly value: number | null
  readonly lower: number
  readonly upper: number
  readonly n: number
}

export interface PolicyFigures {
  readonly outcomes: Readonly<Record<Outcome, Tally>>
  /** Positives among the labelled ones that were not allowed. */
  readonly precision: Rate
  /** Positives that were not allowed among all. */
  readonly recall: Rate
  readonly reviewsPerDay: {
    readonly mean: number
    readonly max: number
    readonly daysAboveCapacity: number
  }
}

export interface BacktestDay {
  /** Start of the day, µs UTC. */
  readonly startUs: number
  readonly events: number
  readonly draft: Readonly<Record<Outcome, number>>
  readonly before: Readonly<Record<Outcome, number>>
}

/** An event on which the two differ. */
export interface ChangedEvent {
  readonly eventId: string
  readonly eventTimeUs: number
  readonly amountMinor: number | null
  readonly positive: boolean | null
  readonly before: Outcome
  readonly draft: Outcome
  /** Rules of the draft that fired. */
  readonly rules: readonly string[]
}

export interface BacktestReport {
  readonly events: Tally
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly draft: PolicyFigures
  readonly before: PolicyFigures
  /** From what was answered to what the draft answers: `moves[before][draft]`. */
  readonly moves: Readonly<Record<Outcome, Readonly<Record<Outcome, Tally>>>>
  readonly rules: readonly RuleFigures[]
  readonly days: readonly BacktestDay[]
  /** Events on which other rules counted than before, whatever the outcome. */
  readonly rulesChanged: number
  /** Events that no model answered in the draft. */
  readonly unscored: number
  /** The first ones; `moves` counts all. */
  readonly changed: readonly ChangedEvent[]
}

export interface Backtest {
  /** Takes an event in; what the draft answers, without reasons. */
  add(event: PastEvent): EngineResult
  report(): BacktestReport
}

const CHANGED_MAX = 200

/** `capacity` is how many reviews people can work in a day; null where nobody said. */
export function createBacktest(draft: DecisionEngine, capacity: number | null): Backtest {
  const { policy } = draft.document
  const all = newCount()
  const moves = byOutcome(() => byOutcome(newCount))
  const rules = new Map(policy.rules.map((rule) => [rule.name, newRule(rule)]))
  const days = new Map<number, DayCount>()
  const changed: ChangedEvent[] = []
  let fromUs: number | null = null
  let toUs: number | null = null
  let rulesChanged = 0
  let unscored = 0

  return {
    add(event) {
      const { eventId, eventTimeUs, amountMinor, positive, before } = event
      fromUs = Math.min(fromUs ?? Infinity, eventTimeUs)
      toUs = Math.max(toUs ?? -Infinity, eventTimeUs)
      const result = draft.answer(event.row, event.vector, event.circumstances)
      note(all, event)
      if (result.score === null) unscored++
      if (!isSame(before.rules, result.rules)) rulesChanged++
      note(moves[before.outcome][result.outcome], event)
      const day = dayOf(days, eventTimeUs)
      day.events++
      day.draft[result.outcome]++
      day.before[before.outcome]++
      const fired = [...result.rules, ...(result.rulesHeld ?? [])]
      for (const name of fired) {
        const rule = rules.get(name)!
        note(rule.fired, event)
        for (const other of fired) {
          if (other !== name) rule.overlap.set(other, (rule.overlap.get(other) ?? 0) + 1)
        }
        const hour = Math.floor(eventTimeUs / HOUR_US)
        rule.hours.set(hour, (rule.hours.get(hour) ?? 0) + 1)
      }
      for (const name of result.rulesFailed ?? []) noteFailure(rules.get(name)!, draft, event)
      const counting = result.rules.map((name) => rules.get(name)!.rule)
      for (const name of result.rules) {
        const without = outcomeWithout(name, counting, draft, result)
        if (isWeaker(without, result.outcome)) note(rules.get(name)!.adds, event)
      }
      if (before.outcome === result.outcome || changed.length >= CHANGED_MAX) return result
      const { outcome } = result
      const what = { eventId, eventTimeUs, amountMinor, positive }
      changed.push({ ...what, before: before.outcome, draft: outcome, rules: result.rules })
      return result
    },
    report: () => ({
      events: { ...all },
      fromUs,
      toUs,
      draft: policyFigures((own, other) => moves[other][own], reviewsOf(days, 'draft'), capacity),
      before: policyFigures((own, other) => moves[own][other], reviewsOf(days, 'before'), capacity),
      moves,
      rules: [...rules.values()].map((rule) => ruleFigures(rule, all)),
      days: [...days.values()].toSorted((a, b) => a.startUs - b.startUs),
      rulesChanged,
      unscored,
      changed,
    }),
  }
}

interface Count {
  n: number
  positives: number
  negatives: number
  amountMinor: number
  positiveAmountMinor: number
}

interface DayCount {
  readonly startUs: number
  events: number
  readonly draft: Record<Outcome, number>
  readonly before: Record<Outcome, number>
}

interface RuleCount {
  readonly rule: CompiledRule
  readonly fired: Count
  readonly adds: Count
  readonly overlap: Map<string, number>
  readonly hours: Map<number, number>
  failed: number
  failedFirst?: { readonly eventId: string; readonly why: string }
}

function newCount(): Count {
  return { n: 0, positives: 0, negatives: 0, amountMinor: 0, positiveAmountMinor: 0 }
}

function newRule(rule: CompiledRule): RuleCount {
  const counts = { fired: newCount(), adds: newCount() }
  return { rule, ...counts, overlap: new Map(), hours: new Map(), failed: 0 }
}

function byOutcome<T>(make: () => T): Record<Outcome, T> {
  return { allow: make(), review: make(), decline: make() }
}

function dayOf(days: Map<number, DayCount>, eventTimeUs: number): DayCount {
  const startUs = Math.floor(eventTimeUs / DAY_US) * DAY_US
  const known = days.get(startUs)
  if (known !== undefined) return known
  const none = () => 0
  const day = { startUs, events: 0, draft: byOutcome(none), before: byOutcome(none) }
  days.set(startUs, day)
  return day
}

function note(count: Count, { amountMinor, positive }: PastEvent): void {
  count.n++
  count.amountMinor += amountMinor ?? 0
  if (positive === null) return
  if (positive) {
    count.positives++
    count.positiveAmountMinor += amountMinor ?? 0
  } else count.negatives++
}

function noteFailure(count: RuleCount, draft: DecisionEngine, event: PastEvent): void {
  count.failed++
  if (count.failedFirst !== undefined) return
  const { rules } = draft.explain(event.row, event.vector, event.circumstances)
  const { failed } = rules.find(({ name }) => name === count.rule.name)!
  count.failedFirst = { eventId: event.eventId, why: failed ?? '' }
}

/** What the draft would answer if one of the rules that fired were not there. */
function outcomeWithout(
  name: string,
  counting: readonly CompiledRule[],
  { document }: DecisionEngine,
  { score, thresholds }: EngineResult,
): Outcome {
  const { typologies = [], fallback = fallbackDefaults } = document.policy
  const rest = counting.filter((rule) => rule.name !== name)
  const points = sumTypologies(typologies, rest)
  const on = { thresholds, fallback: fallback.outcome }
  return judge(score ?? Number.NaN, rest, points, on).outcome
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at])
}

function isWeaker(a: Outcome, b: Outcome): boolean {
  return outcomes.indexOf(a) < outcomes.indexOf(b)
}

function policyFigures(
  /** Events that one side answered so, and the other so. */
  of: (own: Outcome, other: Outcome) => Tally,
  reviews: readonly number[],
  capacity: number | null,
): PolicyFigures {
  const total = (own: Outcome) => sumTallies(outcomes.map((other) => of(own, other)))
  const totals = { allow: total('allow'), review: total('review'), decline: total('decline') }
  const stopped = sumTallies([totals.review, totals.decline])
  const positives = stopped.positives + totals.allow.positives
  const sum = reviews.reduce((total, n) => total + n, 0)
  return {
    outcomes: totals,
    precision: rate(stopped.positives, stopped.positives + stopped.negatives),
    recall: rate(stopped.positives, positives),
    reviewsPerDay: {
      mean: reviews.length === 0 ? 0 : sum / reviews.length,
      max: Math.max(0, ...reviews),
      daysAboveCapacity: reviews.filter((n) => n > (capacity ?? Infinity)).length,
    },
  }
}

/** Reviews of each day. */
function reviewsOf(days: ReadonlyMap<number, DayCount>, side: 'draft' | 'before'): number[] {
  return [...days.values()].map((day) => day[side].review)
}

function ruleFigures(count: RuleCount, all: Tally): RuleFigures {
  const { rule, fired, adds, overlap, hours, failed, failedFirst } = count
  const { capPerHour = Infinity } = rule
  return {
    name: rule.name,
    then: rule.then ?? null,
    mode: rule.mode ?? 'live',
    fired,
    precision: rate(fired.positives, fired.positives + fired.negatives),
    recall: rate(fired.positives, all.positives),
    adds,
    overlap: Object.fromEntries(overlap),
    hoursOverCap: [...hours.values()].filter((n) => n > capPerHour).length,
    failed,
    ...(failedFirst !== undefined && { failedFirst }),
  }
}

/** All of them together; each event is to be in one of them alone. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  const total = newCount()
  for (const each of tallies) {
    total.n += each.n
    total.positives += each.positives
    total.negatives += each.negatives
    total.amountMinor += each.amountMinor
    total.positiveAmountMinor += each.positiveAmountMinor
  }
  return total
}

function rate(successes: number, n: number): Rate {
  if (n === 0) return { value: null, lower: 0, upper: 1, n }
  const { lower, upper } = clopperPearson(successes, n, 0.95)
  return { value: successes / n, lower, upper, n }
}
