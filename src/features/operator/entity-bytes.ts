import { NO_KEY } from './dictionary.ts'
import type { EntityWindows, StagedEvent } from './windows.ts'

/** How codes and the numbers of labelled events are written, so that another state can read them. */
export interface References {
  code(dictionary: number, code: number): number
  event(event: number): number
}

/** Where numbers are written, and read from. */
interface NumberWriter {
  integer(value: number): void
  double(value: number): void
}
interface NumberReader {
  integer(): number
  double(): number
}

/**
 * Writes what is known of an entity: its events, and what windows over all time keep of those that
 * have left the ring. Cursors and figures follow from it.
 */
export function writeEntity(
  windows: EntityWindows,
  entity: number,
  to: NumberWriter,
  references: References,
): void {
  const { plan, rings, entries } = windows
  if (plan.ever) {
    // Windows that hold no event of the ring are left with the past alone.
    windows.seek(entity, -Infinity)
    const lanes = windows.lanes(entity)
    for (let lane = 0; lane < plan.lanes; lane++) to.double(windows.figures[lanes + lane])
    plan.links.forEach(({ ever, dictionary }, link) => {
      if (!ever) return
      const left = windows.distinctLinks[link]!.left.get(entity) ?? []
      to.integer([...left].length)
      for (const code of left) to.integer(references.code(dictionary, code))
    })
  }
  rings.select(entity)
  to.integer(rings.end - rings.first)
  for (let position = rings.first; position < rings.end; position++) {
    const at = rings.slot(position)
    to.double(rings.time(position))
    for (const { holds, index } of plan.fields) {
      if (holds === 'flags') to.integer(entries.flags(at))
      else if (holds === 'event') to.integer(references.event(entries.event(at)))
      else if (holds === 'code') to.integer(references.code(index, entries.code(at, index)))
      else if (holds !== 'link') to.double(entries.number(at, index))
    }
    plan.links.forEach(({ dictionary }, link) => {
      const code = windows.distinctLinks[link]?.codeAt(position)
      if (code !== undefined) to.integer(code < 0 ? NO_KEY : references.code(dictionary, code))
    })
  }
}

/** Fills an entity without a past. `staged` is overwritten. */
export function readEntity(
  windows: EntityWindows,
  entity: number,
  from: NumberReader,
  references: References,
  staged: StagedEvent,
): void {
  const { plan } = windows
  windows.reserve(entity)
  windows.welcome(entity)
  if (plan.ever) {
    const lanes = windows.lanes(entity)
    for (let lane = 0; lane < plan.lanes; lane++) windows.figures[lanes + lane] = from.double()
    plan.links.forEach(({ ever, dictionary }, link) => {
      if (!ever) return
      for (let left = from.integer(); left > 0; left--) {
        const code = references.code(dictionary, from.integer())
        windows.distinctLinks[link]!.remember(entity, code)
      }
    })
  }
  for (let events = from.integer(); events > 0; events--) {
    staged.timeUs = from.double()
    for (const { holds, index } of plan.fields) {
      if (holds === 'flags') staged.flags = from.integer()
      else if (holds === 'event') staged.event = references.event(from.integer())
      else if (holds === 'code') {
        const code = from.integer()
        staged.codes[index] = code === NO_KEY ? NO_KEY : references.code(index, code)
      } else if (holds !== 'link') staged.numbers[index] = from.double()
    }
    for (const { op, dictionary, mask } of plan.links) {
      if (op !== 'distinct') continue
      const code = from.integer()
      // A filter may have left out the code of one link and not that of another.
      if (code !== NO_KEY) staged.codes[dictionary] = references.code(dictionary, code)
      else if ((staged.flags & mask) === mask) staged.codes[dictionary] = NO_KEY
    }
    windows.append(entity, staged)
  }
}
