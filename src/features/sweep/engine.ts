import type { Matrix } from '../../lib/matrix.ts'
import { mergeSets } from '../compile.ts'
import { fail } from '../errors.ts'
import { rowsThatMatter, type EngineRequest, type HistoryEngine } from '../sql/engine.ts'
import { eventColumns } from './event-columns.ts'
import { unsupportedBySweep } from './support.ts'
import { Sweep } from './sweep.ts'

/**
 * Features of the past by sweeping over columns: events are ordered by entity once, and each figure
 * is one pass over them. It keeps no state that an event could come late to, so it calculates what
 * needs none: see `support.ts`. Values are the operator's, bit for bit.
 */
export function createSweepEngine(): HistoryEngine {
  return {
    name: 'sweep',
    processors: 1,
    unsupported(request) {
      const set = mergeSets(request.sets)
      const { reach, end } = rowsThatMatter(set, request)
      return unsupportedBySweep(set, request.source, request.frame, [reach, end])
    },
    history: async (request) => sweep(request),
  }
}

function sweep(request: EngineRequest): Matrix {
  const { source, frame } = request
  const set = mergeSets(request.sets)
  const rows = rowsThatMatter(set, request)
  const refused = unsupportedBySweep(set, source, frame, [rows.reach, rows.end])
  if (refused.length > 0) {
    const why = refused.map(({ feature, reason }) => `${feature}: ${reason}`)
    throw fail.feature_history_unsupported(`${why.join('; ')}.`)
  }
  const events = eventColumns(set, source, frame, [rows.reach, rows.end])
  const figures = new Sweep(frame, rows, events)
  const used = new Set<Float64Array>()
  const columns = set.features.map(({ expression }) => {
    if (expression.op !== 'aggregate') return events.evaluate(expression, rows.first, figures)
    const column = figures.column(expression.aggregate)
    // Two features of one meaning are two columns, which may be changed apart.
    if (used.has(column)) return column.slice()
    used.add(column)
    return column
  })
  return { names: set.features.map(({ name }) => name), rows: rows.end - rows.first, columns }
}
