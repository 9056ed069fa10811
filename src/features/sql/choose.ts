import { canonicalJson } from '../../lib/canonical-json.ts'
import { mergeSets } from '../compile.ts'
import type { CompiledFeature, CompiledFeatureSet, Aggregate } from '../compiled.ts'
import { visit } from '../expressions.ts'
import { measuredCosts, type EngineCosts } from './measured-costs.ts'
import type { UnsupportedFeature } from './sql-for.ts'
import { subsetOf } from './subset.ts'

/** In the order in which an engine is preferred where nothing else tells them apart. */
export const engineKinds = ['sweep', 'sql', 'replay'] as const
export type EngineKind = (typeof engineKinds)[number]

export interface HistoryPlan {
  /** Names of the features that each engine calculates, in the sets' order. */
  readonly features: Readonly<Record<EngineKind, readonly string[]>>
  /** Why a feature goes where it goes, a sentence each. */
  readonly reasons: readonly {
    readonly feature: string
    readonly engine: EngineKind
    readonly reason: string
  }[]
  /** What the plan is expected to take, and what a replay of everything would (seconds). */
  readonly expectedS: number
  readonly replayS: number
}

/** Features that one engine calculated, all for one reason. */
export interface EngineUse {
  readonly engine: EngineKind
  readonly features: number
  readonly reason: string
}

/** What an engine beside the replay offers for a request. */
export interface EngineOffer {
  /** Features that it may not calculate. */
  readonly unsupported?: readonly UnsupportedFeature[]
  /** Among how many processors it shares its work. Default 1. */
  readonly processors?: number
}

export interface ChoiceOptions {
  /** The engines at hand; a replay always is, and has one processor. */
  readonly engines: Readonly<Partial<Record<Exclude<EngineKind, 'replay'>, EngineOffer>>>
  readonly costs?: Costs
}

type Costs = Readonly<Record<EngineKind, EngineCosts>>

/** An engine as the choice weighs it. */
interface Candidate {
  readonly kind: EngineKind
  readonly costs: EngineCosts
  /** Why it may not calculate a feature, by the feature's name. */
  readonly refused: ReadonlyMap<string, string>
}

/** Which engine each feature goes to. */
type Assignment = ReadonlyMap<string, EngineKind>

/**
 * Chooses how the features of so many past events are calculated: each by an engine that may, all by
 * one or some here and some there, whichever is expected to take least time. The values are the same
 * either way. Costs are measured ones: `npm run bench -- features --only engines` prints them.
 */
export function chooseHistoryEngine(
  sets: readonly CompiledFeatureSet[],
  rows: number,
  { engines, costs = measuredCosts }: ChoiceOptions,
): HistoryPlan {
  const set = mergeSets(sets)
  const candidates = candidatesOf(engines, costs)
  const timed = assignmentsOf(set, candidates).map((assignment) => ({
    assignment,
    seconds: secondsOfAll(set, assignment, candidates, rows),
  }))
  const best = timed.reduce((a, b) => (b.seconds < a.seconds ? b : a))
  const names = set.features.map(({ name }) => name)
  const given = (kind: EngineKind) => names.filter((name) => best.assignment.get(name) === kind)
  const expected = new Map(
    candidates.map(({ kind, costs: own, refused }) => {
      const able = new Set(names.filter((name) => !refused.has(name)))
      return [kind, secondsOf(subsetOf(set, able), rows, own)]
    }),
  )
  return {
    features: { sweep: given('sweep'), sql: given('sql'), replay: given('replay') },
    reasons: names.map((feature) => {
      const engine = best.assignment.get(feature)!
      return { feature, engine, reason: reasonFor(feature, engine, candidates, expected, rows) }
    }),
    expectedS: best.seconds,
    replayS: expected.get('replay')!,
  }
}

/** A plan in short, for people: how many features each engine took, and why. */
export function enginesOf({ reasons }: Pick<HistoryPlan, 'reasons'>): readonly EngineUse[] {
  const uses = new Map<string, EngineUse>()
  for (const { engine, reason } of reasons) {
    const key = `${engine} ${reason}`
    uses.set(key, { engine, reason, features: (uses.get(key)?.features ?? 0) + 1 })
  }
  return [...uses.values()].sort(
    (a, b) => engineKinds.indexOf(a.engine) - engineKinds.indexOf(b.engine),
  )
}

/** Of rows as of given times, which no plan is made for: only the operator passes all of them. */
export function enginesOfRows({ features }: Pick<CompiledFeatureSet, 'features'>): EngineUse[] {
  const reason =
    'Rows as of given times are read from the live operator as its replay reaches them; ' +
    'other engines give values as of events only.'
  return [{ engine: 'replay', features: features.length, reason }]
}

function candidatesOf(engines: ChoiceOptions['engines'], costs: Costs): readonly Candidate[] {
  return engineKinds.flatMap((kind) => {
    const offer = kind === 'replay' ? {} : engines[kind]
    if (offer === undefined) return []
    const { unsupported = [], processors = 1 } = offer
    const refused = new Map(unsupported.map(({ feature, reason }) => [feature, reason]))
    return [{ kind, costs: sharedOut(costs[kind], processors), refused }]
  })
}

/**
 * The ways to share features out that are weighed: with each choice of engines beside the replay,
 * every feature goes to the first that may, or to the one that is cheapest for it alone.
 */
function assignmentsOf(
  set: CompiledFeatureSet,
  candidates: readonly Candidate[],
): readonly Assignment[] {
  const replay = candidates.find(({ kind }) => kind === 'replay')!
  const others = candidates.filter((candidate) => candidate !== replay)
  const orders = [[], ...others.map((one) => [one]), others, others.toReversed()]
  const assign = (pick: (feature: CompiledFeature) => Candidate): Assignment =>
    new Map(set.features.map((feature) => [feature.name, pick(feature).kind]))
  return orders.flatMap((order) => {
    const able = ({ name }: CompiledFeature) =>
      [...order, replay].filter(({ refused }) => !refused.has(name))
    return [
      assign((feature) => able(feature)[0]),
      assign((feature) =>
        able(feature).reduce((a, b) =>
          ownCost(feature, b.costs) < ownCost(feature, a.costs) ? b : a,
        ),
      ),
    ]
  })
}

/** As if one engine worked after the other. */
function secondsOfAll(
  set: CompiledFeatureSet,
  assignment: Assignment,
  candidates: readonly Candidate[],
  rows: number,
): number {
  let seconds = 0
  for (const { kind, costs } of candidates) {
    const own = set.features.filter(({ name }) => assignment.get(name) === kind)
    seconds += secondsOf(subsetOf(set, new Set(own.map(({ name }) => name))), rows, costs)
  }
  return seconds
}

const called: Readonly<Record<EngineKind, string>> = {
  sweep: 'a sweep',
  sql: 'SQL',
  replay: 'a replay',
}

function reasonFor(
  feature: string,
  engine: EngineKind,
  candidates: readonly Candidate[],
  expected: ReadonlyMap<EngineKind, number>,
  rows: number,
): string {
  const able = candidates.filter(({ refused }) => !refused.has(feature))
  if (able.length === 1) {
    const why = candidates.flatMap(({ refused }) => refused.get(feature) ?? [])
    if (why.length === 0) return 'No other engine is at hand.'
    return `Only the operator may: ${[...new Set(why)].join('; ')}.`
  }
  const name = called[engine]
  const alone = able.reduce((a, b) => (expected.get(b.kind)! < expected.get(a.kind)! ? b : a))
  // Alone it would be faster elsewhere, but an engine that runs for others takes it along.
  if (alone.kind !== engine) {
    return `All features together are expected to take least time with these in ${name}.`
  }
  const times = able.map(({ kind }) => `${timeText(expected.get(kind)!)} in ${called[kind]}`)
  return (
    `${name[0].toUpperCase()}${name.slice(1)} is expected to be fastest: ` +
    `${rows.toLocaleString('en-US')} events take about ` +
    `${times.join(', ')}.`
  )
}

function timeText(seconds: number): string {
  if (seconds >= 0.1) return `${seconds.toFixed(1)} s`
  return `${Math.max(1, Math.round(seconds * 1000))} ms`
}

/** The costs where several processors share the work. */
function sharedOut(costs: EngineCosts, processors: number): EngineCosts {
  const aggregates = Object.entries(costs.aggregateNs)
  return {
    ...costs,
    entityNs: costs.entityNs / processors,
    aggregateNs: Object.fromEntries(aggregates.map(([fn, ns]) => [fn, ns / processors])),
    otherAggregateNs: costs.otherAggregateNs / processors,
  }
}

/** What an engine takes for a set; nothing for a set without features. */
function secondsOf(set: CompiledFeatureSet, rows: number, costs: EngineCosts): number {
  if (set.features.length === 0) return 0
  const aggregates = aggregatesOf(set.features)
  const entities = new Set([...aggregates.values()].map(({ per }) => per.join('\0')))
  let perEventNs = costs.eventNs + set.features.length * costs.featureNs
  perEventNs += entities.size * costs.entityNs
  for (const aggregate of aggregates.values()) perEventNs += aggregateCost(aggregate, costs)
  return costs.startS + (rows * perEventNs) / 1e9
}

/** What a feature adds where its events and entities are at hand anyway. */
function ownCost(feature: CompiledFeature, costs: EngineCosts): number {
  let ns = costs.featureNs
  for (const aggregate of aggregatesOf([feature]).values()) ns += aggregateCost(aggregate, costs)
  return ns
}

function aggregateCost({ function: fn }: Aggregate, costs: EngineCosts): number {
  return costs.aggregateNs[fn] ?? costs.otherAggregateNs
}

/** Each aggregate once, however many features use it. */
function aggregatesOf(features: readonly CompiledFeature[]): Map<string, Aggregate> {
  const found = new Map<string, Aggregate>()
  for (const { expression } of features) {
    visit(expression, (node) => {
      if (node.op === 'aggregate') found.set(canonicalJson(node.aggregate), node.aggregate)
    })
  }
  return found
}
