import { fail } from './errors.ts'

/**
 * Where entities lie that memory has no room for. Synchronous: who asks waits for no turn.
 *
 * The store can go back to how it was at a mark, so that a state restored from a checkpoint and
 * replayed from there finds what it found the first time. Kept are the newest mark that resolved
 * and the one before it, because a process may die between a mark and the checkpoint that names it;
 * after a return, the mark returned to and what of the two is older.
 *
 * Reads see every earlier write at once. What was written since the newest mark may be lost, whole
 * or in part, when the process dies: return to a mark first thing after opening.
 */
export interface ColdStore {
  /**
   * What was put last under a key, expired or not; undefined where nothing was, or it was removed.
   * The array is the caller's own and begins at a multiple of eight in its buffer, so that typed
   * arrays can lie over it. Fails with `cold_store_damaged` where it is not what was put.
   */
  get(key: string): Uint8Array | undefined
  /**
   * Keeps a copy of the bytes instead of what was there. `expiresUs`: after which event time
   * (microseconds) `expire` may remove it; without it, never. Fails with `cold_store_refused`
   * where the disk does not take it, and nothing changed then.
   */
  put(key: string, bytes: Uint8Array, expiresUs?: number): void
  /** Removes what lies under a key, if anything does. */
  remove(key: string): void
  /**
   * Makes a mark that `returnTo` can return to: it covers what was written before this call, all of
   * which is durable once the promise resolves. Marks are whole numbers above 0 and rise. A mark
   * that did not resolve may be there after a crash; the two before it are there either way.
   */
  mark(mark: number): Promise<void>
  /**
   * Takes the store back to how it was at a mark, and forgets later ones; 0: to empty. For start-up,
   * it may take long. Fails with `cold_store_mark_unknown` where the mark is not kept any more.
   */
  returnTo(mark: number): void
  /** How much lies there: entries, and the bytes put for them. Cheap: may be asked with every event. */
  statistics(): ColdStoreStatistics
  /**
   * Removes up to `limit` entries whose expiry lies before `beforeUs` (event time, microseconds),
   * the earliest first and equal ones in any order. Returns how many.
   */
  expire(beforeUs: number, limit: number): number
  /** Leaves the store; what was written since the newest mark may be lost. */
  close(): Promise<void>
}

export interface ColdStoreStatistics {
  readonly entries: number
  readonly bytes: number
}

/** Throws for a mark that is no whole number above the newest one: the caller's defect. */
export function checkColdMark(mark: number, newest: number): void {
  if (Number.isSafeInteger(mark) && mark > newest) return
  throw new Error(`The mark ${mark} does not rise above ${newest}.`)
}

/** The refusal to return to a mark that is not among those kept. */
export function coldMarkUnknown(mark: number, kept: readonly number[]): Error {
  const marks = kept.length === 0 ? 'none' : kept.join(' and ')
  return fail.cold_store_mark_unknown(`The mark ${mark} is not kept; kept: ${marks}.`)
}

interface Entry {
  readonly bytes: Uint8Array
  readonly expiresUs: number
}

/** One mark, and what lay at it under the keys that were written since; undefined: nothing. */
interface Generation {
  readonly mark: number
  readonly before: Map<string, Entry | undefined>
}

/** A cold store in this process: for tests. What it holds is lost with the process. */
export function createMemoryColdStore(): ColdStore {
  const live = new Map<string, Entry>()
  let generations: Generation[] = []
  let bytesLive = 0

  /** No entry expires before this. */
  let earliestUs = Infinity

  function write(key: string, entry: Entry | undefined): void {
    const before = live.get(key)
    const kept = generations.at(-1)?.before
    if (kept !== undefined && !kept.has(key)) kept.set(key, before)
    set(key, entry)
  }

  function set(key: string, entry: Entry | undefined): void {
    bytesLive += (entry?.bytes.length ?? 0) - (live.get(key)?.bytes.length ?? 0)
    if (entry === undefined) live.delete(key)
    else live.set(key, entry)
    earliestUs = Math.min(earliestUs, entry?.expiresUs ?? Infinity)
  }

  return {
    get: (key) => live.get(key)?.bytes.slice(),
    put: (key, bytes, expiresUs = Infinity) => write(key, { bytes: bytes.slice(), expiresUs }),
    remove: (key) => write(key, undefined),

    async mark(mark) {
      checkColdMark(mark, generations.at(-1)?.mark ?? 0)
      generations = [...generations.slice(-1), { mark, before: new Map() }]
    },

    returnTo(mark) {
      const kept = generations.map((generation) => generation.mark)
      if (mark === 0) {
        live.clear()
        bytesLive = 0
        generations = []
        return
      }
      if (!kept.includes(mark)) throw coldMarkUnknown(mark, kept)
      const undone = generations.filter((generation) => generation.mark >= mark).toReversed()
      for (const { before } of undone) for (const [key, entry] of before) set(key, entry)
      generations = generations.filter((generation) => generation.mark < mark)
      generations.push({ mark, before: new Map() })
    },

    statistics: () => ({ entries: live.size, bytes: bytesLive }),

    expire(beforeUs, limit) {
      if (earliestUs >= beforeUs) return 0
      const inOrder = [...live].toSorted(([, a], [, b]) => compare(a.expiresUs, b.expiresUs))
      const due = inOrder.filter(([, { expiresUs }]) => expiresUs < beforeUs)
      const expired = due.slice(0, limit)
      earliestUs = inOrder[expired.length]?.[1].expiresUs ?? Infinity
      for (const [key] of expired) write(key, undefined)
      return expired.length
    },

    close: async () => undefined,
  }
}

/** Orders by size; two infinities are equal, which a difference would not say. */
function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b)
}
