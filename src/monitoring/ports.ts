// What the room keeps: counts in frozen bins, added up by hour, from which any window is a sum.

/** How many live values of one column fell in each frozen bin, in one interval of event time. */
export interface DriftCount {
  readonly namespace: string
  readonly policy: string
  /** The reference whose bins these are: its content hash. */
  readonly reference: string
  /** `score`, or a feature's name. */
  readonly column: string
  /** Start of the hour, µs UTC. */
  readonly startUs: number
  /** One count a bin; the last one counts missing values. */
  readonly counts: readonly number[]
  /** Of the values that are not missing. */
  readonly sum: number
}

/** Keeps drift counts; adding is exact and happens once per journal record. */
export interface DriftCountStore {
  /** The last journal sequence counted for the namespace, 0 at first. */
  position(namespace: string): Promise<number>
  /** Adds to what is stored under (namespace, policy, reference, column, startUs) and moves the position, in one transaction. */
  add(namespace: string, counts: readonly DriftCount[], through: number): Promise<void>
  /** All counts of a reference with `fromUs` ≤ startUs < `untilUs`, by column and time. */
  counts(range: {
    readonly namespace: string
    readonly policy: string
    readonly reference: string
    readonly fromUs: number
    readonly untilUs: number
  }): Promise<DriftCount[]>
}
