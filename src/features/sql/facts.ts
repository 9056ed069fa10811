import type { CompiledSource, Frame } from '../../data/index.ts'
import { columnOf, numbersOf } from '../../data/index.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { visit } from '../expressions.ts'

/** What is known of some events as a whole: it decides which integers are wide enough. */
export interface EventFacts {
  readonly rows: number
  /** Event times of the first and the last event, microseconds UTC. */
  readonly fromUs: number
  readonly toUs: number
  /** Most events that share one event time; 1 where all times differ. */
  readonly tiesMax: number
  /** The greatest size of a value, by column: of the columns of whole numbers that are summed. */
  readonly absMax: Readonly<Record<string, number>>
  /**
   * By labels: how long after its event the latest change of a label arrived (microseconds). Absent
   * where the labels cannot be told in SQL: two events share an id, or they come in several parts.
   */
  readonly labelLateUs: Readonly<Record<string, number>>
}

/** How far back from an event its values reach, microseconds; 0 where they hold no aggregate. */
export function reachOf(set: CompiledFeatureSet): number {
  let reachUs = 0
  for (const { expression } of set.features) {
    visit(expression, (node) => {
      if (node.op !== 'aggregate') return
      const { windowUs, delayUs } = node.aggregate
      reachUs = Math.max(reachUs, (windowUs ?? Infinity) + delayUs)
    })
  }
  return reachUs
}

/** The facts of the events in the rows [from, to) of a frame that is in order of event time. */
export function factsOf(
  set: CompiledFeatureSet,
  source: CompiledSource,
  frame: Frame,
  [from, to]: readonly [number, number],
  labelLateUs: EventFacts['labelLateUs'],
): EventFacts {
  const times = numbersOf(frame, source.eventTime)
  const absMax: Record<string, number> = {}
  for (const column of summed(set)) {
    const values = columnOf(frame, column)
    if (values instanceof Float64Array) absMax[column] = greatest(values, from, to)
  }
  return {
    rows: to - from,
    fromUs: from < to ? times[from] : 0,
    toUs: from < to ? times[to - 1] : 0,
    tiesMax: longestRun(times, from, to),
    absMax,
    labelLateUs,
  }
}

function summed(set: CompiledFeatureSet): Set<string> {
  const columns = new Set<string>()
  for (const { expression } of set.features) {
    visit(expression, (node, source) => {
      if (node.op !== 'aggregate' || source !== null) return
      const { column, source: other } = node.aggregate
      if (column !== null && other === undefined) columns.add(column)
    })
  }
  return columns
}

function greatest(values: Float64Array, from: number, to: number): number {
  let size = 0
  for (let row = from; row < to; row++) {
    const own = Math.abs(values[row])
    if (own > size) size = own
  }
  return size
}

function longestRun(times: Float64Array, from: number, to: number): number {
  let longest = 1
  let length = 1
  for (let row = from + 1; row < to; row++) {
    length = times[row] === times[row - 1] ? length + 1 : 1
    if (length > longest) longest = length
  }
  return longest
}
