import { NO_KEY } from './dictionary.ts'
import type { KeyValue } from './dictionary.ts'
import type { StoredNumber } from './plan.ts'
import type { FeatureState } from './state.ts'

/**
 * The saved form of version 0.1 (`ASSAYFS1`): columns of the live events in the order in which they
 * came, whole numbers in 32 bits where they always fit. Bases of homes that were made then are in it.
 */
export interface EarlierHeader {
  readonly set: string
  readonly events: number
  readonly newestUs: number | null
  readonly lastSequence: number
  /** By dictionary: the values of the codes in the columns. */
  readonly keys: readonly (readonly KeyValue[])[]
  /** Ids that are not integers: position and text. */
  readonly textIds: readonly (readonly [number, string])[]
}

/** Fills an empty state; the header fits its set, and `body` begins with the first column. */
export function readEarlierSnapshot(
  state: FeatureState,
  header: EarlierHeader,
  body: Uint8Array,
): void {
  const { plan, dictionaries, labelled } = state
  const [stage] = state.stages
  const { event } = stage
  const columns = new Columns(body)
  const count = header.events
  const times = columns.doubles(count)
  const flags = columns.integers(count)
  const numbers = stage.plan.stored.map((stored) =>
    wasNarrow(stored) ? columns.integers(count) : columns.doubles(count),
  )
  const positions = dictionaries.map(() => columns.integers(count))
  const ids = columns.doubles(labelled === null ? 0 : count)
  const textIds = new Map(header.textIds)
  const codes = header.keys.map((values, d) =>
    values.map((value) => dictionaries[d].acquire(value)),
  )
  const codeAt = (d: number, i: number): number =>
    positions[d][i] === NO_KEY ? NO_KEY : codes[d][positions[d][i]]
  const held = plan.kinds.flatMap((kind) => (kind.labelled ? [kind.dictionary] : []))
  const events = Int32Array.from(times, (timeUs, i) => {
    if (labelled === null) return -1
    const own = held.map((dictionary) => codeAt(dictionary, i))
    own.forEach((code, e) => dictionaries[held[e]].hold(code))
    const id = Number.isNaN(ids[i]) ? textIds.get(i)! : ids[i]
    return labelled.add(id, timeUs, flags[i], own)
  })
  const inOrder = Array.from(times, (_, i) => i).sort((a, b) => times[a] - times[b] || a - b)
  for (const i of inOrder) {
    event.timeUs = times[i]
    event.flags = flags[i]
    event.event = events[i]
    for (let c = 0; c < numbers.length; c++) event.numbers[c] = numbers[c][i]
    for (let d = 0; d < dictionaries.length; d++) event.codes[d] = codeAt(d, i)
    for (const windows of state.kinds) {
      const entity = event.codes[windows.plan.dictionary]
      if (entity === NO_KEY) continue
      windows.reserve(entity)
      windows.append(entity, event)
    }
  }
  codes.forEach((own, d) => own.forEach((each) => dictionaries[d].release(each)))
  state.newestUs = header.newestUs ?? -Infinity
  state.lastSequence = header.lastSequence
}

function wasNarrow({ whole, nullable, absMax }: StoredNumber): boolean {
  return whole && !nullable && absMax <= 2 ** 31 - 1
}

/** Columns one after the other, each beginning at a multiple of eight. */
class Columns {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    // Typed arrays need their bytes aligned, which those of a file's part may not be.
    this.bytes = bytes.slice()
  }

  doubles(count: number): Float64Array {
    const column = new Float64Array(this.bytes.buffer, this.at, count)
    this.at = aligned(this.at + column.byteLength)
    return column
  }

  integers(count: number): Int32Array {
    const column = new Int32Array(this.bytes.buffer, this.at, count)
    this.at = aligned(this.at + column.byteLength)
    return column
  }
}

/** The next multiple of eight. */
export function aligned(length: number): number {
  return (length + 7) & ~7
}
