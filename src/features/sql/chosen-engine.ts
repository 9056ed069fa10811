import { numbersOf } from '../../data/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { mergeSets } from '../compile.ts'
import { firstAtOrAfter } from '../history.ts'
import { chooseHistoryEngine, type ChoiceOptions, type HistoryPlan } from './choose.ts'
import { createReplayEngine, type EngineRequest, type HistoryEngine } from './engine.ts'
import { subsetOf } from './subset.ts'

export interface ChosenEngine extends HistoryEngine {
  /** What `history` would do with this request, and why. */
  plan(request: EngineRequest): HistoryPlan
}

/** An engine that gives each feature to the replay or to an engine of SQL, by the rule. */
export function createChosenEngine(
  sql: HistoryEngine,
  { costs }: Pick<ChoiceOptions, 'costs'> = {},
): ChosenEngine {
  const replay = createReplayEngine()

  function plan(request: EngineRequest): HistoryPlan {
    const unsupported = sql.unsupported(request)
    const { processors } = sql
    const rows = replayedRows(request)
    return chooseHistoryEngine(request.sets, rows, { unsupported, processors, costs })
  }

  return {
    name: `replay or ${sql.name}`,
    processors: sql.processors,
    unsupported: () => [],
    plan,
    async history(request) {
      const { features } = plan(request)
      if (features.sql.length === 0) return replay.history(request)
      if (features.replay.length === 0) return sql.history(request)
      const set = mergeSets(request.sets)
      const part = (names: readonly string[]): EngineRequest => {
        return { ...request, sets: [subsetOf(set, new Set(names))] }
      }
      // The engine works on threads of its own while the replay holds this one.
      const asked = sql.history(part(features.sql))
      const [replayed, selected] = await Promise.all([replay.history(part(features.replay)), asked])
      return joined(
        set.features.map(({ name }) => name),
        [replayed, selected],
      )
    },
  }
}

/** The events that a replay goes through: those before the period count, those after it do not. */
function replayedRows({ source, frame, toUs = Infinity }: EngineRequest): number {
  return firstAtOrAfter(numbersOf(frame, source.eventTime), frame.rows, toUs)
}

/** The columns of several matrices over the same rows, in the order of the names. */
function joined(names: readonly string[], parts: readonly Matrix[]): Matrix {
  const columns = new Map(
    parts.flatMap((part) => part.names.map((name, index) => [name, part.columns[index]] as const)),
  )
  return { names, rows: parts[0].rows, columns: names.map((name) => columns.get(name)!) }
}
