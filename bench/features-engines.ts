// What the engines for history take, function by function: nanoseconds of the processor an event,
// for an aggregate over one window, and for what is needed before the first. These figures stand in
// `src/features/sql/measured-costs.ts`, and the choice between the engines rests on them.
import { transactions } from '../examples/card-fraud/sources.ts'
import { duckdbHistoryEngine } from '../src/adapters/duckdb/index.ts'
import {
  compileFeatureSet,
  createReplayEngine,
  createSweepEngine,
  featureSet,
  type CompiledFeatureSet,
} from '../src/features/index.ts'
import { significant, spent } from './features-measure.ts'
import { allFigures, entities, windowFeatures, windows, type Stream } from './features-stream.ts'
import type { Figures } from './run.ts'

/** `replay_event_ns`, `replay_entity_ns`, `replay_count_ns` …, and the same of `sweep` and `sql`. */
export async function measureEngines(
  { source, frame }: Stream,
  say: (line: string) => void,
): Promise<Figures> {
  const engines = {
    sweep: createSweepEngine(),
    replay: createReplayEngine(),
    sql: duckdbHistoryEngine({ memory: '8GB', threads: 2 }),
  }
  const figures: Record<string, number> = { engine_events: frame.rows }
  for (const [name, engine] of Object.entries(engines)) {
    const time = async (set: CompiledFeatureSet): Promise<number> => {
      const { cpuS } = await spent(() => engine.history({ sets: [set], source, frame }))
      return (cpuS * 1e9) / frame.rows
    }
    // The first run compiles the code.
    await time(columns(1))
    const eventNs = await time(columns(1))
    const featureNs = ((await time(columns(40))) - eventNs) / 39
    figures[`${name}_event_ns`] = significant(eventNs)
    figures[`${name}_feature_ns`] = significant(featureNs)
    for (const figure of allFigures) {
      const all = windowFeatures([figure])
      const one = await time(overOneWindow(all))
      const more = (await time(all)) - one
      const ns = more / (entities.length * (windows.length - 1)) - featureNs
      figures[`${name}_${figure}_ns`] = significant(ns)
      if (figure === 'count') {
        figures[`${name}_entity_ns`] = significant(
          (one - eventNs) / entities.length - ns - featureNs,
        )
      }
      say(`${name} ${figure}: ${ns.toFixed(0)} ns an event and window`)
    }
  }
  return figures
}

/** So many columns of numbers: what it takes to read the events and to write the columns. */
function columns(count: number): CompiledFeatureSet {
  return compileFeatureSet(
    featureSet('columns', transactions, (tx) =>
      Array.from({ length: count }, (_, at) => tx.value('amount').plus(at).as(`amount_${at}`)),
    ),
  )
}

/** Only the features of the shortest window. */
function overOneWindow(set: CompiledFeatureSet): CompiledFeatureSet {
  const end = `_${windows[0].toUpperCase()}`
  return { ...set, features: set.features.filter(({ name }) => name.endsWith(end)) }
}
