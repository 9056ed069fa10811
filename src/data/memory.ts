import type { Restorable } from '../lib/unit-of-work.ts'
import { fail } from './errors.ts'
import {
  manifestHash,
  manifestOf,
  sliceFrame,
  type Frame,
  type FrameColumn,
  type FrameSchema,
} from './frame.ts'
import type {
  DatasetCatalog,
  DatasetSummary,
  QuarantineEntry,
  QuarantineFilter,
  QuarantineStore,
  SnapshotRecord,
  SnapshotStore,
} from './ports.ts'
import { createMemoryVersions } from './versions-memory.ts'
import type { DatasetVersionStore } from './versions-store.ts'

/**
 * Snapshots in a map: for tests, and the plainest statement of what a store does. `nowUs` says when
 * something was used.
 */
export function createMemorySnapshots(nowUs: () => number = () => 0): SnapshotStore {
  const stored = new Map<string, StoredFrame>()
  const found = (hash: string): StoredFrame => {
    const snapshot = stored.get(hash)
    if (snapshot === undefined) throw fail.snapshot_not_found(`No snapshot is named ${hash}.`)
    return snapshot
  }
  const infoOf = (hash: string) => {
    const { frame, schema, parts } = found(hash)
    const itself = { hash, rows: frame.rows, bytes: 0, path: null }
    const partOf = (part: string) => ({ ...itself, hash: part, rows: found(part).frame.rows })
    return { ...itself, schema, parts: parts.length === 0 ? [itself] : parts.map(partOf) }
  }
  const keep = (frame: Frame, schema: FrameSchema, parts: readonly string[]): string => {
    const hash = manifestHash(manifestOf(frame, schema))
    const names = schema.columns.map(({ name }) => name)
    const copy = { rows: frame.rows, columns: copyColumns(frame, names) }
    const known = stored.get(hash)?.parts
    stored.set(hash, { frame: copy, schema, parts: known ?? parts, usedAtUs: nowUs() })
    return hash
  }
  return {
    async write(frame, schema, { parts = [0] } = {}) {
      if (parts.length < 2) return infoOf(keep(frame, schema, []))
      const cut = parts.map((start, index) => sliceFrame(frame, start, parts[index + 1]))
      const hashes = cut.map((part) => keep(part, schema, []))
      return infoOf(keep(frame, schema, hashes))
    },
    async read(hash, options) {
      const { frame, schema, parts } = found(hash)
      parts.forEach(found)
      const names = options?.columns ?? schema.columns.map(({ name }) => name)
      return { rows: frame.rows, columns: copyColumns(frame, names) }
    },
    async describe(hash) {
      return stored.has(hash) ? infoOf(hash) : undefined
    },
    async stored() {
      return [...stored].map(([hash, { parts, usedAtUs }]) => ({ hash, bytes: 0, usedAtUs, parts }))
    },
    async remove(hash, unusedSinceUs) {
      const known = stored.get(hash)
      if (known !== undefined && known.usedAtUs < unusedSinceUs) stored.delete(hash)
      return 0
    },
  }
}

interface StoredFrame {
  readonly frame: Frame
  readonly schema: FrameSchema
  readonly parts: readonly string[]
  readonly usedAtUs: number
}

/** Copies, so that a caller who changes a column changes no snapshot. */
function copyColumns(frame: Frame, names: readonly string[]): Record<string, FrameColumn> {
  const columns: Record<string, FrameColumn> = {}
  for (const name of names) {
    const column = frame.columns[name]
    if (column === undefined) throw fail.snapshot_column_unknown(`There is no column ${name}.`)
    columns[name] = column.slice()
  }
  return columns
}

/** The catalogue in an array. `openRows` tells how many rows of a dataset are in quarantine. */
export function createMemoryCatalog(
  openRows: (dataset: string) => number = () => 0,
): DatasetCatalog & Restorable & { readonly versions: DatasetVersionStore } {
  let records: (SnapshotRecord & { readonly sequence: number })[] = []
  const of = (dataset: string) => records.filter((record) => record.dataset === dataset)

  function currentOf(dataset: string): (SnapshotRecord & { readonly sequence: number })[] {
    const all = of(dataset)
    return all.slice(
      Math.max(
        0,
        all.findLastIndex((record) => record.mode === 'replace'),
      ),
    )
  }

  function summary(dataset: string): DatasetSummary {
    const current = currentOf(dataset)
    const latest = current.at(-1)!
    return {
      dataset,
      kind: latest.kind,
      contractVersion: latest.contract.version,
      rows: current.reduce((sum, record) => sum + record.rows, 0),
      snapshots: of(dataset).length,
      fromUs: least(current.map((record) => record.fromUs)),
      toUs: most(current.map((record) => record.toUs)),
      latestHash: latest.hash,
      quarantinedOpen: openRows(dataset),
      recordedAtUs: latest.recordedAtUs,
    }
  }

  function add(snapshots: readonly SnapshotRecord[]): void {
    records = [
      ...records,
      ...snapshots.map((snapshot, index) => ({
        ...structuredClone(snapshot),
        sequence: records.length + index + 1,
      })),
    ]
  }

  const versions = createMemoryVersions({ current: currentOf, add })

  return {
    versions: versions.store,
    save() {
      const saved = records
      const undoVersions = versions.save()
      return () => {
        records = saved
        undoVersions()
      }
    },
    async record(snapshots, by) {
      add(snapshots)
      for (const [dataset, added] of Map.groupBy(snapshots, (snapshot) => snapshot.dataset)) {
        versions.recorded(dataset, {
          restores: null,
          recordedAtUs: added.at(-1)!.recordedAtUs,
          recordedBy: by.actor.name,
          reason: by.reason,
        })
      }
    },
    async datasets() {
      const names = [...new Set(records.map((record) => record.dataset))]
      return names.sort((a, b) => (a < b ? -1 : 1)).map(summary)
    },
    async snapshots(dataset, page = {}) {
      const { before = Infinity, limit = 100 } = page
      return of(dataset)
        .filter((record) => record.sequence < before)
        .reverse()
        .slice(0, limit)
    },
    async current(dataset) {
      return currentOf(dataset)
    },
    async snapshot(hash) {
      return records.findLast((record) => record.hash === hash)
    },
  }
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.min(...known)
}

function most(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** The quarantine in an array. */
export function createMemoryQuarantine(): QuarantineStore &
  Restorable & { openRows(dataset: string): number } {
  let entries: readonly QuarantineEntry[] = []
  const matching = (filter: QuarantineFilter) =>
    entries.filter(
      (entry) =>
        (filter.dataset === undefined || entry.dataset === filter.dataset) &&
        (filter.status === undefined || entry.status === filter.status) &&
        (filter.ingestion === undefined || entry.ingestion === filter.ingestion) &&
        (filter.rule === undefined || entry.failures.some(({ rule }) => rule === filter.rule)),
    )

  return {
    save() {
      const saved = entries
      return () => {
        entries = saved
      }
    },
    openRows: (dataset) => matching({ dataset, status: 'open' }).length,
    async put(rows) {
      const known = new Set(entries.map((entry) => entry.id))
      const added: QuarantineEntry[] = []
      for (const row of rows) {
        if (known.has(row.id)) continue
        known.add(row.id)
        const sequence = entries.length + added.length + 1
        added.push({ ...structuredClone(row), sequence, status: 'open', resolution: null })
      }
      entries = [...entries, ...added]
    },
    async list(filter, page = {}) {
      const { after = 0, limit = 100 } = page
      const all = matching(filter)
      const rows = all.filter((entry) => entry.sequence > after).slice(0, Math.min(limit, 1000))
      return { rows, total: all.length }
    },
    async get(ids) {
      const byId = new Map(entries.map((entry) => [entry.id, entry] as const))
      return ids.map((id) => byId.get(id)).filter((entry) => entry !== undefined)
    },
    async summary(filter) {
      const counts = new Map<string, { column: string | null; rule: string; rows: number }>()
      for (const entry of matching({ ...filter, status: 'open' })) {
        for (const { column, rule } of entry.failures) {
          const name = `${rule}/${column ?? ''}`
          const known = counts.get(name)
          if (known === undefined) counts.set(name, { column, rule, rows: 1 })
          else known.rows++
        }
      }
      return [...counts.values()].sort((a, b) => b.rows - a.rows)
    },
    async resolve(ids, { status, snapshot, atUs }, by) {
      const wanted = new Set(ids)
      let changed = 0
      entries = entries.map((entry) => {
        if (!wanted.has(entry.id) || entry.status !== 'open') return entry
        changed++
        const resolution = { actor: by.actor.name, reason: by.reason, atUs, snapshot }
        return { ...entry, status, resolution }
      })
      return changed
    },
  }
}
