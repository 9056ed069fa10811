import { numbersOf } from '../../data/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { mergeSets } from '../compile.ts'
import { hasLateEvents } from '../event-stream.ts'
import { firstAtOrAfter, type HistoryRequest } from '../history.ts'
import {
  chooseHistoryEngine,
  engineKinds,
  type ChoiceOptions,
  type EngineKind,
  type HistoryPlan,
} from './choose.ts'
import { createReplayEngine, type EngineRequest, type HistoryEngine } from './engine.ts'
import { subsetOf } from './subset.ts'

/** Events that came late are for the replay alone. */
export type ChosenRequest = EngineRequest & Pick<HistoryRequest, 'arrivalsUs'>

export interface ChosenEngine extends HistoryEngine {
  history(request: ChosenRequest): Promise<Matrix>
  /** What `history` would do with this request, and why. */
  plan(request: ChosenRequest): HistoryPlan
  /** As `history`, with what was done. */
  historyWithPlan(
    request: ChosenRequest,
  ): Promise<{ readonly matrix: Matrix; readonly plan: HistoryPlan }>
}

/** The engines beside the replay. */
export type OtherEngines = Readonly<Partial<Record<Exclude<EngineKind, 'replay'>, HistoryEngine>>>

/** An engine that gives each feature to one of several, by the rule of `chooseHistoryEngine`. */
export function createChosenEngine(
  others: OtherEngines,
  { costs }: Pick<ChoiceOptions, 'costs'> = {},
): ChosenEngine {
  const engines = { ...others, replay: createReplayEngine() }
  const present = engineKinds.flatMap((kind) => engines[kind] ?? [])

  function plan(request: ChosenRequest): HistoryPlan {
    const rows = replayedRows(request)
    const fitting = hasLateEvents(request) ? {} : others
    const offers = Object.entries(fitting).map(([kind, engine]) => {
      return [kind, { unsupported: engine.unsupported(request), processors: engine.processors }]
    })
    return chooseHistoryEngine(request.sets, rows, { engines: Object.fromEntries(offers), costs })
  }

  async function historyWithPlan(request: ChosenRequest) {
    const planned = plan(request)
    const set = mergeSets(request.sets)
    const parts = engineKinds.flatMap((kind) => {
      const names = planned.features[kind]
      const engine = engines[kind]
      if (engine === undefined || names.length === 0) return []
      return [{ kind, engine, sets: [subsetOf(set, new Set(names))] }]
    })
    if (parts.length === 0) return { matrix: await engines.replay.history(request), plan: planned }
    // SQL comes first: it works on threads of its own while the others hold this one.
    const inTurn = parts.toSorted((a, b) => Number(b.kind === 'sql') - Number(a.kind === 'sql'))
    const matrices = await Promise.all(
      inTurn.map(({ engine, sets }) => engine.history({ ...request, sets })),
    )
    const names = set.features.map(({ name }) => name)
    return { matrix: joined(names, matrices), plan: planned }
  }

  return {
    name: present.map(({ name }) => name).join(' or '),
    processors: Math.max(...present.map(({ processors }) => processors)),
    unsupported: () => [],
    plan,
    historyWithPlan,
    history: async (request) => (await historyWithPlan(request)).matrix,
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
