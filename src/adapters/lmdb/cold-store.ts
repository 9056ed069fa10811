import type { ColdStore, ColdStoreStatistics } from '../../features/index.ts'
import { checkColdMark, coldMarkUnknown, featureErrors } from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { decodeValue } from './cold-records.ts'
import type { ColdChange, ColdTables, Expiry } from './cold-tables.ts'
import { openColdTables } from './cold-tables.ts'

export interface ColdStoreOptions {
  /** How much may wait in memory until one transaction writes it. */
  readonly waitingBytesMax?: number
}

const WAITING_BYTES_MAX = 1024 * 1024
/** What a waiting change costs in memory beside its record and its key, about. */
const WAITING_OVERHEAD = 200
/** Changes that one transaction undoes on the way to a mark. */
const RETURN_BATCH = 1_000
/** Old states that no mark needs any more, dropped with each change: twice what it may add. */
const DROPPED_EACH = 2

/**
 * A cold store in a directory of its own, for one process at a time. Writes wait in a bounded map
 * and go to disk in one transaction, durable when it returns, so a call that fills the map takes
 * as long as the disk does.
 *
 * What lay under a key at the newest mark stays when it is first replaced after it. So going back
 * takes as long as what has changed, and the disk holds what lives plus what was replaced since the
 * mark before the newest one, and what is being dropped of the time before.
 */
export function openLmdbColdStore(directory: string, options: ColdStoreOptions = {}): ColdStore {
  const tables = openColdTables(directory)
  try {
    return new LmdbColdStore(directory, tables, options.waitingBytesMax ?? WAITING_BYTES_MAX)
  } catch (error) {
    void tables.close()
    throw error
  }
}

class LmdbColdStore implements ColdStore {
  private readonly directory: string
  private readonly tables: ColdTables
  private readonly waitingBytesMax: number
  /** What is to be written, by stored key; undefined: removed. All of it newer than any mark. */
  private waiting = new Map<string, ColdChange | undefined>()
  private waitingBytes = 0
  /** The earliest expiry among what waits. */
  private waitingExpiresUs = Infinity
  /** No record on disk expires before this, but for those with a change that waits. */
  private expiriesFrom: Expiry | undefined

  constructor(directory: string, tables: ColdTables, waitingBytesMax: number) {
    this.directory = directory
    this.tables = tables
    this.waitingBytesMax = waitingBytesMax
    this.finishReturn()
  }

  get(key: string): Uint8Array | undefined {
    const at = stored(key)
    const waits = this.waiting.get(at)
    if (waits !== undefined) return waits.bytes.slice()
    return this.waiting.has(at) ? undefined : this.read(key, at)
  }

  put(key: string, bytes: Uint8Array, expiresUs = Infinity): void {
    this.write(stored(key), { bytes: bytes.slice(), expiresUs })
    this.waitingExpiresUs = Math.min(this.waitingExpiresUs, expiresUs)
  }

  remove(key: string): void {
    this.write(stored(key), undefined)
  }

  async mark(mark: number): Promise<void> {
    checkColdMark(mark, this.tables.summary.marks.at(-1) ?? 0)
    this.commit(() => this.tables.addMark(mark))
  }

  returnTo(mark: number): void {
    const { tables } = this
    const { marks } = tables.summary
    if (mark !== 0 && !marks.includes(mark)) throw coldMarkUnknown(mark, marks)
    this.forgetWaiting()
    this.expiriesFrom = undefined
    if (mark === 0) {
      this.change(() => tables.clear())
      return
    }
    this.change(() => tables.beginUndoing(mark))
    this.finishReturn()
  }

  statistics(): ColdStoreStatistics {
    let { entries, bytes } = this.tables.summary
    for (const [at, change] of this.waiting) {
      const old = this.tables.record(at)
      entries += Number(change !== undefined) - Number(old !== undefined)
      bytes += (change?.bytes.length ?? 0) - (old?.length ?? 0)
    }
    return { entries, bytes }
  }

  expire(beforeUs: number, limit: number): number {
    // Only what is on disk lies in the order of its expiry.
    if (this.waitingExpiresUs < beforeUs) this.commit()
    if (this.expiriesFrom !== undefined && this.expiriesFrom[0] >= beforeUs) return 0
    // Removing may write to disk, so the range is left before.
    const { expired, from } = this.nextExpired(beforeUs, limit)
    this.expiriesFrom = from
    try {
      for (const at of expired) this.write(at, undefined)
    } catch (error) {
      this.expiriesFrom = undefined
      throw error
    }
    return expired.length
  }

  async close(): Promise<void> {
    await this.tables.close()
  }

  private read(key: string, at: string): Uint8Array | undefined {
    let cause: unknown
    try {
      const record = this.tables.record(at)
      if (record === undefined) return undefined
      const bytes = decodeValue(this.tables.value(record))
      if (bytes?.length === record.length) return bytes
    } catch (error) {
      cause = error
    }
    const detail = `What lies under "${key}" in the cold store ${this.directory} is damaged.`
    throw featureErrors.cold_store_damaged(detail, { cause })
  }

  private write(at: string, change: ColdChange | undefined): void {
    const size = sizeOf(at, change)
    // Refused before it is taken, so that a write that fails has changed nothing.
    if (this.waitingBytes + size > this.waitingBytesMax && this.waiting.size > 0) this.commit()
    if (this.waiting.has(at)) this.waitingBytes -= sizeOf(at, this.waiting.get(at))
    this.waiting.set(at, change)
    this.waitingBytes += size
  }

  /** The earliest keys on disk that have expired, and where the next search begins. */
  private nextExpired(beforeUs: number, limit: number): { expired: string[]; from: Expiry } {
    const expired: string[] = []
    for (const from of this.tables.expiriesFrom(this.expiriesFrom)) {
      const [expiresUs, at] = from
      if (expiresUs >= beforeUs || expired.length >= limit) return { expired, from }
      if (!this.waiting.has(at)) expired.push(at)
    }
    return { expired, from: [Infinity, ''] }
  }

  /** Writes all that waits, and does `more`, as one transaction. */
  private commit(more: () => void = () => undefined): void {
    const { tables, waiting } = this
    this.change(() => {
      for (const [at, change] of waiting) tables.change(at, change)
      tables.dropDead(DROPPED_EACH * waiting.size)
      more()
    })
    const from = this.expiriesFrom
    if (from !== undefined && this.waitingExpiresUs <= from[0]) {
      this.expiriesFrom = [this.waitingExpiresUs, '']
    }
    this.forgetWaiting()
  }

  /** Undoes what is to be undone; a process may die in between and goes on when it opens again. */
  private finishReturn(): void {
    const { tables } = this
    while (tables.summary.undoing.length > 0) this.change(() => tables.undoSome(RETURN_BATCH))
  }

  private forgetWaiting(): void {
    this.waiting = new Map()
    this.waitingBytes = 0
    this.waitingExpiresUs = Infinity
  }

  private change(act: () => void): void {
    try {
      this.tables.transaction(act)
    } catch (error) {
      if (isAssayError(error)) throw error
      const detail = `The cold store ${this.directory} cannot be written: ${String(error)}.`
      throw featureErrors.cold_store_refused(detail, { cause: error })
    }
  }
}

/** LMDB's keys are short and without odd characters; others stand in by their hash. */
function stored(key: string): string {
  return /^[\x20-\x7e]{0,300}$/.test(key) ? `=${key}` : `#${sha256Hex(key)}`
}

function sizeOf(at: string, change: ColdChange | undefined): number {
  return WAITING_OVERHEAD + at.length + (change?.bytes.length ?? 0)
}
