/** The events of an order that fulfil a filter. */
export interface Chosen {
  /** 1 where an event is chosen; null: all are. */
  readonly passes: Uint8Array | null
  /** How many are chosen before each position of the order, and at last in all. */
  readonly before: Int32Array
  /** Where they stand in the order. */
  readonly positions: Int32Array
}

/** Chooses among `size` events of an order. */
export function chosenAmong(size: number, passes: Uint8Array | null): Chosen {
  const before = new Int32Array(size + 1)
  for (let i = 0; i < size; i++) before[i + 1] = before[i] + (passes === null ? 1 : passes[i])
  const positions = new Int32Array(before[size])
  for (let i = 0; i < size; i++) if (before[i + 1] > before[i]) positions[before[i]] = i
  return { passes, before, positions }
}
