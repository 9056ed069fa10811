import { columnOf, type Frame, type FrameColumn } from '../../data/index.ts'

/** The events of each entity side by side, in their order: what windows are swept over. */
export interface EntityOrder {
  /** Rows of the frame, entity by entity; rows without the key are not among them. */
  readonly rows: Int32Array
  /** Where each entity's events begin in `rows`, and at last their number. */
  readonly starts: Int32Array
  /** Event times in the order of `rows`, microseconds UTC. */
  readonly times: Float64Array
}

/** Orders the frame's rows [from, to) by the entity that the key columns name. */
export function entityOrder(
  frame: Frame,
  times: Float64Array,
  keys: readonly string[],
  [from, to]: readonly [number, number],
): EntityOrder {
  const { codes, size } = codesOf(frame, keys, [from, to])
  const starts = new Int32Array(size + 1)
  for (const code of codes) if (code >= 0) starts[code + 1]++
  for (let entity = 0; entity < size; entity++) starts[entity + 1] += starts[entity]
  const next = starts.slice()
  const rows = new Int32Array(starts[size])
  for (let i = 0; i < codes.length; i++) if (codes[i] >= 0) rows[next[codes[i]]++] = from + i
  const ordered = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) ordered[i] = times[rows[i]]
  return { rows, starts, times: ordered }
}

export interface Codes {
  /** By row: a small number for each value of the key; −1 where it is missing. */
  readonly codes: Int32Array
  /** How many values there are. */
  readonly size: number
}

/** Numbers the values of a key, or of several together, from 0 in order of their first row. */
export function codesOf(
  frame: Frame,
  keys: readonly string[],
  range: readonly [number, number],
): Codes {
  const [first, ...more] = keys.map((key) => codesOfColumn(columnOf(frame, key), range))
  return more.reduce(pairs, first)
}

function codesOfColumn(column: FrameColumn, [from, to]: readonly [number, number]): Codes {
  const known = new Map<number | string, number>()
  const codes = new Int32Array(to - from)
  for (let row = from; row < to; row++) {
    const value = column[row]
    if (value === undefined || Number.isNaN(value)) codes[row - from] = -1
    else codes[row - from] = codeOf(known, value)
  }
  return { codes, size: known.size }
}

function pairs(left: Codes, right: Codes): Codes {
  const known = new Map<number, number>()
  const codes = left.codes.map((code, i) => {
    const other = right.codes[i]
    return code < 0 || other < 0 ? -1 : codeOf(known, code * right.size + other)
  })
  return { codes, size: known.size }
}

function codeOf<Value>(known: Map<Value, number>, value: Value): number {
  const code = known.get(value)
  if (code !== undefined) return code
  known.set(value, known.size)
  return known.size - 1
}
