import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { RandomBytes } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { trackingErrors } from './errors.ts'
import type { FileEntry, FileOwner, FileStore, PartStore, StoredFile } from './file-ports.ts'
import { checkFilePath, checkFolder, contentTypeOf, foldersOf } from './files-paths.ts'
import { collect, tooLarge } from './files-stream.ts'
import { sweepOf, type Sweep } from './files-sweep.ts'
import { createUploads, type Uploads } from './files-uploads.ts'
import type { ArtifactStore } from './ports.ts'

/** Bounds of files, in bytes and counts; `fileBytes` may be set for each server. */
export const fileLimits = {
  fileBytes: 5 * 1024 ** 3,
  /** The largest that is ever read as a whole. */
  wholeBytes: 64 * 1024 ** 2,
  entriesPerPage: 10_000,
  parts: 10_000,
  uploads: 64,
  /** So that one identity cannot hold all of them. */
  uploadsPerIdentity: 16,
  /** An upload in parts that nobody sends to for so long is given up; clients try for ten minutes. */
  uploadIdleUs: 900_000_000,
} as const

/** Content that is brought whole, or as it comes. Text is kept as UTF-8. */
export type FileContent = Uint8Array | string | AsyncIterable<Uint8Array>

export interface NewFile {
  readonly path: string
  /** Told from the path's ending where absent. */
  readonly contentType?: string | undefined
  readonly content: FileContent
}

/**
 * Files of runs, of logged models, and of one folder for everything else: trees of names over
 * contents that are kept once. A name is replaced by putting it again. What is put into a run is
 * covered by the run's content hash; everything else, and every removal, has its audit entry.
 */
export interface Files extends Sweep {
  /**
   * What lies in a folder ('': all), one level deep, by name. `next` goes into `after` where there is
   * more. An unknown folder is empty. Error: `artifact_path_invalid`.
   */
  list(owner: FileOwner, folder: string, after?: string): Promise<FilePage>
  /**
   * All files at any depth. Error: `artifact_listing_too_long` where there are more than
   * `fileLimits.entriesPerPage`: whoever asks for all of them must not take some for all.
   */
  filesBelow(owner: FileOwner, folder: string): Promise<StoredFile[]>
  /** Undefined where there is no such file. */
  file(owner: FileOwner, path: string): Promise<StoredFile | undefined>
  /**
   * Errors: `artifact_path_invalid`, `artifact_path_taken`, `artifact_too_large`,
   * `artifact_store_full`, `artifact_kept` (another content for a file of a logged model that a
   * registered version refers to), and those of the owner: `run_not_found`, `run_deleted` …
   */
  put(owner: FileOwner, file: NewFile, by: ChangeBy): Promise<StoredFile>
  /** The content as a stream, checked against its hash. Errors: `artifact_not_found`, `artifact_damaged`. */
  open(owner: FileOwner, path: string): Promise<OpenedFile>
  /** The content whole. Error: `artifact_too_large` beyond the limit, besides those of `open`. */
  read(
    owner: FileOwner,
    path: string,
    limitBytes?: number,
  ): Promise<StoredFile & { readonly bytes: Uint8Array }>
  /**
   * Removes a file, or a folder with all below it ('': all, of a run or a logged model); how many
   * files. What is not there is no error. Errors: `artifact_path_invalid`, `artifact_kept`, where a
   * registered version refers to its owner.
   */
  remove(owner: FileOwner, path: string, by: ChangeBy): Promise<number>
  /** Takes away all files of owners that are purged, in the running transaction; how many. */
  removeOwners(owners: readonly FileOwner[]): Promise<number>
  readonly uploads: Uploads
}

export interface FilePage {
  readonly entries: readonly FileEntry[]
  readonly next?: string | undefined
}

export interface OpenedFile extends StoredFile {
  readonly stream: AsyncIterable<Uint8Array>
}

/** What the rest of the room says about owners of files. */
export interface FileOwners {
  /** Whether something outside (a registered version) refers to an owner. */
  isKept(owner: FileOwner): Promise<boolean>
  /** Errors of an owner that is not there or takes nothing, before any byte is read. */
  check(owner: FileOwner): Promise<void>
  /** Runs a change of an owner's files in a transaction, after the same check. */
  change<T>(owner: FileOwner, by: ChangeBy, write: () => Promise<T>): Promise<T>
}

export interface FilesDependencies {
  readonly store: FileStore
  readonly artifacts: ArtifactStore
  readonly parts: PartStore
  readonly owners: FileOwners
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly random: RandomBytes
  readonly fileBytesMax?: number | undefined
}

/** At most so many removed files stand by name in one audit entry. */
const AUDITED_FILES = 100

export function createFiles(dependencies: FilesDependencies): Files {
  const { store, artifacts, owners, unit, clock } = dependencies
  const limitBytes = dependencies.fileBytesMax ?? fileLimits.fileBytes
  const { keep, refuseTaken } = keeper(dependencies)

  async function found(owner: FileOwner, path: string): Promise<StoredFile> {
    checkFilePath(path)
    const file = await store.file(owner, path)
    if (file !== undefined) return file
    const of =
      owner.kind === 'folder'
        ? 'There is no file'
        : `${titles[owner.kind]} ${owner.id} has no artifact`
    throw trackingErrors.artifact_not_found(`${of} ${path}.`)
  }

  async function open(owner: FileOwner, path: string): Promise<OpenedFile> {
    const file = await found(owner, path)
    const content = await artifacts.open(file.sha256)
    if (content === undefined) {
      throw trackingErrors.artifact_damaged(
        `The content of artifact ${path} is not there any more.`,
      )
    }
    return { ...file, stream: content.stream }
  }

  return {
    async list(owner, folder, after) {
      checkFolder(folder)
      const limit = fileLimits.entriesPerPage
      const entries = await store.entries(owner, folder, { limit: limit + 1, after })
      if (entries.length <= limit) return { entries }
      return { entries: entries.slice(0, limit), next: entries[limit - 1].path }
    },
    async filesBelow(owner, folder) {
      checkFolder(folder)
      const limit = fileLimits.entriesPerPage
      const files = await store.filesBelow(owner, folder, { limit: limit + 1 })
      if (files.length <= limit) return files
      throw trackingErrors.artifact_listing_too_long(
        `${folder === '' ? 'The top' : folder} holds more than ${limit} files.`,
      )
    },
    async file(owner, path) {
      checkFilePath(path)
      return store.file(owner, path)
    },
    async put(owner, { path, contentType = contentTypeOf(path), content }, by) {
      checkFilePath(path)
      requireReason(by)
      await owners.check(owner)
      // Before gigabytes come in vain, and again when they are named.
      await refuseTaken(owner, path)
      const stored = await storeContent(artifacts, content, limitBytes)
      return keep(owner, { path, contentType, ...stored }, by)
    },
    open,
    async read(owner, path, most = fileLimits.wholeBytes) {
      const { stream, ...file } = await open(owner, path)
      if (file.size > most) throw tooLarge(file.size, most)
      return { ...file, bytes: await collect(stream, most) }
    },
    async remove(owner, path, by) {
      // The folder is everybody's: nobody empties it with one request.
      if (owner.kind === 'folder') checkFilePath(path)
      else checkFolder(path)
      requireReason(by)
      return owners.change(owner, by, async () => {
        const gone = await store.remove(owner, path, clock.nowUs())
        await refuseKept(owners, owner, gone[0], undefined)
        if (gone.length > 0) await recordRemoval(dependencies, owner, path, gone, by)
        return gone.length
      })
    },
    async removeOwners(gone) {
      return unit.transaction(async () => {
        let count = 0
        for (const owner of gone) count += (await store.remove(owner, '', clock.nowUs())).length
        return count
      })
    },
    ...sweepOf(dependencies),
    uploads: createUploads({ ...dependencies, keep, limitBytes }),
  }
}

const titles = { run: 'Run', 'logged-model': 'Logged model', folder: 'Folder' } as const

async function storeContent(artifacts: ArtifactStore, content: FileContent, limitBytes: number) {
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    return artifacts.putStream(content, limitBytes)
  }
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  if (bytes.length > limitBytes) throw tooLarge(bytes.length, limitBytes)
  return artifacts.put(bytes)
}

export type Keep = (
  owner: FileOwner,
  file: Omit<StoredFile, 'putAtUs'>,
  by: ChangeBy,
) => Promise<StoredFile>

/** Names content that is stored already. Content that then nothing names is left to the sweep. */
function keeper({ store, artifacts, owners, unit, audit, clock }: FilesDependencies) {
  async function refuseTaken(owner: FileOwner, path: string): Promise<void> {
    for (const folder of foldersOf(path)) {
      if ((await store.file(owner, folder)) === undefined) continue
      throw trackingErrors.artifact_path_taken(
        `${folder} is a file, so ${path} cannot lie below it.`,
      )
    }
    const [inside] = await store.filesBelow(owner, path, { limit: 1 })
    if (inside !== undefined) {
      throw trackingErrors.artifact_path_taken(`${path} is a folder: ${inside.path} lies in it.`)
    }
  }

  const keep: Keep = async (owner, content, by) => {
    try {
      return await owners.change(owner, by, async () => {
        const file = { ...content, putAtUs: clock.nowUs() }
        // The sweep may have taken content that was there already before this named it.
        if (!(await artifacts.has(file.sha256))) {
          throw trackingErrors.artifact_not_found(
            `The content of ${file.path} was swept away as it came. Send it again.`,
          )
        }
        await refuseTaken(owner, file.path)
        await refuseKept(owners, owner, await store.file(owner, file.path), file.sha256)
        await store.put(owner, file)
        if (owner.kind !== 'run') await recordPut(audit, owner, file, by)
        return file
      })
    } catch (error) {
      await unit.transaction(() => store.loosen([content.sha256], clock.nowUs()))
      throw error
    }
  }
  return { keep, refuseTaken }
}

/** What a registered version refers to is evidence: it grows, and what is there does not change. */
async function refuseKept(
  owners: FileOwners,
  owner: FileOwner,
  before: StoredFile | undefined,
  sha256: string | undefined,
): Promise<void> {
  if (before === undefined || before.sha256 === sha256) return
  if (owner.kind === 'run' && sha256 !== undefined) return
  if (!(await owners.isKept(owner))) return
  throw trackingErrors.artifact_kept(
    `A registered version refers to ${titles[owner.kind].toLowerCase()} ${owner.id}, so ${before.path} stays as it is.`,
  )
}

async function recordPut(
  audit: Pick<AuditLog, 'append'>,
  owner: FileOwner,
  { path, sha256, size }: StoredFile,
  by: ChangeBy,
): Promise<void> {
  await audit.append({
    actor: by.actor.id,
    action: 'tracking.file-put',
    object: { kind: owner.kind, id: owner.id },
    reason: requireReason(by),
    details: { path, sha256, size },
  })
}

async function recordRemoval(
  { audit }: FilesDependencies,
  owner: FileOwner,
  path: string,
  gone: readonly StoredFile[],
  by: ChangeBy,
): Promise<void> {
  const files = gone.slice(0, AUDITED_FILES).map((file) => [file.path, file.sha256])
  await audit.append({
    actor: by.actor.id,
    action: 'tracking.files-removed',
    object: { kind: owner.kind, id: owner.id },
    reason: requireReason(by),
    details: { path, count: gone.length, files },
  })
}
