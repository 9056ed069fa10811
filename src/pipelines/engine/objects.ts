// The store of outputs: content-addressed, written once. A step writes into a scratch folder; what it
// wrote is digested, synced and moved here, so that a name never stands for half a file.
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readFileSync } from 'node:fs'
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
import { nodeFiles, writeFileAtomic } from '../../lib/files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { pipelineErrors } from '../errors.ts'

export interface StoredObject {
  readonly digest: string
  readonly bytes: number
}

export interface PipelineObjects {
  /** Whether an output is there as it was kept: a changed file counts as none. */
  has(digest: string): Promise<boolean>
  /** Where its bytes lie; of a folder, its list of files. */
  path(digest: string): string
  /** Moves a file, or the files of a folder, out of a scratch folder. Error: a link among them. */
  adopt(path: string, form: 'file' | 'folder'): Promise<StoredObject>
  /** Lays a kept folder out as files, in a folder that is there. */
  layOut(digest: string, into: string): Promise<void>
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

/** Opens the store in a folder, which is made where there is none. Scratch must be on the same disk. */
export function openObjects(directory: string): PipelineObjects {
  const path = (digest: string) => join(directory, digest.slice(0, 2), digest.slice(2))
  /** What files looked like when they were last found to be as named: they need no second reading. */
  const checked = new Map<string, string>()

  async function has(digest: string): Promise<boolean> {
    const file = path(digest)
    // Many are asked for one after another, and what the disk answers at once need not wait its turn.
    const stat = lstatSync(file, { throwIfNoEntry: false })
    if (stat?.isFile() !== true) return false
    const look = `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`
    if (checked.get(digest) === look) return true
    const isSmall = stat.size <= SMALL_BYTES
    const found = isSmall ? sha256Hex(readFileSync(file)) : (await digestFile(file)).digest
    if (found !== digest) return false
    if (checked.size >= CHECKED_MAX) checked.clear()
    checked.set(digest, look)
    return true
  }

  async function adoptFile(from: string): Promise<StoredObject> {
    const { digest, bytes } = await digestFile(from)
    const to = path(digest)
    if (await has(digest)) {
      await rm(from)
      return { digest, bytes }
    }
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
      if (!(await has(digest))) await writeFileAtomic(path(digest), text)
      return { digest, bytes: listed.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
    async layOut(digest, into) {
      const listed = JSON.parse(await readFile(path(digest), 'utf8')) as Listed[]
      for (const { path: name, digest: of } of listed) {
        if (!(await has(of))) {
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
