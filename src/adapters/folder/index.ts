/**
 * The folder adapter: immutable files named by the SHA-256 of their content.
 *
 * What always holds: a file appears whole or not at all, is never changed, and is checked against
 * its name whenever it is read.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import {
  fileErrorCode,
  nodeFiles,
  readWholeFile,
  writeFileAtomic,
  type FileSystem,
} from '../../lib/files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { trackingErrors, type ArtifactStore } from '../../tracking/index.ts'

export interface FolderArtifactOptions {
  /** Made where it does not exist. */
  readonly directory: string
  /** What follows the hash in a file's name, e.g. `.json`. */
  readonly extension?: string
  readonly files?: FileSystem
}

/** Artifacts as files of one folder; the name is the hash, so that no name comes from outside. */
export function createFolderArtifacts(options: FolderArtifactOptions): ArtifactStore {
  const { directory, extension = '', files = nodeFiles } = options
  mkdirSync(directory, { recursive: true })

  const fileOf = (sha256: string) => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined
    return path.join(directory, `${sha256}${extension}`)
  }

  async function read(sha256: string): Promise<Uint8Array | undefined> {
    const file = fileOf(sha256)
    if (file === undefined) return undefined
    try {
      return await readWholeFile(file, files)
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  return {
    async put(bytes) {
      const sha256 = sha256Hex(bytes)
      const known = await read(sha256)
      // A damaged file is replaced: putting the content again repairs the store.
      if (known === undefined || sha256Hex(known) !== sha256) {
        await writeFileAtomic(fileOf(sha256)!, bytes, files)
      }
      return { sha256, size: bytes.length }
    },
    async get(sha256) {
      const bytes = await read(sha256)
      if (bytes !== undefined && sha256Hex(bytes) !== sha256) {
        throw trackingErrors.artifact_damaged(`The file ${sha256}${extension} has other content.`)
      }
      return bytes
    },
    async has(sha256) {
      return (await read(sha256)) !== undefined
    },
  }
}
