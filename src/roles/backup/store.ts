// Backups in a folder, and what is the same for folders and .tar files.
import { createHash } from 'node:crypto'
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { fileErrorCode, nodeFiles, writeFileAtomic } from '../../lib/files.ts'
import { backupErrors } from './errors.ts'
import {
  idsOf,
  manifestPath,
  MARK_FILE,
  MARK_TEXT,
  objectPath,
  type BackupSource,
  type BackupTarget,
} from './layout.ts'
import { BACKUP_FORMAT } from './manifest.ts'
import { openTar } from './tar.ts'

const CHUNK_BYTES = 1024 * 1024

/** Reads a file piece by piece, at most its first `limit` bytes. */
export async function* readPieces(file: string, limit = Infinity): AsyncGenerator<Uint8Array> {
  const open = await nodeFiles.open(file, 'read')
  try {
    // What is appended meanwhile belongs to the next backup.
    const end = Math.min(await open.size(), limit)
    for (let at = 0; at < end;) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - at))
      const got = await open.read(chunk, at)
      if (got === 0) return
      yield chunk.subarray(0, got)
      at += got
    }
  } finally {
    await open.close()
  }
}

/** Opens a folder for backups. Errors: `backup_target_invalid`, `backup_unwritable`. */
export async function openFolderTarget(directory: string): Promise<BackupTarget> {
  const objects = path.join(directory, 'objects')
  await fs.mkdir(directory, { recursive: true, mode: 0o700 })
  await refuseForeign(directory)
  for (const folder of ['objects', 'manifests']) {
    await fs.mkdir(path.join(directory, folder), { recursive: true, mode: 0o700 })
  }
  await writeFileAtomic(path.join(directory, MARK_FILE), MARK_TEXT)
  await sweepArriving(objects)
  const arriving = path.join(objects, `arriving-${process.pid}.tmp`)
  const at = (sha256: string) => path.join(directory, objectPath(sha256))
  const touched = new Set<string>()

  async function sizeOf(sha256: string): Promise<number | undefined> {
    const found = await fs.stat(at(sha256)).catch(() => undefined)
    return found?.size
  }

  return {
    scratch: path.join(objects, `arriving-${process.pid}.tmp.sqlite`),
    sizeOf,
    async put(content) {
      const { sha256, bytes } = await writeHashed(arriving, content())
      if ((await sizeOf(sha256)) === bytes) {
        await fs.rm(arriving)
        return { sha256, bytes, known: true }
      }
      const file = at(sha256)
      await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
      await fs.rename(arriving, file)
      touched.add(path.dirname(file))
      return { sha256, bytes, known: false }
    },
    async finish(id, manifest) {
      for (const folder of [...touched, objects]) await nodeFiles.syncDirectory(folder)
      await writeFileAtomic(path.join(directory, manifestPath(id)), manifest)
    },
    abandon: () => fs.rm(arriving, { force: true }),
  }
}

async function writeHashed(file: string, pieces: AsyncIterable<Uint8Array>) {
  await fs.rm(file, { force: true })
  const hash = createHash('sha256')
  const open = await nodeFiles.open(file, 'create')
  let bytes = 0
  try {
    for await (const piece of pieces) {
      hash.update(piece)
      await open.write(piece, bytes)
      bytes += piece.length
    }
    await open.sync()
  } finally {
    await open.close()
  }
  return { sha256: hash.digest('hex'), bytes }
}

async function refuseForeign(directory: string): Promise<void> {
  const names = await fs.readdir(directory)
  // The mark is the first file; before it there may be what a killed first backup made of folders.
  const foreign = names.filter((name) => !/^(objects|manifests|assay-backup\.json.*)$/.test(name))
  if (names.includes(MARK_FILE) || foreign.length === 0) return
  throw backupErrors.backup_target_invalid(
    `${directory} holds other files and no ${MARK_FILE}, so nothing was touched.`,
  )
}

/** What a killed backup was writing; one that still runs keeps its own. */
async function sweepArriving(objects: string): Promise<void> {
  for (const name of await fs.readdir(objects)) {
    const [, pid] = /^arriving-(\d+)\.tmp/.exec(name) ?? []
    if (pid !== undefined && !isAlive(Number(pid))) {
      await fs.rm(path.join(objects, name), { force: true })
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return pid !== process.pid
  } catch (error) {
    return fileErrorCode(error) === 'EPERM'
  }
}

/**
 * Opens a folder or a .tar file with backups. Errors: `backup_missing`, `backup_damaged`,
 * `backup_newer`.
 */
export async function openBackup(place: string): Promise<BackupSource> {
  const found = await fs.stat(place).catch(() => undefined)
  if (found === undefined) throw backupErrors.backup_missing(`There is nothing at ${place}.`)
  const source = found.isDirectory() ? await openFolder(place) : await openTar(place)
  try {
    await expectMark(place, source)
    return source
  } catch (error) {
    await source.close()
    throw error
  }
}

async function openFolder(directory: string): Promise<BackupSource> {
  const names = await fs.readdir(path.join(directory, 'manifests')).catch((): string[] => [])
  return {
    ids: idsOf(names.map((name) => `manifests/${name}`)),
    read: (inside) => readPieces(path.join(directory, inside)),
    close: async () => {},
  }
}

async function expectMark(place: string, source: BackupSource): Promise<void> {
  const bytes = await wholeOf(source, MARK_FILE)
  if (bytes === undefined) {
    throw backupErrors.backup_missing(`${place} holds no ${MARK_FILE}, so it is no backup.`)
  }
  const text = Buffer.from(bytes).toString('utf8')
  if (text === MARK_TEXT) return
  const [, format] = /^\{"format":(\d+),"kind":"assay-backup"/.exec(text) ?? []
  if (format !== undefined && Number(format) > BACKUP_FORMAT) {
    throw backupErrors.backup_newer(
      `${place} has format ${format}; this version reads ${BACKUP_FORMAT}.`,
    )
  }
  throw backupErrors.backup_damaged(`${MARK_FILE} in ${place} has other content.`)
}

/** All of a file inside; undefined where there is none. */
export async function wholeOf(
  source: BackupSource,
  inside: string,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = []
  try {
    for await (const piece of source.read(inside) ?? []) pieces.push(piece)
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  return source.read(inside) === undefined ? undefined : Buffer.concat(pieces)
}
