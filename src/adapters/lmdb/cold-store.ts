import type { ColdStore, ColdStoreStatistics } from '../../features/index.ts'
import { checkColdMark, coldMarkUnknown, featureErrors } from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { bytesOf, encodeStored, recordOf } from './cold-records.ts'
import type { ColdChange, ColdTables, Expiry } from './cold-tables.ts'
import { COLD_TABLES, openColdTables } from './cold-tables.ts'
import { noteDamage, openMended } from './mended.ts'
import type { MendOptions } from './mended.ts'

export interface ColdStoreOptions {
  /** How much may wait in memory until one transaction writes it. */
  readonly waitingBytesMax?: number
}

const WAITING_BYTES_MAX = 1 * 1024 * 1024
/** What a waiting change costs in memory beside its record and its key, about. */
const WAITING_OVERHEAD = 200
const MDB_MAP_FULL = -30_792
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

/** As `openLmdbColdStore`; a store that is damaged is put aside, and an empty one is opened. */
export function openMendedColdStore(directory: string, mend: MendOptions): Promise<ColdStore> {
  return openMended(directory, () => openLmdbColdStore(directory), { ...mend, tables: COLD_TABLES })
}

class LmdbColdStore implements ColdStore {
  private readonly directory: string
  private readonly tables: ColdTables
  private readonly waitingBytesMax: number
  /** What is to be written, by stored key. All of it newer than any mark. */
  private waiting = new Map<string, ColdChange>()
  private waitingBytes = 0
  /** By how much what waits changes what lies there. */
  private entriesMore = 0
  private bytesMore = 0
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
    const at = storedKey(key)
    const waits = this.waiting.get(at)
    const stored = waits === undefined ? this.read(key, at) : waits.stored
    if (stored === undefined) return undefined
    const bytes = bytesOf(stored)
    if (bytes === undefined) throw this.damaged(key)
    return bytes
  }

  put(key: string, bytes: Uint8Array, expiresUs = Infinity): void {
    const { generation } = this.tables
    this.write(storedKey(key), encodeStored(bytes, { generation, expiresUs }))
    this.waitingExpiresUs = Math.min(this.waitingExpiresUs, expiresUs)
  }

  remove(key: string): void {
    this.write(storedKey(key), undefined)
  }

  async mark(mark: number): Promise<void> {
    checkColdMark(mark, this.tables.generation)
    this.commit(() => this.tables.addMark(mark))
  }

  returnTo(mark: number): void {
    const { tables } = this
    const marks = tables.summary.marks.map((kept) => kept.mark)
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
    const { entries, bytes } = this.tables.summary
    return { entries: entries + this.entriesMore, bytes: bytes + this.bytesMore }
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
    try {
      return this.tables.stored(at)
    } catch (error) {
      throw this.damaged(key, error)
    }
  }

  private damaged(key: string, cause?: unknown): Error {
    noteDamage(this.directory)
    const detail = `What lies under "${key}" in the cold store ${this.directory} is damaged.`
    return featureErrors.cold_store_damaged(detail, { cause })
  }

  private write(at: string, stored: Uint8Array | undefined): void {
    const size = WAITING_OVERHEAD + at.length + (stored?.length ?? 0)
    // Refused before it is taken, so that a write that fails has changed nothing.
    if (this.waitingBytes + size > this.waitingBytesMax && this.waiting.size > 0) this.commit()
    const waits = this.waiting.get(at)
    const old = waits === undefined ? this.tables.record(at) : waits.old
    if (waits !== undefined) this.count(at, waits, -1)
    // What comes and goes before it is written leaves nothing to write.
    if (stored === undefined && old === undefined) {
      this.waiting.delete(at)
      return
    }
    const change = { stored, old }
    this.waiting.set(at, change)
    this.count(at, change, 1)
  }

  private count(at: string, { stored, old }: ColdChange, by: 1 | -1): void {
    const record = recordOf(stored)
    this.waitingBytes += by * (WAITING_OVERHEAD + at.length + (stored?.length ?? 0))
    this.entriesMore += by * (Number(record !== undefined) - Number(old !== undefined))
    this.bytesMore += by * ((record?.length ?? 0) - (old?.length ?? 0))
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
    while (tables.summary.undoTo !== null) this.change(() => tables.undoSome(RETURN_BATCH))
  }

  private forgetWaiting(): void {
    this.waiting = new Map()
    this.waitingBytes = 0
    this.entriesMore = 0
    this.bytesMore = 0
    this.waitingExpiresUs = Infinity
  }

  private change(act: () => void): void {
    try {
      this.tables.transaction(act)
    } catch (error) {
      if (isAssayError(error)) throw error
      if (isDamage(error)) {
        noteDamage(this.directory)
        const what = `The cold store ${this.directory} is damaged: ${String(error)}.`
        throw featureErrors.cold_store_damaged(what, { cause: error })
      }
      const detail = `The cold store ${this.directory} cannot be written: ${String(error)}.`
      throw featureErrors.cold_store_refused(detail, { cause: error })
    }
  }
}

/** Errors of LMDB's own, which it numbers down from −30,799; a full map among them is no damage. */
function isDamage(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown }
  const isOwn = typeof code === 'number' && code <= -30_779 && code >= -30_799
  return (
    (isOwn && code !== MDB_MAP_FULL) || error instanceof TypeError || error instanceof RangeError
  )
}

/** LMDB's keys are short and without odd characters; others stand in by their hash. */
function storedKey(key: string): string {
  return /^[\x20-\x7e]{0,300}$/.test(key) ? `=${key}` : `#${sha256Hex(key)}`
}
