// A draft on the last decisions, at once: what people see while they write a rule.
import { createBacktest } from './backtest.ts'
import type { BacktestReport } from './backtest.ts'
import type { DeployedPolicy } from './deployed.ts'
import { canonicalVector, circumstancesOf, createEngine, rowOf } from './engine.ts'
import type { DecisionRecord } from './records.ts'
import type { DecideRemote } from './remote.ts'

/** Decisions of one trial. */
const TRIED_MAX = 1000
const RECORDS_A_READ = 1000
/** A journal may hold more events and labels than decisions; further back is not looked. */
const READS_MAX = 20

/**
 * Answers the newest decisions of a namespace again by another document of the same policy, on the
 * values that they were made on. Lists are as they were found then; a list that no rule asked is
 * taken as empty. Fewer decisions come back where the journal has fewer near its end.
 */
export async function tryDraft(
  document: DeployedPolicy,
  {
    decide,
    namespace,
    positiveOf,
  }: {
    readonly decide: Pick<DecideRemote, 'namespaces' | 'records'>
    readonly namespace: string
    /** What is known of events by now; null without a label. */
    readonly positiveOf: (eventIds: readonly string[]) => Promise<ReadonlyMap<string, boolean>>
  },
): Promise<BacktestReport> {
  const names = document.featureSets.flatMap((set) => set.features.map(({ name }) => name))
  const engine = createEngine(document, names)
  const { records, layouts } = await lastDecisions(document, decide, namespace)
  const positives = await positiveOf(records.map(({ eventId }) => eventId))
  const backtest = createBacktest(engine, document.policy.reviewCapacityPerDay)
  for (const record of records) {
    const places = new Map((layouts[record.layout] ?? []).map((name, at) => [name, at]))
    const vector = Float64Array.from(names, (name) => {
      return record.features[places.get(name) ?? -1] ?? Number.NaN
    })
    backtest.add({
      eventId: record.eventId,
      eventTimeUs: record.eventTimeUs,
      row: rowOf(record.event, document),
      vector: canonicalVector(vector),
      amountMinor: record.shown.amountMinor,
      positive: positives.get(record.eventId) ?? null,
      // A rule that was in shadow then is no paused one.
      circumstances: { ...circumstancesOf(record), paused: new Set() },
      before: { outcome: record.outcome, rules: record.rules },
    })
  }
  return backtest.report()
}

async function lastDecisions(
  { policy }: DeployedPolicy,
  decide: Pick<DecideRemote, 'namespaces' | 'records'>,
  namespace: string,
) {
  const known = (await decide.namespaces()).find((each) => each.namespace === namespace)
  let until = known?.lastSequence ?? 0
  let records: DecisionRecord[] = []
  const layouts: Record<string, string[]> = {}
  for (let read = 0; read < READS_MAX && until > 0 && records.length < TRIED_MAX; read++) {
    const after = Math.max(0, until - RECORDS_A_READ)
    const page = await decide.records({ namespace, after, limit: until - after })
    Object.assign(layouts, page.layouts)
    const decisions = page.records.flatMap((record) =>
      record.type === 'decision' && record.policy === policy.name && record.sequence <= until
        ? [record]
        : [],
    )
    records = [...decisions, ...records]
    until = after
  }
  return { records: records.slice(-TRIED_MAX), layouts }
}
