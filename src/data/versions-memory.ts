import type { SnapshotRecord } from './ports.ts'
import { restored, versionOf, type DatasetVersion, type VersionFacts } from './versions.ts'
import type {
  DatasetHold,
  DatasetRetention,
  DatasetTag,
  DatasetVersionStore,
} from './versions-store.ts'

/** What only the recording of a version knows. */
type NewVersionFacts = Omit<VersionFacts, 'number' | 'origin'>

interface Kept {
  readonly version: DatasetVersion
  readonly parts: readonly SnapshotRecord[]
}

/** Everything in one object, so that a transaction that is undone puts back the object before it. */
export interface VersionsState {
  readonly versions: readonly Kept[]
  readonly tags: readonly DatasetTag[]
  readonly holds: readonly DatasetHold[]
  readonly retentions: readonly DatasetRetention[]
}

export const noVersions: VersionsState = { versions: [], tags: [], holds: [], retentions: [] }

/** The catalogue that versions are made of: what it holds now, and a way to add to it. */
export interface VersionedCatalog {
  readonly current: (dataset: string) => readonly SnapshotRecord[]
  readonly add: (records: readonly SnapshotRecord[]) => void
}

/** Versions in arrays, beside a catalogue in memory, which calls `recorded` after each ingestion. */
export function createMemoryVersions(catalog: VersionedCatalog) {
  let state = noVersions
  const of = (dataset: string) =>
    state.versions.filter(({ version }) => version.dataset === dataset)
  const found = (dataset: string, number: number) =>
    of(dataset).find(({ version }) => version.number === number)

  function recorded(dataset: string, facts: NewVersionFacts): DatasetVersion {
    const parts = catalog.current(dataset)
    const { origin } = parts.at(-1)!
    const version = versionOf(parts, { ...facts, origin, number: of(dataset).length + 1 })
    state = { ...state, versions: [...state.versions, { version, parts }] }
    return version
  }

  const store: DatasetVersionStore = {
    async versions(dataset, { before = Infinity, limit = 100 } = {}) {
      const all = of(dataset).map(({ version }) => version)
      return all
        .filter(({ number }) => number < before)
        .reverse()
        .slice(0, limit)
    },
    async version(dataset, number) {
      return found(dataset, number)?.version
    },
    async versionsNamed(dataset, prefix) {
      const all = of(dataset).map(({ version }) => version)
      return all.filter(({ hash }) => hash.startsWith(prefix))
    },
    async parts(dataset, number) {
      return [...(found(dataset, number)?.parts ?? [])]
    },
    async restore({ dataset, number, atUs }, by) {
      catalog.add(restored(found(dataset, number)!.parts))
      const { actor, reason } = by
      return recorded(dataset, {
        restores: number,
        recordedAtUs: atUs,
        recordedBy: actor.name,
        reason,
      })
    },
    async remove(dataset, numbers, removed) {
      const versions = state.versions.map((kept) => {
        const { version } = kept
        const isMeant = version.dataset === dataset && numbers.includes(version.number)
        if (!isMeant || version.removed !== null) return kept
        return { ...kept, version: { ...version, removed } }
      })
      state = { ...state, versions }
    },
    async tags(dataset) {
      const last = new Map(
        state.tags.filter((tag) => tag.dataset === dataset).map((tag) => [tag.tag, tag]),
      )
      const standing = [...last.values()].filter(({ version }) => version !== null)
      return standing.sort((a, b) => (a.tag < b.tag ? -1 : 1))
    },
    async tagHistory(dataset, name) {
      return state.tags.filter(({ dataset: its, tag }) => its === dataset && tag === name).reverse()
    },
    async putTag(tag) {
      state = { ...state, tags: [...state.tags, tag] }
    },
    async holds(dataset) {
      return state.holds.filter((hold) => hold.dataset === dataset).reverse()
    },
    async putHold(hold) {
      state = { ...state, holds: [...state.holds, hold] }
    },
    async releaseHold(id, released) {
      const holds = state.holds.map((hold) => (hold.id === id ? { ...hold, released } : hold))
      state = { ...state, holds }
    },
    async retention(dataset) {
      return state.retentions.find((retention) => retention.dataset === dataset)
    },
    async putRetention(retention) {
      const others = state.retentions.filter(({ dataset }) => dataset !== retention.dataset)
      state = { ...state, retentions: [...others, retention] }
    },
    async keptSnapshots(without = []) {
      const isLeftOut = ({ dataset, number }: DatasetVersion) =>
        without.some((each) => each.dataset === dataset && each.number === number)
      const kept = state.versions.filter(
        ({ version }) => version.removed === null && !isLeftOut(version),
      )
      return [...new Set(kept.flatMap(({ parts }) => parts.map(({ hash }) => hash)))]
    },
  }
  return {
    store,
    recorded,
    save() {
      const saved = state
      return () => {
        state = saved
      }
    },
  }
}
