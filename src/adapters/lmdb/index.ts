/**
 * LMDB: the index from event ids to journal sequences, online values of a bank without Redis, and
 * the entities that memory has no room for. All are derived, so they are rebuilt, never migrated;
 * what was put is on disk, the index together with how far it reaches, in one transaction.
 */
import { mkdirSync } from 'node:fs'
import { open } from 'lmdb'
import { decisionErrors } from '../../decisions/index.ts'
import type { DecisionIndex } from '../../decisions/index.ts'
import { crc32c } from '../../lib/checksum.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { commit } from './commit.ts'
import { noteDamage, openMended } from './mended.ts'
import type { MendOptions } from './mended.ts'
import { extend } from './whole-file.ts'

export type { ColdStoreOptions } from './cold-store.ts'
export { openLmdbColdStore, openMendedColdStore } from './cold-store.ts'
export type { MendOptions, Suspicion } from './mended.ts'
export { openLmdbOnlineValues } from './online-values.ts'

/** LMDB takes keys of up to 1,978 bytes; longer ones stand in by their hash. */
const KEY_BYTES_MAX = 512
const THROUGH = '#through'
const MAP_BYTES = 64 * 1024 * 1024 * 1024

/**
 * Opens the index in a directory, or makes one there; one that is damaged is put aside. Every entry has
 * a checksum, so that no key ever leads to another's record: `index_damaged` where it does not fit, and
 * the next opening begins with an empty index.
 */
export async function openLmdbDecisionIndex(
  directory: string,
  mend: MendOptions = {},
): Promise<DecisionIndex> {
  mkdirSync(directory, { recursive: true })
  return await openMended(directory, () => openIndex(directory), mend)
}

/** Sequence, hash of the body, checksum; entries of earlier versions have none. */
type Kept = [number, string, number?]

function openIndex(directory: string): DecisionIndex {
  const database = open<Kept | number, string>({
    path: directory,
    // A name with a dot, as that of a store that was put aside, would be taken for a file.
    noSubdir: false,
    // Only address space is reserved; the file grows with what it holds.
    mapSize: MAP_BYTES,
    encoding: 'msgpack',
    // Each put is a transaction of its own; batching by turns adds a promise that nobody hears when
    // the disk refuses, and an unheard refusal ends the process.
    eventTurnBatching: false,
  })
  const damaged = (what: string, cause?: unknown) => {
    noteDamage(directory)
    return decisionErrors.index_damaged(`${what} in the index ${directory} is damaged.`, { cause })
  }
  const read = (at: string): Kept | number | undefined => {
    try {
      return database.get(at)
    } catch (cause) {
      throw damaged('An entry', cause)
    }
  }
  // One change after the other: the file is measured between them.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(act)
    last = turn.catch(() => undefined)
    return turn
  }
  // Read once, so that what cannot be read is known while it can still be put aside.
  let through = reachOf(read(THROUGH))
  return {
    through: () => through,
    get(key) {
      const found = read(stored(key))
      if (found === undefined) return undefined
      if (!isKept(found)) throw damaged('An entry')
      const [sequence, bodyHash, sum] = found
      if (sum !== undefined && sum !== sumOf(key, sequence, bodyHash)) throw damaged('An entry')
      return { sequence, bodyHash }
    },
    put: (writes, upTo) =>
      inTurn(async () => {
        await commit(database, () => {
          for (const { key, sequence, bodyHash, replace } of writes) {
            const at = stored(key)
            if (replace !== true && database.get(at) !== undefined) continue
            void database.put(at, [sequence, bodyHash, sumOf(key, sequence, bodyHash)])
          }
          void database.put(THROUGH, upTo)
        })
        through = upTo
        extend(directory, database)
      }),
    clear: () =>
      inTurn(async () => {
        await database.clearAsync()
        through = 0
      }),
    close: () => database.close(),
  }
}

function isKept(found: Kept | number): found is Kept {
  return Array.isArray(found) && Number.isSafeInteger(found[0]) && typeof found[1] === 'string'
}

function reachOf(found: Kept | number | undefined): number {
  if (found === undefined) return 0
  if (!Number.isSafeInteger(found)) throw new Error('It does not say how far it reaches.')
  return found as number
}

/** So that an entry is told from that of any other key. */
function sumOf(key: string, sequence: number, bodyHash: string): number {
  const bytes = Buffer.from(`${key}\n${sequence}\n${bodyHash}`)
  return crc32c(bytes, 0, bytes.length)
}

function stored(key: string): string {
  return Buffer.byteLength(key) <= KEY_BYTES_MAX ? key : `#${sha256Hex(key)}`
}
