import type { CycleFigure, GraphAggregateOf, GraphFigure, GraphOf } from './compiled.ts'
import {
  CYCLE_EXPLORED_MAX,
  CYCLE_LENGTH_MAX,
  CYCLE_LENGTH_MIN,
  EXPLORED_MAX,
  readsAmounts,
} from './compiled.ts'
import type { DraftGraphAggregate } from './declare.ts'

type DraftFilter = DraftGraphAggregate['graph']['where']

/** What the compiler of features knows of the source; each reports what is wrong by itself. */
export interface GraphChecks<F> {
  /** A column that names an entity. */
  readonly vertex: (column: string) => string | undefined
  /** A column of whole numbers: money or integers. */
  readonly amount: (column: string) => string | undefined
  /** A filter over one event's columns and calendar. */
  readonly filter: (filter: DraftFilter) => F | null | undefined
  readonly windowUs: (text: string) => number | undefined
  /** Takes a sentence that says what to do. */
  readonly report: (sentence: string) => void
}

/** The checked figure, or undefined where something in it was reported. */
export function compileGraphAggregate<F>(
  draft: DraftGraphAggregate,
  checks: GraphChecks<F>,
): GraphAggregateOf<F> | undefined {
  const { graph: drafted, window, ...figure } = draft
  const graph = compileGraph(drafted, checks)
  const windowUs = checks.windowUs(window)
  const mistake = mistakeIn(figure, drafted.amount !== null)
  if (mistake !== undefined) checks.report(mistake)
  if (graph === undefined || windowUs === undefined || mistake !== undefined) return undefined
  return { ...figure, graph, windowUs }
}

function compileGraph<F>(
  draft: DraftGraphAggregate['graph'],
  checks: GraphChecks<F>,
): GraphOf<F> | undefined {
  const from = checks.vertex(draft.from)
  const to = checks.vertex(draft.to)
  const amount = draft.amount === null ? null : checks.amount(draft.amount)
  const where = checks.filter(draft.where)
  if (draft.from === draft.to) {
    checks.report(`a graph from and to ${JSON.stringify(draft.to)} has no edges; name two columns.`)
    return undefined
  }
  if (from === undefined || to === undefined) return undefined
  if (amount === undefined || where === undefined) return undefined
  const graph = { from, to, amount, where }
  return draft.apart ? { ...graph, apart: true } : graph
}

function mistakeIn(figure: GraphFigure, hasAmounts: boolean): string | undefined {
  if (readsAmounts(figure) && !hasAmounts) {
    return 'it needs the amounts of edges; add amount to graph({ from, to, amount }).'
  }
  const cycle = figure.function === 'cycles' || figure.function === 'cycleFlow'
  if ('explored' in figure) {
    const most = cycle ? CYCLE_EXPLORED_MAX : EXPLORED_MAX
    if (!Number.isInteger(figure.explored) || figure.explored < 1 || figure.explored > most) {
      return `explored: ${figure.explored} is not possible; choose a whole number from 1 to ${most}.`
    }
  }
  return cycle ? mistakeInLengths(figure) : undefined
}

function mistakeInLengths({ shortest, longest }: CycleFigure): string | undefined {
  const whole = Number.isInteger(shortest) && Number.isInteger(longest)
  if (whole && shortest >= CYCLE_LENGTH_MIN && shortest <= longest && longest <= CYCLE_LENGTH_MAX) {
    return undefined
  }
  return (
    `cycles of ${shortest} to ${longest} edges cannot be looked for; choose whole numbers from ` +
    `${CYCLE_LENGTH_MIN} to ${CYCLE_LENGTH_MAX}.`
  )
}
