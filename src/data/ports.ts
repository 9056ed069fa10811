import type { ChangeBy } from '../access/index.ts'
import type { CompiledLabels, CompiledSource } from './contract.ts'
import type { Frame, FrameSchema } from './frame.ts'
import type { Profile } from './profile.ts'
import type { Failure } from './failures.ts'

/**
 * The stores that this room needs. Stores keep what they are told and write no audit entries;
 * `createDatasets` adds those, in the same transaction. Every method is asynchronous and every argument and result but
 * frames is plain JSON, so that the process that ingests can call the process that owns the tables.
 * Each port has an in-memory version (`memory.ts`) and shared cases (`*.cases.ts`) that every
 * implementation passes.
 */

// ---------------------------------------------------------------------------------------------
// Snapshots

/** What is known about a stored frame without reading it. */
export interface SnapshotInfo {
  /** SHA-256 (hex) over the schema and the column contents: the snapshot's name and its version. */
  readonly hash: string
  readonly rows: number
  /** Size of the stored form, all parts together; 0 for stores that keep nothing on disk. */
  readonly bytes: number
  /**
   * File that holds it, for people and for engines, or that lists the files of its parts; null for
   * stores without files.
   */
  readonly path: string | null
  readonly schema: FrameSchema
  /** What it is stored as, in order: itself where it is stored in one piece. */
  readonly parts: readonly SnapshotPart[]
}

/** Consecutive rows of a snapshot that are stored once, whichever snapshots hold them. */
export interface SnapshotPart {
  /** A part is named as a snapshot of its rows would be, and can be read as one. */
  readonly hash: string
  readonly rows: number
  readonly bytes: number
  readonly path: string | null
}

/** A stored file, as a cleaner of the store sees it. */
export interface StoredPart {
  readonly hash: string
  readonly bytes: number
  /** When it was last written or asked to be written, µs UTC. */
  readonly usedAtUs: number
  /** Hashes of its parts, where it is a list of them. */
  readonly parts: readonly string[]
}

/** Immutable frames, named by the hash of their content. */
export interface SnapshotStore {
  /**
   * Stores a frame and returns its name. Writing the same content again changes nothing. Either the
   * whole snapshot is there afterwards or nothing is. Fails with `snapshot_disk_full` when there is
   * no room and `snapshot_write_failed` for other causes.
   */
  write(
    frame: Frame,
    schema: FrameSchema,
    /** Rows at which parts begin, ascending from 0: the name of the whole does not depend on them. */
    options?: { readonly parts?: readonly number[] },
  ): Promise<SnapshotInfo>
  /**
   * Reads a frame, or only some of its columns, and checks what was read against the hash. Fails
   * with `snapshot_not_found`, or `snapshot_damaged` when content and name disagree.
   */
  read(hash: string, options?: { readonly columns?: readonly string[] }): Promise<Frame>
  /** Undefined when there is no such snapshot. */
  describe(hash: string): Promise<SnapshotInfo | undefined>
  /** Everything that is stored: snapshots, lists of parts, and parts. */
  stored(): Promise<StoredPart[]>
  /**
   * Removes what is stored under a name, unless it was used at or after an instant (µs UTC): then a
   * writer may count on it. Returns the bytes that became free; 0 where nothing was removed.
   */
  remove(hash: string, unusedSinceUs: number): Promise<number>
}

// ---------------------------------------------------------------------------------------------
// Catalogue

export type SnapshotOrigin =
  | {
      readonly kind: 'file'
      readonly name: string
      readonly format: string
      readonly bytes: number
    }
  | { readonly kind: 'generator'; readonly name: string }
  | { readonly kind: 'resubmission'; readonly name: string }
  | { readonly kind: 'live'; readonly name: string }

/** One immutable part of a dataset, as the catalogue keeps it. */
export interface SnapshotRecord {
  /** Name of the source or labels declaration. */
  readonly dataset: string
  readonly kind: 'source' | 'labels'
  readonly hash: string
  /**
   * `replace` starts the dataset's content anew; `append` adds to it. The current content is the
   * last `replace` and every `append` after it, in order.
   */
  readonly mode: 'replace' | 'append'
  /** The compiled declaration that the rows passed. */
  readonly contract: CompiledSource | CompiledLabels
  readonly rows: number
  readonly bytes: number
  readonly path: string | null
  /** Event time of the first and last row (microseconds UTC); null where there are no rows. */
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly origin: SnapshotOrigin
  /** Id of the ingestion that wrote it: links quarantined rows and the snapshot of labels. */
  readonly ingestion: string
  readonly counts: {
    readonly read: number
    readonly accepted: number
    readonly quarantined: number
  }
  readonly profile: Profile
  readonly recordedAtUs: number
}

/** A dataset's line in a list: its newest part, without the profile. */
export interface DatasetSummary {
  readonly dataset: string
  readonly kind: 'source' | 'labels'
  /** Version of the newest part's contract. */
  readonly contractVersion: string
  /** Of the current content. */
  readonly rows: number
  readonly snapshots: number
  readonly fromUs: number | null
  readonly toUs: number | null
  readonly latestHash: string
  readonly quarantinedOpen: number
  readonly recordedAtUs: number
}

export interface DatasetCatalog {
  /** Records the parts of one ingestion together: all or none. */
  record(snapshots: readonly SnapshotRecord[], by: ChangeBy): Promise<void>
  /** Ordered by name. */
  datasets(): Promise<DatasetSummary[]>
  /** Newest first; `before` is a `sequence` from an earlier page. */
  snapshots(
    dataset: string,
    page?: { readonly before?: number; readonly limit?: number },
  ): Promise<(SnapshotRecord & { readonly sequence: number })[]>
  /** The parts of the current content, oldest first; empty for an unknown dataset. */
  current(dataset: string): Promise<SnapshotRecord[]>
  /** Every record of one hash is the same content; the newest is returned. */
  snapshot(hash: string): Promise<SnapshotRecord | undefined>
}

/** A catalogue that closes quarantined rows in the transaction that records them corrected. */
export interface CorrectableCatalog extends DatasetCatalog {
  /**
   * Records the parts of one resubmission and closes the rows that they hold corrected: both or neither,
   * however often it is called. `quarantine_not_open` where one of the rows is not open any more.
   */
  recordCorrected(
    snapshots: readonly SnapshotRecord[],
    corrected: {
      readonly ids: readonly string[]
      readonly snapshot: string
      readonly atUs: number
    },
    by: ChangeBy,
  ): Promise<void>
}

// ---------------------------------------------------------------------------------------------
// Quarantine

export type QuarantineStatus = 'open' | 'resolved' | 'dismissed'

/** A row that failed its contract: where it was, what it said, and everything wrong with it. */
export interface QuarantinedRow {
  /** Derived from the ingestion's input, the row and its content: the same row has the same id. */
  readonly id: string
  readonly dataset: string
  readonly ingestion: string
  /** Name of the file or generator (no folder). */
  readonly input: string
  /** Data row, counted from 1; the header is not counted. */
  readonly row: number
  /** Line of the file on which the row starts, counted from 1; equals `row` where there are no lines. */
  readonly line: number
  /** The row as it came, cut at 4 KiB. */
  readonly raw: string
  readonly rawCut: boolean
  /** Names of the fields in `raw`, in order: the file's header, or empty where `raw` is JSON. */
  readonly header: readonly string[]
  readonly failures: readonly Failure[]
  readonly contractVersion: string
  readonly quarantinedAtUs: number
}

export interface QuarantineEntry extends QuarantinedRow {
  /** Order of arrival in the store, from 1. */
  readonly sequence: number
  readonly status: QuarantineStatus
  /** Set once the row is no longer open. `snapshot` holds the corrected row where it was resolved. */
  readonly resolution: {
    /** Name of who closed it. */
    readonly actor: string
    readonly reason: string
    readonly atUs: number
    readonly snapshot: string | null
  } | null
}

export interface QuarantineFilter {
  readonly dataset?: string
  readonly status?: QuarantineStatus
  readonly ingestion?: string
  /** Rows with at least one failure of this rule. */
  readonly rule?: string
}

export interface QuarantineStore {
  /** Adds rows as open; a row whose id is already there is left as it is. At most 1,000 a call. */
  put(rows: readonly QuarantinedRow[]): Promise<void>
  /** In order of `sequence`, after the given one; at most `limit` rows (100 unless told, 1,000 at most). */
  list(
    filter: QuarantineFilter,
    page?: { readonly after?: number; readonly limit?: number },
  ): Promise<{ readonly rows: QuarantineEntry[]; readonly total: number }>
  /** In the order asked for; ids that are not there are left out. At most 1,000 a call. */
  get(ids: readonly string[]): Promise<QuarantineEntry[]>
  /** How many open rows fail which rule of which column, most first. */
  summary(
    filter: QuarantineFilter,
  ): Promise<{ readonly column: string | null; readonly rule: string; readonly rows: number }[]>
  /**
   * Closes open rows. Rows that are not open are left as they are; the number
   * that changed is returned. At most 1,000 a call.
   */
  resolve(
    ids: readonly string[],
    resolution: {
      readonly status: 'resolved' | 'dismissed'
      readonly snapshot: string | null
      readonly atUs: number
    },
    by: ChangeBy,
  ): Promise<number>
}

// ---------------------------------------------------------------------------------------------
// Engines

/** Reads Parquet files as rows of text, so that they pass through the same checks as CSV. */
export interface ParquetRows {
  /**
   * Opens a file and streams its rows in order, a few thousand at a time. Every value is text: the
   * shortest that reads back as the same number, ISO 8601 in UTC for timestamps with a zone and
   * local time for those without, '' for null. Fails with `file_damaged` for anything unreadable.
   */
  open(path: string): Promise<{
    readonly columns: readonly string[]
    readonly batches: AsyncIterable<readonly (readonly string[])[]>
  }>
}
