/**
 * LMDB: the index from event ids to journal sequences, online values of a bank without Redis, and
 * the entities that memory has no room for. All are derived, so they are rebuilt, never migrated;
 * what was put is on disk, the index together with how far it reaches, in one transaction.
 */
import { mkdirSync } from 'node:fs'
import { open } from 'lmdb'
import type { DecisionIndex, IndexEntry } from '../../decisions/index.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { commit } from './commit.ts'

export type { ColdStoreOptions } from './cold-store.ts'
export { openLmdbColdStore } from './cold-store.ts'
export { openLmdbOnlineValues } from './online-values.ts'

/** LMDB takes keys of up to 1,978 bytes; longer ones stand in by their hash. */
const KEY_BYTES_MAX = 512
const THROUGH = '#through'
const MAP_BYTES = 64 * 1024 * 1024 * 1024

/** Opens the index in a directory, or makes one there. */
export async function openLmdbDecisionIndex(directory: string): Promise<DecisionIndex> {
  mkdirSync(directory, { recursive: true })
  const database = open<[number, string] | number, string>({
    path: directory,
    // Only address space is reserved; the file grows with what it holds.
    mapSize: MAP_BYTES,
    encoding: 'msgpack',
    // Each put is a transaction of its own; batching by turns adds a promise that nobody hears when
    // the disk refuses, and an unheard refusal ends the process.
    eventTurnBatching: false,
  })
  return {
    through: () => (database.get(THROUGH) as number | undefined) ?? 0,
    get(key) {
      const found = database.get(stored(key)) as [number, string] | undefined
      return found === undefined ? undefined : entryOf(found)
    },
    async put(writes, through) {
      await commit(database, () => {
        for (const { key, sequence, bodyHash, replace } of writes) {
          const at = stored(key)
          if (replace !== true && database.get(at) !== undefined) continue
          void database.put(at, [sequence, bodyHash])
        }
        void database.put(THROUGH, through)
      })
    },
    clear: () => database.clearAsync(),
    close: () => database.close(),
  }
}

function entryOf([sequence, bodyHash]: [number, string]): IndexEntry {
  return { sequence, bodyHash }
}

function stored(key: string): string {
  return Buffer.byteLength(key) <= KEY_BYTES_MAX ? key : `#${sha256Hex(key)}`
}
