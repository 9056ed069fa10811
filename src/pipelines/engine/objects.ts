// The store of outputs: content-addressed, written once. A step writes into a scratch folder; what it
// wrote is digested, synced and moved here, so that a name never stands for half a file.
import { createHash } from 'node:crypto'
import {
  createReadStream,
  lstatSync,
  readFileSync,
  unlinkSync,
  utimesSync,
  type Stats,
} from 'node:fs'
import {
  chmod,
  constants,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
} from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { systemClock, type Clock } from '../../lib/clock.ts'
import { fileErrorCode, nodeFiles, writeFileAtomic } from '../../lib/files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { pipelineErrors } from '../errors.ts'
import type { OutputKind } from './kinds.ts'

export interface StoredObject {
  readonly digest: string
  readonly bytes: number
}

/** A file of the store, as a cleaner sees it. */
export interface ObjectFile {
  /** Its digest, or what a process that was killed had not finished. */
  readonly name: string
  readonly bytes: number
  /** When it was last kept or asked for, µs UTC, to the hour. */
  readonly usedAtUs: number
}

export interface PipelineObjects {
  /**
   * Whether an output is there as it was kept: a changed file counts as none, and so does a folder of
   * which a file is gone. Whoever asks counts on it, so it counts as used now with all of its files.
   */
  has(digest: string, kind?: OutputKind): Promise<boolean>
  /** Where its bytes lie; of a folder, its list of files. */
  path(digest: string): string
  /** Moves a file, or the files of a folder, out of a scratch folder. Error: a link among them. */
  adopt(path: string, form: 'file' | 'folder'): Promise<StoredObject>
  /** Lays a kept folder out as files, in a folder that is there. */
  layOut(digest: string, into: string): Promise<void>
  /** Digests of the files of a kept folder; none where it is gone. Error: `pipeline_list_damaged`. */
  filesOf(digest: string): Promise<readonly string[]>
  /** All that is stored, some at a time. */
  stored(): AsyncIterable<readonly ObjectFile[]>
  /**
   * Removes a file unless it was used at or after an instant (µs UTC); the bytes that became free, 0
   * where nothing was removed. One process writes to a store and removes from it.
   */
  remove(name: string, unusedSinceUs: number): number
}

interface Listed {
  readonly path: string
  readonly digest: string
  readonly bytes: number
}

const FILES_MAX = 100_000
const CHECKED_MAX = 100_000
/** Read whole: opening a stream costs more. */
const SMALL_BYTES = 64 * 1024
/** A use is noted where the last one was noted so long ago. */
const NOTED_FOR_US = 3_600_000_000

/** Opens the store in a folder, which is made where there is none. Scratch must be on the same disk. */
export function openObjects(directory: string, clock: Clock = systemClock): PipelineObjects {
  const path = (digest: string) => join(directory, digest.slice(0, 2), digest.slice(2))
  const { has, hasFile, remember, usedNow } = looksAt(path, clock)

  async function adoptFile(from: string): Promise<StoredObject> {
    const { digest, bytes } = await digestFile(from)
    const to = path(digest)
    if (await hasFile(digest)) {
      await rm(from)
      return { digest, bytes }
    }
    // A step may have given it an older time.
    usedNow(from)
    await chmod(from, 0o444)
    const file = await open(from, 'r')
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
    await mkdir(dirname(to), { recursive: true })
    await rename(from, to)
    await nodeFiles.syncDirectory(dirname(to))
    // It was read a moment ago, and need not be read again to be known.
    remember(digest, lstatSync(to))
    return { digest, bytes }
  }

  return {
    has,
    path,
    async adopt(from, form) {
      if (form === 'file') {
        const stat = await lstat(from).catch(() => undefined)
        if (stat?.isFile() !== true) {
          throw pipelineErrors.pipeline_step_failed(`The output ${from} is no file.`)
        }
        return adoptFile(from)
      }
      const listed: Listed[] = []
      for (const file of await filesIn(from)) {
        const name = relative(from, file).split(sep).join('/')
        listed.push({ path: name, ...(await adoptFile(file)) })
      }
      const text = canonicalJson(listed)
      const digest = sha256Hex(text)
      await mkdir(dirname(path(digest)), { recursive: true })
      if (!(await hasFile(digest))) {
        await writeFileAtomic(path(digest), text)
        usedNow(path(digest))
      }
      return { digest, bytes: listed.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
    async layOut(digest, into) {
      const listed = JSON.parse(await readFile(path(digest), 'utf8')) as Listed[]
      for (const { path: name, digest: of } of listed) {
        if (!(await hasFile(of))) {
          throw pipelineErrors.pipeline_step_failed(
            `The kept file ${name} (${of}) is gone or was changed; run its step anew with --from.`,
          )
        }
        const to = join(into, ...name.split('/'))
        await mkdir(dirname(to), { recursive: true })
        // A copy, shared on disk where the file system can: a step must not reach what is kept.
        await copyFile(path(of), to, constants.COPYFILE_FICLONE)
      }
    },
    ...cleanerOf(directory, path),
  }
}

/** Says what is there, and notes that it was asked for. */
function looksAt(path: (digest: string) => string, clock: Clock) {
  /** What files looked like when they were last found to be as named: they need no second reading. */
  const checked = new Map<string, string>()
  /** Until when a folder needs no second look: its files were noted as used. */
  const noted = new Map<string, number>()

  function remember(digest: string, stat: Stats): void {
    if (checked.size >= CHECKED_MAX) checked.clear()
    checked.set(digest, lookOf(stat))
  }

  function usedNow(file: string): void {
    const nowS = clock.nowUs() / 1e6
    utimesSync(file, nowS, nowS)
  }

  /** Notes the use of a file; what it is like then. */
  function use(file: string, stat: Stats, nowUs: number): Stats {
    if (stat.mtimeMs * 1000 > nowUs - NOTED_FOR_US) return stat
    usedNow(file)
    return lstatSync(file)
  }

  async function hasFile(digest: string): Promise<boolean> {
    const file = path(digest)
    // Many are asked for one after another, and what the disk answers at once need not wait its turn.
    const stat = lstatSync(file, { throwIfNoEntry: false })
    if (stat?.isFile() !== true) return false
    const isKnown = checked.get(digest) === lookOf(stat)
    // Before it is read: nobody removes it meanwhile.
    const used = use(file, stat, clock.nowUs())
    if (!isKnown) {
      const isSmall = stat.size <= SMALL_BYTES
      const found = isSmall ? sha256Hex(readFileSync(file)) : (await digestFile(file)).digest
      if (found !== digest) return false
    }
    remember(digest, used)
    return true
  }

  /** The files of a folder are read when they are laid out; here it is enough that they are there. */
  async function has(digest: string, kind?: OutputKind): Promise<boolean> {
    if (!(await hasFile(digest))) return false
    const nowUs = clock.nowUs()
    if (kind !== 'folder' || (noted.get(digest) ?? 0) > nowUs) return true
    for (const { digest: of } of JSON.parse(readFileSync(path(digest), 'utf8')) as Listed[]) {
      const stat = lstatSync(path(of), { throwIfNoEntry: false })
      if (stat?.isFile() !== true) return false
      use(path(of), stat, nowUs)
    }
    if (noted.size >= CHECKED_MAX) noted.clear()
    noted.set(digest, nowUs + NOTED_FOR_US)
    return true
  }

  return { has, hasFile, remember, usedNow }
}

/** What a cleaner of the store needs. */
function cleanerOf(
  directory: string,
  path: (name: string) => string,
): Pick<PipelineObjects, 'filesOf' | 'stored' | 'remove'> {
  return {
    async filesOf(digest) {
      const text = await readFile(path(digest), 'utf8').catch((error: unknown) => {
        if (fileErrorCode(error) === 'ENOENT') return undefined
        throw error
      })
      if (text === undefined) return []
      if (sha256Hex(text) !== digest) {
        throw pipelineErrors.pipeline_list_damaged(`${path(digest)} is not what it was.`)
      }
      return (JSON.parse(text) as Listed[]).map((file) => file.digest)
    },
    async *stored() {
      for (const folder of await namesIn(directory)) {
        const names = FOLDER.test(folder) ? await namesIn(join(directory, folder)) : []
        yield names.flatMap((name): ObjectFile[] => {
          const stat = lstatSync(join(directory, folder, name), { throwIfNoEntry: false })
          if (stat?.isFile() !== true) return []
          const usedAtUs = Math.floor(stat.mtimeMs * 1000)
          return [{ name: folder + name, bytes: stat.size, usedAtUs }]
        })
      }
    },
    remove(name, unusedSinceUs) {
      // Looked at and removed in one go: nobody in this process can count on it in between.
      const stat = lstatSync(path(name), { throwIfNoEntry: false })
      if (stat?.isFile() !== true || stat.mtimeMs * 1000 >= unusedSinceUs) return 0
      unlinkSync(path(name))
      return stat.size
    },
  }
}

/** Objects lie in folders by the first two digits of their names. */
const FOLDER = /^[0-9a-f]{2}$/

function lookOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted()
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** SHA-256 and length of a file, read in pieces. */
export async function digestFile(path: string): Promise<StoredObject> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { digest: hash.digest('hex'), bytes }
}

/** The digest of a folder, as the store would name it. */
export async function digestFolder(path: string): Promise<StoredObject> {
  const listed: Listed[] = []
  for (const file of await filesIn(path)) {
    const name = relative(path, file).split(sep).join('/')
    listed.push({ path: name, ...(await digestFile(file)) })
  }
  const bytes = listed.reduce((sum, each) => sum + each.bytes, 0)
  return { digest: sha256Hex(canonicalJson(listed)), bytes }
}

/** All files below a folder, sorted. */
async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) continue
    if (!entry.isFile()) {
      throw pipelineErrors.pipeline_step_failed(`${path} is no file: links are not kept.`)
    }
    found.push(path)
    if (found.length > FILES_MAX) {
      throw pipelineErrors.pipeline_step_failed(`${folder} has more than ${FILES_MAX} files.`)
    }
  }
  return found.toSorted()
}
