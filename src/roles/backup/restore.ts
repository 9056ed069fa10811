// Checks a backup, and makes a home of one. Nothing is believed: every byte is held against its hash, and
// a home appears only once all of it is there.
import { createHash } from 'node:crypto'
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { fileErrorCode, nodeFiles, type OpenFile } from '../../lib/files.ts'
import { HOME_FORMAT } from '../../projects/index.ts'
import { backupErrors } from './errors.ts'
import { manifestPath, objectPath, type BackupSource } from './layout.ts'
import { decodeManifest, type BackedUpFile, type Manifest } from './manifest.ts'
import { decryptSecret } from './secrets.ts'
import { wholeOf } from './store.ts'
import { isSecret } from './walk.ts'

export interface RestoreOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly files: number; readonly of: number }) => void
}

/** The manifest of a backup, of the newest where no id is given. Errors: `backup_missing`, `backup_damaged`. */
export async function manifestOf(source: BackupSource, id = source.ids.at(-1)): Promise<Manifest> {
  if (id === undefined) {
    throw backupErrors.backup_missing(
      'It holds no finished backup: the first one was ended midway.',
    )
  }
  const bytes = source.ids.includes(id) ? await wholeOf(source, manifestPath(id)) : undefined
  if (bytes === undefined) {
    throw backupErrors.backup_missing(
      `It holds no backup ${id}, but ${source.ids.join(', ') || 'none'}.`,
    )
  }
  const manifest = decodeManifest(manifestPath(id), bytes)
  if (manifest.head.id === id) return manifest
  throw backupErrors.backup_damaged(`The manifest of ${id} is one of ${manifest.head.id}.`)
}

/**
 * Reads all of what manifests name and holds it against them; every content once. Error:
 * `backup_damaged`, naming the file and its hash.
 */
export async function verifyBackups(
  source: BackupSource,
  manifests: readonly Manifest[],
  { signal, onProgress }: RestoreOptions = {},
): Promise<{ readonly contents: number; readonly bytes: number }> {
  const files = new Map(manifests.flatMap((each) => each.files).map((file) => [file.sha256, file]))
  let [contents, bytes] = [0, 0]
  for (const file of files.values()) {
    signal?.throwIfAborted()
    for await (const piece of checked(source, file)) bytes += piece.length
    onProgress?.({ files: ++contents, of: files.size })
  }
  return { contents, bytes }
}

/**
 * Makes a home of a backup in a directory that is not there or empty. It is built beside it and gets its
 * name at the end, so an interrupted restore leaves no half of a home. Errors: `home_occupied`,
 * `backup_damaged`, `backup_newer`, `backup_passphrase`.
 */
export async function restoreBackup(
  source: BackupSource,
  { head, files }: Manifest,
  directory: string,
  { passphrase, signal, onProgress }: RestoreOptions & { readonly passphrase?: string } = {},
): Promise<void> {
  if (head.formats.home > HOME_FORMAT) {
    throw backupErrors.backup_newer(
      `It holds a home of format ${head.formats.home}; this version reads up to ${HOME_FORMAT}.`,
    )
  }
  if (head.secrets === 'encrypted' && passphrase === undefined) {
    throw backupErrors.backup_passphrase('The secrets in it are encrypted.')
  }
  await refuseOccupied(directory)
  const building = `${path.resolve(directory)}.restoring-${process.pid}`
  await fs.rm(building, { recursive: true, force: true })
  try {
    await fs.mkdir(building, { recursive: true, mode: 0o700 })
    const folders = new Set([building])
    for (const [done, file] of files.entries()) {
      signal?.throwIfAborted()
      const place = path.join(building, file.path)
      const folder = path.dirname(place)
      await fs.mkdir(folder, { recursive: true, mode: isSecret(file.path) ? 0o700 : 0o755 })
      folders.add(folder)
      await writePieces(place, opened(source, file, passphrase))
      onProgress?.({ files: done + 1, of: files.length })
    }
    for (const folder of folders) await nodeFiles.syncDirectory(folder)
    await fs.rmdir(directory).catch((error: unknown) => {
      if (fileErrorCode(error) !== 'ENOENT') throw error
    })
    await fs.rename(building, directory)
    await nodeFiles.syncDirectory(path.dirname(path.resolve(directory)))
  } catch (error) {
    await fs.rm(building, { recursive: true, force: true })
    throw error
  }
}

async function refuseOccupied(directory: string): Promise<void> {
  try {
    const names = await fs.readdir(directory)
    if (names.length === 0) return
    throw backupErrors.home_occupied(
      `${directory} holds ${names.slice(0, 3).join(', ')}${names.length > 3 ? ' …' : ''}; nothing was touched.`,
    )
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return
    if (fileErrorCode(error) !== 'ENOTDIR') throw error
    throw backupErrors.home_occupied(`${directory} is a file; nothing was touched.`)
  }
}

/** The content as it lies in a home. */
async function* opened(
  source: BackupSource,
  file: BackedUpFile,
  passphrase: string | undefined,
): AsyncGenerator<Uint8Array> {
  if (file.encrypted !== true) return yield* checked(source, file)
  const pieces: Uint8Array[] = []
  for await (const piece of checked(source, file)) pieces.push(piece)
  yield decryptSecret(file.path, Buffer.concat(pieces), passphrase!)
}

/** The pieces of a file; fails at the end where together they are not what the manifest names. */
async function* checked(source: BackupSource, file: BackedUpFile): AsyncGenerator<Uint8Array> {
  const inside = objectPath(file.sha256)
  const damaged = (what: string) =>
    backupErrors.backup_damaged(`${file.path} (${inside}) ${what}.`, {
      extra: { path: file.path, sha256: file.sha256 },
    })
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const pieces = source.read(inside)
    if (pieces === undefined) throw damaged('is missing')
    for await (const piece of pieces) {
      hash.update(piece)
      bytes += piece.length
      yield piece
    }
  } catch (error) {
    throw fileErrorCode(error) === 'ENOENT' ? damaged('is missing') : error
  }
  const found = hash.digest('hex')
  if (bytes !== file.bytes) throw damaged(`has ${bytes} bytes, not ${file.bytes}`)
  if (found !== file.sha256) throw damaged(`hashes to ${found}`)
}

async function writePieces(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const open: OpenFile = await nodeFiles.open(file, 'create')
  try {
    let at = 0
    for await (const piece of pieces) {
      await open.write(piece, at)
      at += piece.length
    }
    await open.sync()
  } finally {
    await open.close()
  }
}
