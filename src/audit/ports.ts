import type { AuditQuery, AuditRecord, Checkpoint } from './types.ts'

/**
 * Where the log is kept. Everything an implementation does while a transaction of its unit of work
 * runs belongs to that transaction, and is gone if it is undone.
 *
 * An implementation may copy parts of an entry into columns to search by; what it answers comes
 * from the stored leaf alone, so that what people read is what the tree proves.
 */
export interface AuditStore {
  /** Adds a record. Rejects where its index is not the number of records there are. */
  append(record: AuditRecord): Promise<void>
  count(): Promise<number>
  /** Records in order, from an index on; at most `limit`. */
  read(fromIndex: number, limit: number): Promise<AuditRecord[]>
  /** Records that match, newest first. */
  list(query: AuditQuery): Promise<AuditRecord[]>
  /** All actions and actors there are, each sorted: what a list can be filtered by. */
  facets(): Promise<{ readonly actions: string[]; readonly actors: string[] }>
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>
  /** The checkpoint saved last. */
  latestCheckpoint(): Promise<Checkpoint | undefined>
}
