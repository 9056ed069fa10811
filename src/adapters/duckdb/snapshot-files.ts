/** A folder of snapshots: what its files are called, and how each appears whole or not at all. */
import { statSync, unlinkSync } from 'node:fs'
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import {
  dataErrors,
  manifestHash,
  type SnapshotManifest,
  type StoredPart,
} from '../../data/index.ts'

/** What a file `<hash>.parts.json` says: a snapshot, and the parts that it is stored as. */
export interface PartList {
  readonly format: 'assay-snapshot-parts/1'
  readonly manifest: SnapshotManifest
  readonly parts: readonly { readonly hash: string; readonly rows: number }[]
}

const wholeEnd = '.parquet'
const listEnd = '.parts.json'

/** The folder's files by what they hold. */
export function filesIn(directory: string) {
  const whole = (hash: string): string => join(directory, `${checkedHash(hash)}${wholeEnd}`)
  const list = (hash: string): string => join(directory, `${checkedHash(hash)}${listEnd}`)

  async function readList(hash: string): Promise<PartList | undefined> {
    let text: string
    try {
      text = await readFile(list(hash), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    let written: PartList
    try {
      written = JSON.parse(text) as PartList
    } catch (cause) {
      throw damaged(hash, 'the list of its parts cannot be read', cause)
    }
    if (manifestHash(written.manifest) !== hash) {
      throw damaged(hash, 'its manifest has another hash')
    }
    return written
  }

  async function storedAs(name: string): Promise<StoredPart | undefined> {
    const end = [wholeEnd, listEnd].find((each) => name.endsWith(each))
    const hash = end === undefined ? '' : name.slice(0, -end.length)
    if (!isHash(hash)) return undefined
    const status = statSync(join(directory, name), { throwIfNoEntry: false })
    if (status === undefined) return undefined
    const named = end === listEnd ? await readList(hash) : undefined
    return {
      hash,
      bytes: status.size,
      usedAtUs: Math.floor(status.mtimeMs * 1000),
      parts: named?.parts.map((part) => part.hash) ?? [],
    }
  }

  return {
    whole,
    list,
    readList,
    /** Where a snapshot's rows lie, in order. Fails with `snapshot_not_found`. */
    async partsOf(hash: string): Promise<{ hash: string; path: string }[]> {
      if ((await sizeOf(whole(hash))) !== undefined) return [{ hash, path: whole(hash) }]
      const parts = (await readList(hash))?.parts
      if (parts === undefined) {
        throw dataErrors.snapshot_not_found(`No snapshot is named ${hash}.`)
      }
      return parts.map((part) => ({ hash: part.hash, path: whole(part.hash) }))
    },
    async writeList(hash: string, nowUs: number, content: PartList): Promise<void> {
      const path = list(hash)
      if (await touch(path, nowUs)) return
      await writeWhole(path, (temporary) => writeFile(temporary, JSON.stringify(content)))
    },
    async stored(): Promise<StoredPart[]> {
      const found: StoredPart[] = []
      for (const name of await namesIn(directory)) {
        const part = await storedAs(name)
        if (part !== undefined) found.push(part)
      }
      return found
    },
    remove(hash: string, unusedSinceUs: number): number {
      let bytes = 0
      for (const path of [list(hash), whole(hash)]) {
        // Looked at and removed in one go: a writer of this process cannot use it in between.
        const status = statSync(path, { throwIfNoEntry: false })
        if (status === undefined || status.mtimeMs * 1000 >= unusedSinceUs) continue
        unlinkSync(path)
        bytes += status.size
      }
      return bytes
    },
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

export function damaged(hash: string, what: string, cause?: unknown): Error {
  return dataErrors.snapshot_damaged(`Snapshot ${hash.slice(0, 12)}: ${what}.`, { cause })
}

/** Hashes become file names, so nothing else may pass. */
function checkedHash(hash: string): string {
  if (isHash(hash)) return hash
  throw dataErrors.snapshot_not_found(`${JSON.stringify(hash.slice(0, 80))} names no snapshot.`)
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Says of a file that it is wanted, so that no cleaner takes it for left over. False where it is not
 * there.
 */
export async function touch(path: string, nowUs: number): Promise<boolean> {
  try {
    await utimes(path, nowUs / 1e6, nowUs / 1e6)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Makes the folder and removes what a process that was killed left half-written in it. */
export async function sweep(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const names = await readdir(directory)
  const leftOver = names.filter((name) => name.endsWith('.part'))
  await Promise.all(leftOver.map((name) => rm(join(directory, name), { force: true })))
}

/** Writes a file under a temporary name, waits until it is on disk, and gives it its name. */
export async function writeWhole(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${process.pid}.part`
  try {
    await write(temporary)
    await syncToDisk(temporary)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw writeError(cause)
  }
}

async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function writeError(cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (/No space left|ENOSPC|disk full|File too large|EFBIG|quota/i.test(message)) {
    return dataErrors.snapshot_disk_full(`The snapshot did not fit on the disk: ${message}`, {
      cause,
    })
  }
  return dataErrors.snapshot_write_failed(`The snapshot was not written: ${message}`, { cause })
}
