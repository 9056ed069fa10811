import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { fail } from './errors.ts'
import type { DatasetCatalog, SnapshotRecord } from './ports.ts'
import { isHolding, keptBecause, type CleaningVersions, type DataInUse } from './retention.ts'
import {
  datasetManifest,
  isTag,
  parseVersionName,
  refuseRemoved,
  type DatasetManifest,
  type DatasetVersion,
} from './versions.ts'
import type {
  DatasetHold,
  DatasetRetention,
  DatasetTag,
  DatasetVersionStore,
} from './versions-store.ts'

/** A dataset's versions with what people put on them. */
export interface DatasetHistory {
  readonly dataset: string
  /** Newest first. */
  readonly versions: readonly DatasetVersion[]
  /** The `before` of the next page; null on the last. */
  readonly next: number | null
  readonly tags: readonly DatasetTag[]
  /** Those in force. */
  readonly holds: readonly DatasetHold[]
  readonly retention: DatasetRetention | null
}

export interface DatasetVersionDetail {
  readonly version: DatasetVersion
  readonly manifest: DatasetManifest
  /** Oldest first. */
  readonly parts: readonly SnapshotRecord[]
  readonly tags: readonly DatasetTag[]
  readonly holds: readonly DatasetHold[]
}

/**
 * Versions of datasets: looking them up, naming, holding and bringing them back, and how long they
 * stay. Every change has a reason and an audit entry in the same transaction. A version's name is a
 * number, `latest`, a tag, or eight or more digits of its hash. Fails with `dataset_not_found` and
 * `dataset_version_not_found`.
 */
export interface DataVersions extends CleaningVersions {
  history(
    dataset: string,
    page?: { readonly before?: number; readonly limit?: number },
  ): Promise<DatasetHistory>
  find(dataset: string, name: string): Promise<DatasetVersionDetail>
  tagHistory(dataset: string, tag: string): Promise<DatasetTag[]>
  /** Puts a tag on a version, wherever it stood. Errors: `dataset_tag_invalid`, `dataset_version_removed`. */
  tag(request: { dataset: string; tag: string; version: string }, by: ChangeBy): Promise<DatasetTag>
  /** Error: `dataset_tag_not_found`. */
  untag(request: { dataset: string; tag: string }, by: ChangeBy): Promise<void>
  /** Holds a version, or all of a dataset. Errors: `dataset_hold_invalid`, `dataset_version_removed`. */
  hold(
    request: { dataset: string; version: string | null; untilUs: number | null },
    by: ChangeBy,
  ): Promise<DatasetHold>
  /** Error: `dataset_hold_not_found`. */
  release(request: { dataset: string; hold: string }, by: ChangeBy): Promise<void>
  /** Makes an old version the newest. Errors: `dataset_version_removed`, `dataset_version_current`. */
  rollBack(request: { dataset: string; version: string }, by: ChangeBy): Promise<DatasetVersion>
  /** Error: `dataset_retention_invalid`. */
  setRetention(
    request: { dataset: string; versions: number | null; days: number | null },
    by: ChangeBy,
  ): Promise<DatasetRetention>
}

export interface DataVersionsDependencies {
  readonly store: DatasetVersionStore
  readonly catalog: Pick<DatasetCatalog, 'datasets'>
  /** What other rooms need: asked each time that retention is applied. */
  readonly inUse: () => Promise<DataInUse>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
}

const keptMax = 100_000
const pageMax = 1000
/** So many versions go in one transaction. */
const perTransaction = 500
/** Of removed files so many are named in the audit entry; all are counted. */
const namedMax = 100

export function createDataVersions(dependencies: DataVersionsDependencies): DataVersions {
  const { store, catalog, inUse, unit, audit, clock, ids } = dependencies

  async function versionOrFail(dataset: string, text: string): Promise<DatasetVersion> {
    const [latest] = await store.versions(dataset, { limit: 1 })
    if (latest === undefined) throw fail.dataset_not_found(`There is no dataset named ${dataset}.`)
    const found = await versionNamed(dataset, text, latest)
    if (found !== undefined) return found
    throw fail.dataset_version_not_found(`${dataset} has no version ${JSON.stringify(text)}.`)
  }

  async function versionNamed(dataset: string, text: string, latest: DatasetVersion) {
    const name = parseVersionName(text)
    switch (name.by) {
      case 'latest':
        return latest
      case 'number':
        return store.version(dataset, name.number)
      case 'tag': {
        const tag = (await store.tags(dataset)).find(({ tag: its }) => its === name.tag)
        return tag === undefined ? undefined : store.version(dataset, tag.version!)
      }
      case 'hash': {
        const found = await store.versionsNamed(dataset, name.prefix)
        if (new Set(found.map(({ hash }) => hash)).size > 1) {
          throw fail.dataset_version_not_found(
            `Several versions of ${dataset} begin so; give more.`,
          )
        }
        // Of equal content the newest that is still there.
        return found.findLast(({ removed }) => removed === null) ?? found.at(-1)
      }
    }
  }

  async function presentOrFail(dataset: string, text: string): Promise<DatasetVersion> {
    const version = await versionOrFail(dataset, text)
    refuseRemoved(version)
    return version
  }

  async function holdsOf(dataset: string): Promise<DatasetHold[]> {
    const nowUs = clock.nowUs()
    return (await store.holds(dataset)).filter((hold) => isHolding(hold, nowUs))
  }

  /** A change with its audit entry: both or neither. */
  function changed<Result>(
    action: string,
    by: ChangeBy,
    dataset: string,
    change: (reason: string) => Promise<{ result: Result; details: Record<string, unknown> }>,
  ): Promise<Result> {
    return unit.transaction(async () => {
      const reason = requireReason(by)
      const { result, details } = await change(reason)
      await audit.append({
        actor: by.actor.id,
        action,
        object: { kind: 'dataset', id: dataset },
        reason,
        details,
      })
      return result
    })
  }

  /** Every version of a dataset that is still there, newest first. */
  async function presentVersions(dataset: string): Promise<DatasetVersion[]> {
    const all: DatasetVersion[] = []
    let before = Number.MAX_SAFE_INTEGER
    for (;;) {
      const page = await store.versions(dataset, { before, limit: pageMax })
      all.push(...page.filter(({ removed }) => removed === null))
      if (page.length < pageMax) return all
      before = page.at(-1)!.number
    }
  }

  async function removable(dataset: string): Promise<DatasetVersion[]> {
    const retention = await store.retention(dataset)
    if (retention === undefined) return []
    const versions = await presentVersions(dataset)
    const reasons = keptBecause({
      versions,
      retention,
      tags: await store.tags(dataset),
      holds: await store.holds(dataset),
      inUse: await inUse(),
      nowUs: clock.nowUs(),
    })
    return versions.filter((_, index) => reasons[index] === null)
  }

  return {
    async history(dataset, { before, limit = 100 } = {}) {
      const bounded = Math.min(limit, pageMax)
      const page = { limit: bounded, ...(before !== undefined && { before }) }
      const versions = await store.versions(dataset, page)
      if (versions.length === 0 && before === undefined) {
        throw fail.dataset_not_found(`There is no dataset named ${dataset}.`)
      }
      const last = versions.at(-1)?.number ?? 1
      return {
        dataset,
        versions,
        next: versions.length === bounded && last > 1 ? last : null,
        tags: await store.tags(dataset),
        holds: await holdsOf(dataset),
        retention: (await store.retention(dataset)) ?? null,
      }
    },
    async find(dataset, name) {
      const version = await versionOrFail(dataset, name)
      const { number } = version
      const parts = await store.parts(dataset, number)
      const tags = (await store.tags(dataset)).filter((tag) => tag.version === number)
      const holds = (await holdsOf(dataset)).filter(
        (hold) => hold.version === null || hold.version === number,
      )
      return { version, manifest: datasetManifest(parts), parts, tags, holds }
    },
    tagHistory: (dataset, tag) => store.tagHistory(dataset, tag),
    tag: ({ dataset, tag: name, version: wanted }, by) =>
      changed('data.tag-put', by, dataset, async (reason) => {
        if (!isTag(name)) throw fail.dataset_tag_invalid(`${JSON.stringify(name)} is no tag.`)
        const version = await presentOrFail(dataset, wanted)
        const [before] = await store.tagHistory(dataset, name)
        const tag = {
          dataset,
          tag: name,
          version: version.number,
          by: by.actor.name,
          reason,
          atUs: clock.nowUs(),
        }
        await store.putTag(tag)
        const { number, hash } = version
        const details = { tag: name, version: number, hash, from: before?.version ?? null }
        return { result: tag, details }
      }),
    untag: ({ dataset, tag }, by) =>
      changed('data.tag-taken-away', by, dataset, async (reason) => {
        const [before] = await store.tagHistory(dataset, tag)
        if (before === undefined || before.version === null) {
          throw fail.dataset_tag_not_found(`${dataset} has no tag ${JSON.stringify(tag)}.`)
        }
        const { name } = by.actor
        await store.putTag({ dataset, tag, version: null, by: name, reason, atUs: clock.nowUs() })
        return { result: undefined, details: { tag, from: before.version } }
      }),
    hold: ({ dataset, version: wanted, untilUs }, by) =>
      changed('data.hold-placed', by, dataset, async (reason) => {
        const fromUs = clock.nowUs()
        if (untilUs !== null && !(untilUs > fromUs)) {
          throw fail.dataset_hold_invalid('The end of the hold has passed already.')
        }
        const { number } = await presentOrFail(dataset, wanted ?? 'latest')
        const hold: DatasetHold = {
          id: ids('hold'),
          dataset,
          version: wanted === null ? null : number,
          reason,
          by: by.actor.name,
          fromUs,
          untilUs,
          released: null,
        }
        await store.putHold(hold)
        return { result: hold, details: { hold: hold.id, version: hold.version, untilUs } }
      }),
    release: ({ dataset, hold: id }, by) =>
      changed('data.hold-released', by, dataset, async (reason) => {
        const hold = (await holdsOf(dataset)).find((each) => each.id === id)
        if (hold === undefined) throw fail.dataset_hold_not_found(`${dataset} has no hold ${id}.`)
        await store.releaseHold(id, { atUs: clock.nowUs(), by: by.actor.name, reason })
        return { result: undefined, details: { hold: id, version: hold.version } }
      }),
    rollBack: ({ dataset, version: wanted }, by) =>
      changed('data.rolled-back', by, dataset, async () => {
        const version = await presentOrFail(dataset, wanted)
        const [latest] = await store.versions(dataset, { limit: 1 })
        if (latest.hash === version.hash) {
          throw fail.dataset_version_current(
            `${dataset} holds the content of version ${version.number} already.`,
          )
        }
        const { number } = version
        const made = await store.restore({ dataset, number, atUs: clock.nowUs() }, by)
        const details = { version: made.number, restores: number, from: latest.number }
        return { result: made, details: { ...details, hash: made.hash, rows: made.rows } }
      }),
    setRetention: ({ dataset, versions, days }, by) =>
      changed('data.retention-set', by, dataset, async (reason) => {
        await versionOrFail(dataset, 'latest')
        for (const kept of [versions, days]) {
          if (kept === null) continue
          if (Number.isInteger(kept) && kept >= 1 && kept <= keptMax) continue
          throw fail.dataset_retention_invalid(`${kept} is no number from 1 to ${keptMax}.`)
        }
        if (versions === null && days === null) {
          throw fail.dataset_retention_invalid('Neither a number of versions nor of days is given.')
        }
        const retention = {
          dataset,
          versions,
          days,
          by: by.actor.name,
          reason,
          atUs: clock.nowUs(),
        }
        await store.putRetention(retention)
        return { result: retention, details: { versions, days } }
      }),
    async retire({ dryRun }, by) {
      const removed: { dataset: string; number: number }[] = []
      for (const { dataset } of await catalog.datasets()) {
        const found = dryRun ? await removable(dataset) : await retireDataset(dataset, by)
        for (const { number } of found) removed.push({ dataset, number })
      }
      return removed
    },
    async keptHashes(without) {
      const hashes = await store.keptSnapshots(without)
      return [...new Set([...hashes, ...(await inUse()).hashes])]
    },
    recordCleaning: ({ files, bytes, hashes }, by) =>
      changed('data.files-removed', by, 'all', async () => ({
        result: undefined,
        details: { files, bytes, hashes: hashes.slice(0, namedMax) },
      })),
  }

  async function retireDataset(dataset: string, by: ChangeBy): Promise<DatasetVersion[]> {
    const removed: DatasetVersion[] = []
    while ((await removable(dataset)).length > 0) removed.push(...(await retireSome(dataset, by)))
    return removed
  }

  function retireSome(dataset: string, by: ChangeBy): Promise<DatasetVersion[]> {
    return changed('data.versions-removed', by, dataset, async (reason) => {
      // Looked at once more in the transaction: a tag or hold may have come in between. The oldest go
      // first, so that how long a version was current stays what it was for those that are left.
      const found = (await removable(dataset)).slice(-perTransaction)
      const numbers = found.map(({ number }) => number)
      await store.remove(dataset, numbers, { atUs: clock.nowUs(), by: by.actor.name, reason })
      const rows = found.reduce((sum, version) => sum + version.rows, 0)
      const details = { versions: numbers.length, numbers: numbers.slice(0, namedMax), rows }
      return { result: found, details }
    })
  }
}
