import type { ChangeBy } from '../access/index.ts'
import type { Clock } from '../lib/clock.ts'
import { DAY_US } from '../lib/time.ts'
import type { SnapshotStore, StoredPart } from './ports.ts'
import type { DatasetVersion } from './versions.ts'
import type { DatasetHold, DatasetRetention, DatasetTag } from './versions-store.ts'

/** What other rooms need of the data: versions that must stay, whatever retention says. */
export interface DataInUse {
  /** Hashes of snapshots or versions that versions of models were built on. */
  readonly hashes: ReadonlySet<string>
  /** When the oldest pipeline that is running began; null where none is. Times in µs UTC. */
  readonly runningSinceUs: number | null
}

export type KeptBecause = 'current' | 'number' | 'age' | 'tag' | 'hold' | 'model' | 'pipeline'

export interface RetentionQuestion {
  /** All of one dataset that were not removed, newest first. */
  readonly versions: readonly DatasetVersion[]
  readonly retention: DatasetRetention | undefined
  readonly tags: readonly DatasetTag[]
  readonly holds: readonly DatasetHold[]
  readonly inUse: DataInUse
  readonly nowUs: number
}

/**
 * Why each version is kept, in the question's order; null: retention removes it. Without a retention
 * everything stays. A pipeline that runs may read what was current when it began or came since.
 */
export function keptBecause(question: RetentionQuestion): (KeptBecause | null)[] {
  const { versions, retention, tags, holds, inUse, nowUs } = question
  const tagged = new Set(tags.map(({ version }) => version))
  const held = holds.filter((hold) => isHolding(hold, nowUs)).map(({ version }) => version)
  return versions.map((version, index) => {
    const { number, hash, lastSnapshot, recordedAtUs } = version
    if (index === 0) return 'current'
    if (held.includes(null) || held.includes(number)) return 'hold'
    if (tagged.has(number)) return 'tag'
    if (inUse.hashes.has(hash) || inUse.hashes.has(lastSnapshot)) return 'model'
    const replacedAtUs = versions[index - 1].recordedAtUs
    if (inUse.runningSinceUs !== null && replacedAtUs >= inUse.runningSinceUs) return 'pipeline'
    if (retention === undefined || index < (retention.versions ?? 0)) return 'number'
    const { days } = retention
    return days !== null && recordedAtUs > nowUs - days * DAY_US ? 'age' : null
  })
}

/** Whether a hold is in force at an instant. */
export function isHolding({ released, untilUs }: DatasetHold, nowUs: number): boolean {
  return released === null && (untilUs === null || nowUs < untilUs)
}

// ---------------------------------------------------------------------------------------------
// Files that no version names

/** What was written or used so lately may belong to an ingestion that is not recorded yet. */
const unusedDaysMin = 1

/** As many files as one cleaning removes; the next goes on from there. */
const filesMax = 10_000
/** So many files go with one audit entry. */
const perEntry = 1000

export interface CleaningOptions {
  readonly dryRun: boolean
  /** Files that no version names stay for so many days after they were last used; one at least. */
  readonly unusedDays?: number | undefined
  /** Ends it between two batches. */
  readonly signal?: AbortSignal | undefined
}

export interface CleaningReport {
  readonly dryRun: boolean
  /** Versions that retention removed, or would. */
  readonly versions: readonly { readonly dataset: string; readonly number: number }[]
  readonly files: number
  readonly bytes: number
  /** Files that no version names either, but that were used lately. */
  readonly waiting: number
  /** Whether more files are left over than one cleaning removes. */
  readonly more: boolean
}

/** What a cleaner of files asks of the process that keeps the versions. */
export interface CleaningVersions {
  /** Applies retention to every dataset, or says what it would remove. */
  retire(
    options: { readonly dryRun: boolean },
    by: ChangeBy,
  ): Promise<{ dataset: string; number: number }[]>
  /** Snapshots that are named by a version that stays, or in use elsewhere. */
  keptHashes(without: readonly { dataset: string; number: number }[]): Promise<string[]>
  /** Notes in the audit log what is about to be removed. */
  recordCleaning(
    removed: { readonly files: number; readonly bytes: number; readonly hashes: readonly string[] },
    by: ChangeBy,
  ): Promise<void>
}

/**
 * Applies retention, then removes files that no version names. The audit entry is on disk before the
 * first file goes; a cleaning that was killed is finished by the next one. Of a snapshot, the list of
 * its parts goes before them.
 */
export async function cleanSnapshots(
  ports: {
    readonly versions: CleaningVersions
    readonly snapshots: Pick<SnapshotStore, 'stored' | 'remove'>
    readonly clock: Clock
  },
  { dryRun, unusedDays = unusedDaysMin, signal }: CleaningOptions,
  by: ChangeBy,
): Promise<CleaningReport> {
  const versions = await ports.versions.retire({ dryRun }, by)
  const kept = await ports.versions.keptHashes(dryRun ? versions : [])
  const unusedSinceUs = ports.clock.nowUs() - Math.max(unusedDaysMin, unusedDays) * DAY_US
  const { removable, waiting } = leftOver(await ports.snapshots.stored(), kept, unusedSinceUs)
  const chosen = removable.slice(0, filesMax)
  const report = { dryRun, versions, waiting, more: removable.length > chosen.length }
  if (dryRun) return { ...report, files: chosen.length, bytes: bytesOf(chosen) }
  let [files, bytes] = [0, 0]
  for (let from = 0; from < chosen.length && signal?.aborted !== true; from += perEntry) {
    const some = chosen.slice(from, from + perEntry)
    const hashes = some.map(({ hash }) => hash)
    await ports.versions.recordCleaning({ files: some.length, bytes: bytesOf(some), hashes }, by)
    for (const hash of hashes) bytes += await ports.snapshots.remove(hash, unusedSinceUs)
    files += some.length
  }
  return { ...report, files, bytes, more: report.more || files < chosen.length }
}

function bytesOf(parts: readonly StoredPart[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0)
}

function leftOver(stored: readonly StoredPart[], kept: readonly string[], unusedSinceUs: number) {
  const named = new Set(kept)
  for (const { hash, parts } of stored) {
    if (named.has(hash)) for (const part of parts) named.add(part)
  }
  const unnamed = stored.filter(({ hash }) => !named.has(hash))
  const removable = unnamed.filter(({ usedAtUs }) => usedAtUs < unusedSinceUs)
  // A list before its parts: what is half removed must not look whole.
  removable.sort((a, b) => Number(b.parts.length > 0) - Number(a.parts.length > 0))
  return { removable, waiting: unnamed.length - removable.length }
}
