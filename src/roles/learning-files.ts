// Files that people bring to learn from: streamed into the home directory, named by the hash of their
// bytes, and removed when newer ones have come. Nothing that a client says becomes a path.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../lib/clock.ts'
import type { AssayError } from '../lib/errors.ts'
import { writeFileAtomic } from '../lib/files.ts'
import type { Ids } from '../lib/ids.ts'
import type { FileDescription, FileToLearn } from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'
import type { LearningFile, LearningFiles, Upload } from '../server/keep/index.ts'
import { rolesErrors } from './errors.ts'

const BYTES_MAX = 1024 ** 3
const FILES_MAX = 20
const ALL_BYTES_MAX = 8 * 1024 ** 3
/** Uploads at one time; each is bounded, and so is what they take together. */
const UPLOADS_MAX = 4

const forms: readonly FileToLearn['form'][] = ['csv', 'csv.gz', 'parquet']

export interface LearningFilesOptions {
  readonly home: Pick<Home, 'incoming'>
  readonly describe: (file: FileToLearn) => Promise<FileDescription>
  readonly ids: Ids
  readonly clock: Clock
  readonly bytesMax?: number
  readonly filesMax?: number
}

export function createLearningFiles(options: LearningFilesOptions): LearningFiles {
  const { home, describe, ids, clock, bytesMax = BYTES_MAX, filesMax = FILES_MAX } = options
  const folder = folderOf(home)
  let uploads = 0

  async function receive({ stream, bytes: declared }: Upload, name: string): Promise<LearningFile> {
    if (declared !== undefined && declared > bytesMax) throw tooLarge(declared, bytesMax)
    if (uploads >= UPLOADS_MAX) {
      throw rolesErrors.uploads_full(`${uploads} files are being uploaded now.`)
    }
    uploads++
    const arriving = join(folder, `${ids('upload')}.part`)
    try {
      await mkdir(folder, { recursive: true })
      const { id, bytes } = await write(stream, arriving, bytesMax)
      const file: FileToLearn = { id, name, form: await formOf(arriving) }
      await rename(arriving, pathOfLearningFile(home, file))
      try {
        const known: LearningFile = { ...file, bytes, ...(await describe(file)) }
        await writeFileAtomic(factsPath(home, id), Buffer.from(JSON.stringify(known)))
        return known
      } catch (error) {
        await rm(pathOfLearningFile(home, file), { force: true })
        throw error
      }
    } finally {
      uploads--
      await rm(arriving, { force: true })
      await removeOld(folder, filesMax)
    }
  }

  async function get(id: string): Promise<LearningFile | undefined> {
    if (!/^[0-9a-f]{64}$/.test(id)) return undefined
    try {
      const known = JSON.parse(await readFile(factsPath(home, id), 'utf8')) as LearningFile
      // What is used stays longer than what is not.
      const now = clock.nowUs() / 1e6
      await utimes(pathOfLearningFile(home, known), now, now)
      return known
    } catch {
      return undefined
    }
  }

  return { receive, get }
}

/** Where a file lies. Only a hash and one of three endings ever become a path. */
export function pathOfLearningFile(
  home: Pick<Home, 'incoming'>,
  { id, form }: Pick<FileToLearn, 'id' | 'form'>,
): string {
  if (!/^[0-9a-f]{64}$/.test(id) || !forms.includes(form))
    throw new Error(`No file is called ${id}.`)
  return join(folderOf(home), `${id}.${form}`)
}

function tooLarge(bytes: number, bytesMax: number): AssayError {
  return rolesErrors.upload_too_large(
    `The file has ${bytes} bytes or more; at most ${bytesMax} are taken.`,
  )
}

function folderOf({ incoming }: Pick<Home, 'incoming'>): string {
  return join(incoming, 'learning')
}

function factsPath(home: Pick<Home, 'incoming'>, id: string): string {
  return join(folderOf(home), `${id}.json`)
}

async function write(
  stream: Readable,
  path: string,
  bytesMax: number,
): Promise<{ readonly id: string; readonly bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  await pipeline(
    stream,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length
        if (bytes > bytesMax) {
          throw tooLarge(bytes, bytesMax)
        }
        hash.update(chunk)
        yield chunk
      }
    },
    createWriteStream(path, { mode: 0o600 }),
  )
  return { id: hash.digest('hex'), bytes }
}

/** By its first bytes, whatever it is called. */
async function formOf(path: string): Promise<FileToLearn['form']> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    if (buffer.toString('latin1') === 'PAR1') return 'parquet'
    return buffer[0] === 0x1f && buffer[1] === 0x8b ? 'csv.gz' : 'csv'
  } finally {
    await file.close()
  }
}

/** The newest stay, as many as there is room for. */
async function removeOld(folder: string, filesMax: number): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    /^[0-9a-f]{64}\.[cp]/.test(name),
  )
  const found = await Promise.all(
    names.map(async (name) => ({ name, ...(await sizeAndTime(join(folder, name))) })),
  )
  let total = 0
  for (const [index, { name, size }] of found.toSorted((a, b) => b.timeMs - a.timeMs).entries()) {
    total += size
    if (index === 0 || (index < filesMax && total <= ALL_BYTES_MAX)) continue
    await rm(join(folder, name), { force: true })
    await rm(join(folder, `${name.slice(0, 64)}.json`), { force: true })
  }
}

async function sizeAndTime(
  path: string,
): Promise<{ readonly size: number; readonly timeMs: number }> {
  const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }))
  return { size, timeMs: mtimeMs }
}
