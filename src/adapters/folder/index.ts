/**
 * The folder adapter: immutable files named by the SHA-256 of their content.
 *
 * What always holds: a file appears whole or not at all, is never changed, and is checked against
 * its name whenever it is read. What was being written when the process was killed is never seen,
 * and goes when the folder is swept.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import {
  nodeFiles,
  readWholeFile,
  temporaryName,
  writeFileAtomic,
  type FileSystem,
} from '../../lib/files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { trackingErrors, type ArtifactStore } from '../../tracking/index.ts'
import { asFull, readFile, unlessMissing, writeStream } from './stream.ts'

export { createFolderLog, createLineAppender } from './message-log.ts'
export { createFolderParts } from './parts.ts'

export interface FolderArtifactOptions {
  /** Made where it does not exist. */
  readonly directory: string
  /** What follows the hash in a file's name, e.g. `.json`. */
  readonly extension?: string
  readonly files?: FileSystem
}

/** Names in one piece of a listing. */
const LISTED = 1000

/** Artifacts as files of one folder; the name is the hash, so that no name comes from outside. */
export function createFolderArtifacts(options: FolderArtifactOptions): ArtifactStore {
  const { directory, extension = '', files = nodeFiles } = options
  mkdirSync(directory, { recursive: true })

  const fileOf = (sha256: string) => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined
    return path.join(directory, `${sha256}${extension}`)
  }

  /** Its size in bytes; undefined where there is none. */
  async function sizeOf(file: string | undefined): Promise<number | undefined> {
    const open = file === undefined ? undefined : await unlessMissing(files.open(file, 'read'))
    try {
      return await open?.size()
    } finally {
      await open?.close()
    }
  }

  async function read(sha256: string): Promise<Uint8Array | undefined> {
    const file = fileOf(sha256)
    return file === undefined ? undefined : unlessMissing(readWholeFile(file, files))
  }

  const damaged = (sha256: string) =>
    trackingErrors.artifact_damaged(`The file ${sha256}${extension} has other content.`)

  return {
    async put(bytes) {
      const sha256 = sha256Hex(bytes)
      const known = await read(sha256)
      // A damaged file is replaced: putting the content again repairs the store.
      if (known === undefined || sha256Hex(known) !== sha256) {
        await writeFileAtomic(fileOf(sha256)!, bytes, files).catch(asFull)
      }
      return { sha256, size: bytes.length }
    },
    async putStream(content, limitBytes) {
      const temporary = temporaryName(path.join(directory, 'arriving'))
      try {
        const stored = await writeStream(temporary, content, limitBytes, {
          files,
          sync: true,
        })
        // Also over one of that name: a damaged file is repaired.
        await files.rename(temporary, fileOf(stored.sha256)!)
        await files.syncDirectory(directory)
        return stored
      } catch (error) {
        await files.remove(temporary).catch(() => undefined)
        return asFull(error)
      }
    },
    async get(sha256) {
      const bytes = await read(sha256)
      if (bytes !== undefined && sha256Hex(bytes) !== sha256) throw damaged(sha256)
      return bytes
    },
    async open(sha256) {
      const file = fileOf(sha256)
      const size = await sizeOf(file)
      if (file === undefined || size === undefined) return undefined
      return { size, stream: checked(readFile(file, files), sha256, () => damaged(sha256)) }
    },
    async has(sha256) {
      return (await sizeOf(fileOf(sha256))) !== undefined
    },
    async *stored() {
      const names = (await unlessMissing(files.list(directory))) ?? []
      const hashes = names.flatMap((name) => {
        const sha256 = name.slice(0, 64)
        return fileOf(sha256) === path.join(directory, name) ? [sha256] : []
      })
      for (let from = 0; from < hashes.length; from += LISTED) {
        yield hashes.slice(from, from + LISTED)
      }
    },
    async remove(sha256) {
      const file = fileOf(sha256)
      if (file !== undefined) await unlessMissing(files.remove(file))
    },
  }
}

/**
 * Removes what was being written when a process was killed. Only for the one that has just become
 * the folder's writer.
 */
export async function sweepFolder(
  directory: string,
  files: FileSystem = nodeFiles,
): Promise<number> {
  const names = (await unlessMissing(files.list(directory))) ?? []
  const stale = names.filter((name) => name.endsWith('.tmp'))
  for (const name of stale) await unlessMissing(files.remove(path.join(directory, name)))
  return stale.length
}

/**
 * Hands on each piece when the next has come and the last once the hash is right, so that nobody
 * takes damaged content for a whole file.
 */
async function* checked(
  content: AsyncIterable<Uint8Array>,
  sha256: string,
  damaged: () => Error,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let held: Uint8Array | undefined
  for await (const chunk of content) {
    hash.update(chunk)
    if (held !== undefined) yield held
    held = chunk
  }
  if (hash.digest('hex') !== sha256) throw damaged()
  if (held !== undefined) yield held
}
