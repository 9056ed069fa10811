import type { Restorable } from '../lib/unit-of-work.ts'
import type { AuditStore } from './ports.ts'
import type { AuditEntry, AuditQuery, AuditRecord, Checkpoint } from './types.ts'

/** What an implementation keeps of a record: the entry is read back out of the leaf. */
type Kept = Omit<AuditRecord, 'entry'>

/** The simplest right store: an array that a failed transaction cuts back. */
export function createMemoryAuditStore(): AuditStore & Restorable {
  let kept: Kept[] = []
  let checkpoints: Checkpoint[] = []

  return {
    save() {
      const saved = { kept: [...kept], checkpoints: [...checkpoints] }
      return () => {
        ;({ kept, checkpoints } = saved)
      }
    },
    async append({ entry, leaf, leafHash }) {
      if (entry.index !== kept.length) {
        throw new Error(`Entry ${entry.index} cannot follow ${kept.length} entries.`)
      }
      kept.push({ leaf, leafHash })
    },
    count: async () => kept.length,
    read: async (from, limit) => kept.slice(from, from + limit).map(recordOf),
    list: async (query) =>
      kept
        .slice(0, query.before)
        .reverse()
        .map(recordOf)
        .filter((record) => matches(record, query))
        .slice(0, query.limit),
    async facets() {
      const entries = kept.map((record) => recordOf(record).entry)
      return {
        actions: [...new Set(entries.map((entry) => entry.action))].sort(),
        actors: [...new Set(entries.map((entry) => entry.actor))].sort(),
      }
    },
    async saveCheckpoint(checkpoint) {
      checkpoints.push(checkpoint)
    },
    latestCheckpoint: async () => checkpoints.at(-1),
  }
}

function recordOf({ leaf, leafHash }: Kept): AuditRecord {
  return { entry: JSON.parse(leaf) as AuditEntry, leaf, leafHash }
}

function matches({ entry, leaf }: AuditRecord, query: AuditQuery): boolean {
  return (
    (query.actor === undefined || entry.actor === query.actor) &&
    (query.action === undefined || entry.action === query.action) &&
    (query.kind === undefined || entry.object.kind === query.kind) &&
    (query.object === undefined || entry.object.id === query.object) &&
    (query.text === undefined || leaf.toLowerCase().includes(query.text.toLowerCase())) &&
    (query.fromUs === undefined || entry.atUs >= query.fromUs) &&
    (query.toUs === undefined || entry.atUs < query.toUs)
  )
}
