import type { ChangeBy } from '../access/index.ts'
import type { SnapshotRecord } from './ports.ts'
import type { DatasetVersion, VersionRemoval } from './versions.ts'

/** A movable name on a version. */
export interface DatasetTag {
  readonly dataset: string
  readonly tag: string
  /** Null: the tag was taken away. */
  readonly version: number | null
  readonly by: string
  readonly reason: string
  readonly atUs: number
}

/** An order to keep a dataset, or one version of it, whatever retention says. */
export interface DatasetHold {
  readonly id: string
  readonly dataset: string
  /** Null: every version, also those that are still to come. */
  readonly version: number | null
  readonly reason: string
  readonly by: string
  readonly fromUs: number
  /** When it ends by itself; null: when it is released. */
  readonly untilUs: number | null
  readonly released: VersionRemoval | null
}

/** How long versions are kept. A version stays as long as either rule keeps it. */
export interface DatasetRetention {
  readonly dataset: string
  /** The newest so many; null: this rule keeps none. */
  readonly versions: number | null
  /** Those recorded in the last so many days; null: this rule keeps none. */
  readonly days: number | null
  readonly by: string
  readonly reason: string
  readonly atUs: number
}

/**
 * Where versions of datasets are kept, beside the catalogue that makes one with every ingestion it
 * records (one for each dataset of a call of `record`). Writes join the running transaction. Lists
 * are of one dataset; an unknown dataset has none.
 */
export interface DatasetVersionStore {
  /** Newest first; `before` is a number from an earlier page. At most 100 unless told. */
  versions(
    dataset: string,
    page?: { readonly before?: number; readonly limit?: number },
  ): Promise<DatasetVersion[]>
  version(dataset: string, number: number): Promise<DatasetVersion | undefined>
  /** Those whose hash begins so, oldest first. */
  versionsNamed(dataset: string, hashPrefix: string): Promise<DatasetVersion[]>
  /** The snapshots of a version, oldest first; empty for an unknown one. */
  parts(dataset: string, number: number): Promise<SnapshotRecord[]>
  /** Records the content of a version that is there as the dataset's newest. */
  restore(
    wanted: { readonly dataset: string; readonly number: number; readonly atUs: number },
    by: ChangeBy,
  ): Promise<DatasetVersion>
  /** Marks versions as removed; those that already are stay as they are. */
  remove(dataset: string, numbers: readonly number[], removal: VersionRemoval): Promise<void>

  /** Where each tag stands now, by name; those taken away are left out. */
  tags(dataset: string): Promise<DatasetTag[]>
  /** Every place where a tag stood, newest first. */
  tagHistory(dataset: string, tag: string): Promise<DatasetTag[]>
  putTag(tag: DatasetTag): Promise<void>

  /** All that ever were, newest first. */
  holds(dataset: string): Promise<DatasetHold[]>
  putHold(hold: DatasetHold): Promise<void>
  releaseHold(id: string, released: VersionRemoval): Promise<void>

  retention(dataset: string): Promise<DatasetRetention | undefined>
  putRetention(retention: DatasetRetention): Promise<void>

  /**
   * Hashes of every snapshot that a version names which was not removed, of all datasets; as it
   * would be without some of them.
   */
  keptSnapshots(
    without?: readonly { readonly dataset: string; readonly number: number }[],
  ): Promise<string[]>
}
