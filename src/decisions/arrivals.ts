// The newest decisions in the order in which the read model heard of them, kept at hand for whoever
// watches. However many watch, each decision is read once; while nobody does, nothing is read.
import { createWaiters } from '../lib/waiters.ts'
import type { DecisionRow, DecisionStore } from './ports.ts'

export interface Arrived {
  /** Oldest first, of all namespaces; at most as many as are kept. */
  readonly rows: readonly DecisionRow[]
  /** Whether nothing came before the first of them. */
  readonly isAll: boolean
}

export interface Arrivals {
  /** To be called when the read model has heard of something. */
  moved(): void
  /** How often it moved; what `wait` is given. */
  readonly moves: number
  /** What is at hand now, with all that the read model has heard of. */
  look(): Promise<Arrived>
  /** Resolves once it moved more often than that, after `mostMs`, or when the signal fires. */
  wait(moves: number, mostMs: number, signal: AbortSignal): Promise<void>
}

/** About a kilobyte each. */
const KEPT = 10_000

export function createArrivals(options: {
  readonly store: Pick<DecisionStore, 'arrived'>
  /** How many decisions stay at hand. Default 10,000. */
  readonly kept?: number
}): Arrivals {
  const { store, kept = KEPT } = options
  let rows: readonly DecisionRow[] = []
  let isAll = true
  let place: number | undefined
  let moves = 0
  let known = -1
  let reading: Promise<void> | undefined
  const waiters = createWaiters()

  async function read(): Promise<void> {
    const before = moves
    const page = await store.arrived({ after: place, limit: kept })
    const all = page.isWhole ? [...rows, ...page.rows] : page.rows
    isAll = isAll && page.isWhole && all.length <= kept
    rows = all.slice(-kept)
    place = page.place
    known = before
  }

  return {
    moved() {
      moves += 1
      waiters.wake()
    },
    get moves() {
      return moves
    },
    async look() {
      // One reading may have begun before the last move; a second one has not.
      while (known !== moves) {
        reading ??= read().finally(() => (reading = undefined))
        await reading
      }
      return { rows, isAll }
    },
    async wait(seen, mostMs, signal) {
      if (moves <= seen) await waiters.wait(mostMs, signal)
    },
  }
}
