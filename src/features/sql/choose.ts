import { canonicalJson } from '../../lib/canonical-json.ts'
import { mergeSets } from '../compile.ts'
import type { CompiledFeature, CompiledFeatureSet, Aggregate } from '../compiled.ts'
import { visit } from '../expressions.ts'
import { measuredCosts, type EngineCosts } from './measured-costs.ts'
import type { UnsupportedFeature } from './sql-for.ts'
import { subsetOf } from './subset.ts'

export type EngineKind = 'replay' | 'sql'

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

export interface ChoiceOptions {
  /** Features that SQL may not compute. */
  readonly unsupported?: readonly UnsupportedFeature[]
  /** Among how many processors the engine of SQL shares its work; a replay has one. Default 1. */
  readonly processors?: number
  readonly costs?: Costs
}

type Costs = Readonly<Record<EngineKind, EngineCosts>>

/**
 * Chooses how the features of so many past events are calculated: all by replaying the live
 * operator, all in SQL, or some here and some there, whichever is expected to take least time. The
 * values are the same either way. Costs are measured ones: `npm run bench -- features` prints them.
 */
export function chooseHistoryEngine(
  sets: readonly CompiledFeatureSet[],
  rows: number,
  { unsupported = [], processors = 1, costs: single = measuredCosts }: ChoiceOptions = {},
): HistoryPlan {
  const costs = { replay: single.replay, sql: sharedOut(single.sql, processors) }
  const set = mergeSets(sets)
  const refused = new Map(unsupported.map(({ feature, reason }) => [feature, reason]))
  const able = set.features.filter(({ name }) => !refused.has(name))
  const cheaper = able.filter(
    (feature) => ownCost(feature, costs.sql) < ownCost(feature, costs.replay),
  )
  const replayS = secondsOf(set, rows, costs.replay)
  const candidates = [[], able, cheaper].map((chosen) => {
    const names = new Set(chosen.map(({ name }) => name))
    return { names, seconds: split(set, names, rows, costs) }
  })
  const best = candidates.reduce((a, b) => (b.seconds < a.seconds ? b : a))
  const names = set.features.map(({ name }) => name)
  const sqlS = secondsOf(subsetOf(set, new Set(able.map(({ name }) => name))), rows, costs.sql)
  const times = `about ${tenths(replayS)} s in a replay, ${tenths(sqlS)} s in SQL`
  return {
    features: {
      sql: names.filter((name) => best.names.has(name)),
      replay: names.filter((name) => !best.names.has(name)),
    },
    reasons: names.map((feature) => {
      const why = refused.get(feature)
      if (why !== undefined) {
        return { feature, engine: 'replay', reason: `Only the operator may: ${why}.` }
      }
      const engine = best.names.has(feature) ? 'sql' : 'replay'
      const where =
        engine === 'sql' ? 'SQL is expected to be faster' : 'A replay is expected to be faster'
      return { feature, engine, reason: `${where}: ${rows} events take ${times}.` }
    }),
    expectedS: best.seconds,
    replayS,
  }
}

function split(
  set: CompiledFeatureSet,
  inSql: ReadonlySet<string>,
  rows: number,
  costs: Costs,
): number {
  const rest = new Set(set.features.map(({ name }) => name).filter((name) => !inSql.has(name)))
  return (
    secondsOf(subsetOf(set, inSql), rows, costs.sql) +
    secondsOf(subsetOf(set, rest), rows, costs.replay)
  )
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

function tenths(seconds: number): string {
  return seconds.toFixed(1)
}
