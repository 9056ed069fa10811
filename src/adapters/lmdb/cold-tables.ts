import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { Database, RangeOptions, RootDatabase } from 'lmdb'
import { featureErrors } from '../../features/index.ts'
import type { AssayError } from '../../lib/errors.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { ColdRecord } from './cold-records.ts'
import { decodeRecord, encodeRecord, encodeValue } from './cold-records.ts'

/** What lies in `undo` for a key that had no record, and in `expiries`. */
const NOTHING = new Uint8Array(0)

/** What is to lie under a key. */
export interface ColdChange {
  readonly bytes: Uint8Array
  readonly expiresUs: number
}

/** The keys of `expiries` and `undo`. */
export type Expiry = [expiresUs: number, key: string]
type Undone = [generation: number, key: string]

/** What is known of the whole store; written with every transaction. */
interface Summary {
  readonly format: string
  /** The marks that can be returned to, rising. */
  readonly marks: readonly number[]
  /** Generations that are still to be taken back, newest first, where a return was cut short. */
  readonly undoing: readonly number[]
  readonly entries: number
  readonly bytes: number
  /** The number of the newest value. */
  readonly values: number
}

const FORMAT = 'assay cold store 1'
const EMPTY: Summary = { format: FORMAT, marks: [], undoing: [], entries: 0, bytes: 0, values: 0 }
const LMDB_MAGIC = 0xbeefc0de
const META_BYTES = 160
const SUMMARY = 'summary'
/** Only address space is reserved; the file grows with what it holds. */
const MAP_BYTES = 1024 * 1024 * 1024 * 1024

/** Opens the tables in a directory or makes them there; fails where something else lies there. */
export function openColdTables(directory: string): ColdTables {
  makeDirectory(directory)
  const file = join(directory, 'data.mdb')
  if (existsSync(file)) checkWhole(directory, file)
  else if (readdirSync(directory).length > 0) throw damaged(directory, 'it holds other files')
  let root: RootDatabase | undefined
  try {
    root = open({ path: directory, noSubdir: false, mapSize: MAP_BYTES, eventTurnBatching: false })
    return new ColdTables(directory, root)
  } catch (error) {
    void root?.close()
    if (isAssayError(error)) throw error
    throw damaged(directory, String(error), error)
  }
}

/**
 * The tables of a cold store. `live` holds the record of each key, `values` the bytes of all records
 * in the order they came, so that new ones lie side by side; `undo`, for each mark and key that was
 * changed after it and before the next, the record that lay there at the mark, whose bytes stay;
 * `expiries` the keys that expire, in that order. They change inside `transaction` only.
 */
export class ColdTables {
  private readonly live: Database<Uint8Array, string>
  private readonly values: Database<Uint8Array, number>
  private readonly undo: Database<Uint8Array, Undone | [generation: number]>
  private readonly expiries: Database<Uint8Array, Expiry>
  private readonly file: string
  private readonly root: RootDatabase
  private readonly summaries: Database<Summary, string>
  private current: Summary

  constructor(directory: string, root: RootDatabase) {
    this.file = join(directory, 'data.mdb')
    this.root = root
    const foreign = root.getKeysCount({ limit: 1 }) > 0
    this.summaries = root.openDB({ name: 'summary', encoding: 'json' })
    const summary = this.summaries.get(SUMMARY)
    if (summary === undefined ? foreign : summary.format !== FORMAT) {
      throw damaged(directory, 'it holds another database')
    }
    this.live = root.openDB({ name: 'live', encoding: 'binary' })
    this.values = root.openDB({ name: 'values', encoding: 'binary' })
    this.undo = root.openDB({ name: 'undo', encoding: 'binary' })
    this.expiries = root.openDB({ name: 'expiries', encoding: 'binary' })
    this.current = summary ?? EMPTY
  }

  get summary(): Summary {
    return this.current
  }

  /** Does all of `act` or nothing; on disk once it returns. */
  transaction(act: () => void): void {
    const before = this.current
    try {
      this.root.transactionSync(() => {
        act()
        void this.summaries.put(SUMMARY, this.current)
      })
    } catch (error) {
      this.current = before
      throw error
    }
    this.extend()
  }

  record(at: string): ColdRecord | undefined {
    return decodeRecord(this.live.getBinaryFast(at))
  }

  /** The bytes of a record as they are stored. */
  value({ value }: ColdRecord): Uint8Array | undefined {
    return this.values.getBinary(value)
  }

  /** The keys on disk that expire, the earliest first, from a place on. */
  expiriesFrom(start: Expiry | undefined): Iterable<Expiry> {
    return this.expiries.getKeys({ start })
  }

  /** Keeps the newest mark and adds one. */
  addMark(mark: number): void {
    this.current = { ...this.current, marks: [...this.current.marks.slice(-1), mark] }
  }

  /** Forgets the marks after one that is kept; what was changed since it is still to be undone. */
  beginUndoing(mark: number): void {
    const { marks } = this.current
    this.current = {
      ...this.current,
      marks: marks.filter((kept) => kept <= mark),
      undoing: marks.filter((kept) => kept >= mark).toReversed(),
    }
  }

  /** Undoes up to `limit` changes, those after the newest mark first. */
  undoSome(limit: number): void {
    const [generation, ...others] = this.current.undoing
    const range = { start: [generation], end: [generation + 1], limit } satisfies RangeOptions
    const changed = [...this.undo.getRange(range)]
    for (const { key, value } of changed) {
      const at = (key as Undone)[1]
      const changedTo = this.record(at)
      if (changedTo !== undefined) void this.values.remove(changedTo.value)
      this.set(at, decodeRecord(value), changedTo)
      void this.undo.remove(key)
    }
    if (changed.length < limit) this.current = { ...this.current, undoing: others }
  }

  /** Changes what lies under a key; what lay there is kept where the newest mark needs it. */
  change(at: string, change: ColdChange | undefined): void {
    const old = this.record(at)
    const generation = this.current.marks.at(-1) ?? 0
    if (old !== undefined && old.generation < generation) {
      void this.undo.put([generation, at], encodeRecord(old))
    } else if (old !== undefined) void this.values.remove(old.value)
    else if (generation > 0 && !this.undo.doesExist([generation, at])) {
      void this.undo.put([generation, at], NOTHING)
    }
    this.set(at, change && this.add(change, generation), old)
  }

  /** Drops up to `limit` changes that no mark needs any more, with the bytes that they kept. */
  dropDead(limit: number): void {
    const [oldest] = this.current.marks
    if (oldest === undefined || limit === 0) return
    const range = { start: [0], end: [oldest], limit } satisfies RangeOptions
    const dead = [...this.undo.getRange(range)]
    for (const { key, value } of dead) {
      const record = decodeRecord(value)
      if (record !== undefined) void this.values.remove(record.value)
      void this.undo.remove(key)
    }
  }

  clear(): void {
    for (const table of [this.live, this.values, this.undo, this.expiries]) table.clearSync()
    this.current = EMPTY
  }

  private add({ bytes, expiresUs }: ColdChange, generation: number): ColdRecord {
    const value = this.current.values + 1
    this.current = { ...this.current, values: value }
    // Appending fills pages, where LMDB otherwise splits them in halves.
    this.values.putSync(value, encodeValue(bytes), { append: true })
    return { value, generation, expiresUs, length: bytes.length }
  }

  private set(at: string, record: ColdRecord | undefined, old: ColdRecord | undefined): void {
    const before = old?.expiresUs ?? Infinity
    const after = record?.expiresUs ?? Infinity
    if (before !== after && before !== Infinity) void this.expiries.remove([before, at])
    if (before !== after && after !== Infinity) void this.expiries.put([after, at], NOTHING)
    if (record !== undefined) void this.live.put(at, encodeRecord(record))
    else if (old !== undefined) void this.live.remove(at)
    const { entries, bytes } = this.current
    this.current = {
      ...this.current,
      entries: entries + Number(record !== undefined) - Number(old !== undefined),
      bytes: bytes + (record?.length ?? 0) - (old?.length ?? 0),
    }
  }

  close(): Promise<void> {
    return this.root.close()
  }

  /**
   * Gives the file all pages that LMDB counts. LMDB leaves the last ones unwritten where they were
   * freed in the transaction that took them, which `checkWhole` could not tell from a loss. A process
   * that dies between a commit and this finds its store called damaged, and rebuilds a sound state.
   */
  private extend(): void {
    const { lastPageNumber, pageSize } = this.root.getStats() as LmdbStatistics
    const size = (lastPageNumber + 1) * pageSize
    if (statSync(this.file).size < size) truncateSync(this.file, size)
  }
}

interface LmdbStatistics {
  readonly lastPageNumber: number
  readonly pageSize: number
}

/**
 * Fails for a file that was cut short or is none of LMDB's. LMDB maps the file and trusts it: a page
 * that is missing ends the process with a signal, which nothing can catch. The places are those of
 * `MDB_meta` behind a page's header, of LMDB's data version 2 on 64 bits (mdb.c).
 */
function checkWhole(directory: string, file: string): void {
  const size = statSync(file).size
  const head = new DataView(new ArrayBuffer(META_BYTES))
  const descriptor = openSync(file, 'r')
  try {
    let page = 0
    let pages = 2
    for (const _ of [0, 1]) {
      const read = readSync(descriptor, head, 0, META_BYTES, page)
      if (read < META_BYTES || head.getUint32(24, true) !== LMDB_MAGIC) {
        throw damaged(directory, 'data.mdb is no LMDB file')
      }
      page = head.getUint32(48, true)
      pages = Math.max(pages, Number(head.getBigUint64(144, true)) + 1)
    }
    if (size < pages * page) throw damaged(directory, 'data.mdb was cut short')
  } finally {
    closeSync(descriptor)
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (error) {
    const detail = `The directory ${directory} cannot be made: ${String(error)}.`
    throw featureErrors.cold_store_refused(detail, { cause: error })
  }
}

function damaged(directory: string, why: string, cause?: unknown): AssayError {
  const detail = `The directory ${directory} is no cold store that can be read: ${why}.`
  return featureErrors.cold_store_damaged(detail, { cause })
}
