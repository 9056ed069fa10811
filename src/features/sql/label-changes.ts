import type { CompiledSource, Frame, FrameColumn } from '../../data/index.ts'
import { columnOf, numbersOf, textAt } from '../../data/index.ts'
import type { CompiledFeatureSet, CompiledLabelUse } from '../compiled.ts'
import type { LabelArrivals } from '../history.ts'

/**
 * When events became, or ceased to be, known as positive. An event is positive at a time when its
 * changes that arrived by then add up to 1.
 */
export interface LabelChanges {
  readonly labels: string
  /** The frame's rows, rising. */
  readonly rows: Float64Array
  /** Microseconds UTC, later than the event itself. */
  readonly arrivalsUs: Float64Array
  /** 1 or −1. */
  readonly changes: Float64Array
  /** How long after its event the latest of them arrived; 0 where there is none. */
  readonly lateUs: number
}

/**
 * The changes of the labels that a set uses, as the operator would apply them: in the order of their
 * arrival, the last one holds, and what arrives no later than its event finds no event to belong to.
 * Labels of which two events share an id, or which come in several parts, are left out: which event
 * or part goes first is the operator's to say.
 */
export function labelChanges(
  set: CompiledFeatureSet,
  source: CompiledSource,
  frame: Frame,
  labels: readonly LabelArrivals[],
): LabelChanges[] {
  return set.labels.flatMap((use) => {
    const parts = labels.filter((arrivals) => arrivals.labels === use.name)
    if (parts.length > 1) return []
    const changes = changesOf(use, source, frame, parts[0])
    return changes === undefined ? [] : [changes]
  })
}

function changesOf(
  use: CompiledLabelUse,
  source: CompiledSource,
  frame: Frame,
  arrivals: LabelArrivals | undefined,
): LabelChanges | undefined {
  const ids = columnOf(frame, source.id)
  const idAt = identity(ids, arrivals?.eventIds ?? ids)
  const given = arrivals === undefined ? new Map<EventId, number[]>() : byEvent(use, arrivals, idAt)
  const times = numbersOf(frame, source.eventTime)
  const found = { rows: [] as number[], arrivals: [] as number[], changes: [] as number[] }
  let lateUs = 0
  for (let row = 0; row < frame.rows && given.size > 0; row++) {
    const id = idAt(ids, row)
    const own = given.get(id)
    if (own === undefined) continue
    if (own.length === 0) return undefined
    let positive = 0
    for (const at of own) {
      const arrivalUs = arrivals!.arrivalsUs[at]
      const now = Number(arrivals!.values[at] === use.positive)
      if (arrivalUs <= times[row] || now === positive) continue
      found.rows.push(row)
      found.arrivals.push(arrivalUs)
      found.changes.push(now - positive)
      lateUs = Math.max(lateUs, arrivalUs - times[row])
      positive = now
    }
    // Emptied, so that a second event of this id is noticed.
    given.set(id, [])
  }
  return {
    labels: use.name,
    rows: Float64Array.from(found.rows),
    arrivalsUs: Float64Array.from(found.arrivals),
    changes: Float64Array.from(found.changes),
    lateUs,
  }
}

/** The labels of the events that were ever positive, by event id, in the order of their arrival. */
function byEvent(
  use: CompiledLabelUse,
  arrivals: LabelArrivals,
  idAt: Identity,
): Map<EventId, number[]> {
  const { eventIds, values, arrivalsUs } = arrivals
  const found = new Map<EventId, number[]>()
  for (let at = 0; at < values.length; at++) {
    if (values[at] === use.positive) found.set(idAt(eventIds, at), [])
  }
  if (found.size === 0) return found
  for (let at = 0; at < values.length; at++) found.get(idAt(eventIds, at))?.push(at)
  for (const own of found.values()) own.sort((a, b) => arrivalsUs[a] - arrivalsUs[b] || a - b)
  return found
}

type EventId = number | string
type Identity = (column: FrameColumn, row: number) => EventId

/** How ids of two columns are compared: as numbers where both hold numbers, else as text. */
function identity(one: FrameColumn, other: FrameColumn): Identity {
  const whole = one instanceof Float64Array && other instanceof Float64Array
  return (column, row) => (whole ? (column[row] as number) : textAt(column, row)!)
}
