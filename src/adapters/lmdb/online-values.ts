import { mkdirSync } from 'node:fs'
import { open } from 'lmdb'
import type { OnlineAddress, OnlineReading, OnlineSet, OnlineValues } from '../../features/index.ts'
import {
  checkOnlineAddress,
  checkOnlineNamespace,
  checkOnlineRead,
  checkOnlineScan,
  checkOnlineSet,
  checkOnlineWrite,
  checkSameOnlineSet,
  decodeEntityKey,
  encodeEntityKey,
  featureErrors,
  onlineSetUnknown,
} from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { commit } from './commit.ts'
import { openMended } from './mended.ts'
import type { MendOptions } from './mended.ts'

/** The encoded key, sequence, event time, when it expires (null: never), and the values' doubles. */
type Kept = readonly [string, number, number, number | null, Uint8Array]

const MAP_BYTES = 64 * 1024 * 1024 * 1024
/** Entities that one transaction of `retire` removes. */
const RETIRE_BATCH = 5_000
/** Sorts behind every key of a set. */
const END = '\u{10ffff}'

/**
 * Online values in a directory of their own: for a bank that has no Redis, and for readers on the
 * same machine. Several processes may open it. `clock` tells when values expire. A damaged store is put
 * aside: it is a copy, which is published again.
 */
export async function openLmdbOnlineValues(
  directory: string,
  clock: Clock,
  mend: MendOptions = {},
): Promise<OnlineValues> {
  mkdirSync(directory, { recursive: true })
  return await openMended(directory, () => openValues(directory, clock), {
    ...mend,
    isShared: true,
  })
}

function openValues(directory: string, clock: Clock): OnlineValues {
  const database = open<Kept | OnlineSet, string>({
    path: directory,
    noSubdir: false,
    // Only address space is reserved; the file grows with what it holds.
    mapSize: MAP_BYTES,
    encoding: 'msgpack',
    eventTurnBatching: false,
  })

  function declared(address: OnlineAddress): OnlineSet {
    checkOnlineAddress(address)
    const set = database.get(setKey(address)) as OnlineSet | undefined
    if (set === undefined) throw onlineSetUnknown(address)
    return set
  }

  async function change<R>(act: () => R): Promise<R> {
    try {
      return await commit(database, act)
    } catch (error) {
      if (isAssayError(error)) throw error
      const detail = `The online values in ${directory} cannot be written: ${String(error)}.`
      throw featureErrors.online_store_refused(detail, { cause: error })
    }
  }

  return {
    async declare(set) {
      checkOnlineSet(set)
      await change(() => {
        const before = database.get(setKey(set)) as OnlineSet | undefined
        if (before !== undefined) checkSameOnlineSet(before, set)
        void database.put(setKey(set), set)
      })
    },

    async sets(namespace) {
      checkOnlineNamespace(namespace)
      const start = `s ${namespace} `
      return [...database.getRange({ start, end: start + END })].map(
        ({ value }) => value as OnlineSet,
      )
    },

    async write(address, entities) {
      checkOnlineWrite(declared(address), entities)
      const keys = entities.map(({ key }) => encodeEntityKey(address.entity, key))
      const nowUs = clock.nowUs()
      let written = 0
      await change(() => {
        // Looked at again: the set may have been retired since.
        const { timeToLiveUs } = declared(address)
        const expiresUs = timeToLiveUs === null ? null : nowUs + timeToLiveUs
        written = 0
        entities.forEach(({ sequence, asOfUs, values }, i) => {
          const at = entityKey(address, keys[i])
          const old = database.get(at) as Kept | undefined
          if (old !== undefined && lives(old, nowUs) && isAfter(old, sequence, asOfUs)) return
          void database.put(at, [keys[i], sequence, asOfUs, expiresUs, bytesOf(values)])
          written++
        })
      })
      return { written, outdated: entities.length - written }
    },

    async read(address, request) {
      const set = declared(address)
      checkOnlineRead(set, request)
      const nowUs = clock.nowUs()
      const positions = request.features.map((feature) => set.features.indexOf(feature))
      return request.keys.map((key): OnlineReading => {
        const at = entityKey(address, encodeEntityKey(set.entity, key))
        const found = database.get(at) as Kept | undefined
        if (found === undefined || !lives(found, nowUs)) return { found: 'absent' }
        const [, sequence, asOfUs, , bytes] = found
        const doubles = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        const values = positions.map((position) => known(doubles.getFloat64(position * 8, true)))
        const stale = asOfUs < (request.freshFromUs ?? -Infinity)
        return { found: stale ? 'stale' : 'fresh', asOfUs, sequence, values }
      })
    },

    async scan(address, request) {
      checkOnlineScan(request)
      const { entity } = declared(address)
      const prefix = entityKey(address, '')
      const { after, limit } = request
      const start = after === null ? prefix : prefix + after
      const rows = [...database.getRange({ start, end: prefix + END, limit: limit + 1 })]
      const page = rows.slice(0, limit)
      const nowUs = clock.nowUs()
      const keys = page.flatMap(({ value }) => {
        const key = decodeEntityKey(entity, (value as Kept)[0])
        return key !== undefined && lives(value as Kept, nowUs) ? [key] : []
      })
      return { keys, next: rows.length > limit ? rows[limit].key.slice(prefix.length) : null }
    },

    async retire(address) {
      checkOnlineAddress(address)
      await change(() => database.remove(setKey(address)))
      const prefix = entityKey(address, '')
      const nowUs = clock.nowUs()
      let removed = 0
      for (;;) {
        const range = { start: prefix, end: prefix + END, limit: RETIRE_BATCH }
        const rows = [...database.getRange(range)]
        if (rows.length === 0) return removed
        removed += rows.filter(({ value }) => lives(value as Kept, nowUs)).length
        await change(() => {
          for (const { key } of rows) void database.remove(key)
        })
      }
    },

    close: () => database.close(),
  }
}

function setKey({ namespace, version, entity }: OnlineAddress): string {
  return `s ${namespace} ${version} ${entity.join('+')}`
}

/** LMDB's keys are short and without odd characters; others stand in by their hash. */
function entityKey({ namespace, version, entity }: OnlineAddress, encoded: string): string {
  const plain = /^[\x20-\x7e]{0,300}$/.test(encoded)
  const columns = sha256Hex(entity.join('+')).slice(0, 16)
  return `e ${namespace} ${version} ${columns} ${plain ? encoded : `#${sha256Hex(encoded)}`}`
}

function lives([, , , expiresUs]: Kept, nowUs: number): boolean {
  return expiresUs === null || expiresUs > nowUs
}

function isAfter([, oldSequence, oldAsOfUs]: Kept, sequence: number, asOfUs: number): boolean {
  return oldSequence > sequence || (oldSequence === sequence && oldAsOfUs > asOfUs)
}

function bytesOf(values: ArrayLike<number>): Uint8Array {
  const doubles = new DataView(new ArrayBuffer(values.length * 8))
  // Adding 0 turns −0 into 0: they are one value.
  for (let i = 0; i < values.length; i++) doubles.setFloat64(i * 8, values[i] + 0, true)
  return new Uint8Array(doubles.buffer)
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
