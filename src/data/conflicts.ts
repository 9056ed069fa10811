// Rows of files about events that a live door accepted before: the same event has one body.
import type { CompiledColumn, CompiledSource } from './contract.ts'
import { failure, type Failure } from './failures.ts'
import { columnOf, textAt, type Frame } from './frame.ts'

/** An event that was accepted live: its values by declared column name, as rows hold them. */
export interface AcceptedEvent {
  readonly eventId: string
  readonly event: { readonly [column: string]: number | string | undefined }
}

/**
 * The ids of a frame's events that say something else than the accepted event of that id. It keeps an
 * id and a row for each event of the frame, and nothing of the others.
 */
export async function conflictsOf(
  source: CompiledSource,
  frame: Frame,
  accepted: AsyncIterable<AcceptedEvent>,
): Promise<ReadonlySet<string>> {
  const conflicting = new Set<string>()
  let rows: ReadonlyMap<number | string, number> | undefined
  const columns = source.columns.map(({ name }) => ({ name, values: columnOf(frame, name) }))
  for await (const { eventId, event } of accepted) {
    rows ??= rowsById(source, frame)
    const row = rows.get(eventId) ?? rows.get(Number(eventId))
    if (row === undefined) continue
    const differs = columns.some(({ name, values }) => {
      const told = event[name]
      return textAt(values, row) !== (told === undefined ? undefined : String(told))
    })
    if (differs) conflicting.add(eventId)
  }
  return conflicting
}

function rowsById(source: CompiledSource, frame: Frame): ReadonlyMap<number | string, number> {
  const ids = columnOf(frame, source.id)
  const rows = new Map<number | string, number>()
  for (let row = 0; row < frame.rows; row++) rows.set(ids[row]!, row)
  return rows
}

export function eventConflict(column: CompiledColumn, id: string): Failure {
  const message =
    'The event was accepted live before, with other values. Make the row say the same, or dismiss it: ' +
    'what was accepted first counts.'
  return failure(column.name, 'event_conflict', id, message)
}
