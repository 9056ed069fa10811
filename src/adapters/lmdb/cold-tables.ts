import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { featureErrors } from '../../features/index.ts'
import type { AssayError } from '../../lib/errors.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { ColdRecord } from './cold-records.ts'
import { decodeUndone, encodeUndone, recordOf } from './cold-records.ts'
import { checkWhole, extend } from './whole-file.ts'

/** What lies in `expiries`. */
const NOTHING = new Uint8Array(0)

/** What is to be written under a key, as it is stored, and what lies there until then. */
export interface ColdChange {
  readonly stored: Uint8Array | undefined
  readonly old: ColdRecord | undefined
}

/** A key of `expiries`. */
export type Expiry = [expiresUs: number, key: string]

/** What is known of the whole store; written with every transaction. */
interface Summary {
  readonly format: string
  /** The marks that can be returned to, rising, each with the number of the newest change then. */
  readonly marks: readonly { readonly mark: number; readonly change: number }[]
  /** The numbers of the changes in `undo`: those after `dropped`, up to `newest`. */
  readonly dropped: number
  readonly newest: number
  /** Changes after this one are still to be undone, where a return was cut short. */
  readonly undoTo: number | null
  readonly entries: number
  readonly bytes: number
}

const FORMAT = 'assay cold store 2'
const EMPTY: Summary = {
  format: FORMAT,
  marks: [],
  dropped: 0,
  newest: 0,
  undoTo: null,
  entries: 0,
  bytes: 0,
}
const SUMMARY = 'summary'
/** Only address space is reserved; the file grows with what it holds. */
const MAP_BYTES = 1024 * 1024 * 1024 * 1024

/** What a cold store is made of. */
export const COLD_TABLES = ['summary', 'live', 'undo', 'expiries']

/** Opens the tables in a directory or makes them there; fails where something else lies there. */
export function openColdTables(directory: string): ColdTables {
  makeDirectory(directory)
  if (!existsSync(join(directory, 'data.mdb')) && readdirSync(directory).length > 0) {
    throw damaged(directory, 'it holds other files')
  }
  try {
    checkWhole(directory)
  } catch (error) {
    throw damaged(directory, (error as Error).message, error)
  }
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
 * The tables of a cold store. `live` holds what lies under each key; `undo`, by numbers that rise, what
 * lay under a key before it was changed for the first time after a mark, so that new rows lie side by
 * side; `expiries` the keys that expire, in that order. They change inside `transaction` only.
 */
export class ColdTables {
  private readonly live: Database<Uint8Array, string>
  private readonly undo: Database<Uint8Array, number>
  private readonly expiries: Database<Uint8Array, Expiry>
  private readonly directory: string
  private readonly root: RootDatabase
  private readonly summaries: Database<Summary, string>
  private current: Summary

  constructor(directory: string, root: RootDatabase) {
    this.directory = directory
    this.root = root
    const foreign = root.getKeysCount({ limit: 1 }) > 0
    this.summaries = root.openDB({ name: 'summary', encoding: 'json' })
    const summary = this.summaries.get(SUMMARY)
    if (summary === undefined ? foreign : summary.format !== FORMAT) {
      throw damaged(directory, 'it holds another database')
    }
    this.live = root.openDB({ name: 'live', encoding: 'binary' })
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
    extend(this.directory, this.root)
  }

  record(at: string): ColdRecord | undefined {
    return recordOf(this.live.getBinaryFast(at))
  }

  /** What is stored under a key, until the next read. */
  stored(at: string): Uint8Array | undefined {
    return this.live.getBinaryFast(at)
  }

  /** The keys on disk that expire, the earliest first, from a place on. */
  expiriesFrom(start: Expiry | undefined): Iterable<Expiry> {
    return this.expiries.getKeys({ start })
  }

  /** The newest mark; 0: there is none. */
  get generation(): number {
    return this.current.marks.at(-1)?.mark ?? 0
  }

  /** Keeps the newest mark and adds one. */
  addMark(mark: number): void {
    const { marks, newest } = this.current
    this.current = { ...this.current, marks: [...marks.slice(-1), { mark, change: newest }] }
  }

  /** Forgets the marks after one that is kept; what was changed since it is still to be undone. */
  beginUndoing(mark: number): void {
    const marks = this.current.marks.filter((kept) => kept.mark <= mark)
    this.current = { ...this.current, marks, undoTo: marks.at(-1)!.change }
  }

  /** Undoes up to `limit` changes, the newest first. */
  undoSome(limit: number): void {
    const { undoTo } = this.current
    if (undoTo === null) return
    let { newest } = this.current
    for (let left = limit; left > 0 && newest > undoTo; left--, newest--) {
      const { key, stored } = decodeUndone(this.undo.getBinary(newest)!)
      // What was changed twice comes to what lay there first, which is undone last.
      this.set(key, stored, this.record(key))
      void this.undo.remove(newest)
    }
    this.current = { ...this.current, newest, undoTo: newest > undoTo ? undoTo : null }
  }

  /** Changes what lies under a key; what lay there is kept where the newest mark needs it. */
  change(at: string, { stored, old }: ColdChange): void {
    const { generation } = this
    if (generation > 0 && (old === undefined || old.generation < generation)) {
      const newest = this.current.newest + 1
      this.current = { ...this.current, newest }
      const lay = old && this.live.getBinaryFast(at)
      // Appending fills pages, where LMDB otherwise splits them in halves.
      this.undo.putSync(newest, encodeUndone(at, lay), { append: true })
    }
    this.set(at, stored, old)
  }

  /** Drops up to `limit` changes that no mark needs any more. */
  dropDead(limit: number): void {
    const needless = this.current.marks[0]?.change ?? 0
    let { dropped } = this.current
    for (let left = limit; left > 0 && dropped < needless; left--) void this.undo.remove(++dropped)
    this.current = { ...this.current, dropped }
  }

  clear(): void {
    for (const table of [this.live, this.undo, this.expiries]) table.clearSync()
    this.current = EMPTY
  }

  private set(at: string, stored: Uint8Array | undefined, old: ColdRecord | undefined): void {
    const record = recordOf(stored)
    const before = old?.expiresUs ?? Infinity
    const after = record?.expiresUs ?? Infinity
    if (before !== after && before !== Infinity) void this.expiries.remove([before, at])
    if (before !== after && after !== Infinity) void this.expiries.put([after, at], NOTHING)
    if (stored !== undefined) void this.live.put(at, stored)
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
