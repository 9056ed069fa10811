// Whether a file of LMDB has all its pages. LMDB maps the file and trusts it: a page that is missing ends
// the process with a signal, which nothing can catch.
import { closeSync, existsSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'

const LMDB_MAGIC = 0xbeefc0de
const META_BYTES = 160

/**
 * Throws for a file that was cut short or is none of LMDB's; a directory without one is whole. The
 * places are those of `MDB_meta` behind a page's header, of LMDB's data version 2 on 64 bits (mdb.c).
 */
export function checkWhole(directory: string): void {
  const file = join(directory, 'data.mdb')
  if (!existsSync(file)) return
  const size = statSync(file).size
  // LMDB makes the file before it writes to it.
  if (size === 0) return
  const head = new DataView(new ArrayBuffer(META_BYTES))
  const descriptor = openSync(file, 'r')
  try {
    let page = 0
    let pages = 2
    for (const _ of [0, 1]) {
      const read = readSync(descriptor, head, 0, META_BYTES, page)
      if (read < META_BYTES || head.getUint32(24, true) !== LMDB_MAGIC) {
        throw new Error('data.mdb is no LMDB file')
      }
      page = head.getUint32(48, true)
      pages = Math.max(pages, Number(head.getBigUint64(144, true)) + 1)
    }
    if (size < pages * page) throw new Error('data.mdb was cut short')
  } finally {
    closeSync(descriptor)
  }
}

interface LmdbStatistics {
  readonly lastPageNumber: number
  readonly pageSize: number
}

/**
 * Gives the file all pages that LMDB counts. LMDB leaves the last ones unwritten where they were freed in
 * the transaction that took them, which `checkWhole` could not tell from a loss. A process that dies
 * between a commit and this finds its store called damaged, and rebuilds a sound state.
 */
export function extend(directory: string, root: RootDatabase): void {
  const file = join(directory, 'data.mdb')
  const { lastPageNumber, pageSize } = root.getStats() as LmdbStatistics
  const size = (lastPageNumber + 1) * pageSize
  if (statSync(file).size < size) truncateSync(file, size)
}
