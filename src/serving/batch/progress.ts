/**
 * How far a batch has come, on disk, so that one that was killed goes on where it stopped and ends
 * with the bytes that an undisturbed one gives.
 *
 * A folder holds `batch.json`, which says what is being scored, and for each part its rows, those
 * refused, and last a record with the hashes of both. A part counts once its record is there and its
 * content has those hashes; anything else is done again. No content is ever changed.
 */
import { join } from 'node:path'
import { contentHash, sha256Hex } from '../../lib/hash.ts'
import { fileErrorCode, readWholeFile, writeFileAtomic, type FileSystem } from '../../lib/files.ts'
import { servingErrors } from '../errors.ts'

/**
 * What the result follows from, each under a name that people read: `input`, `model`, `options`.
 * Two batches of equal facts give equal bytes.
 */
export type BatchFacts = Readonly<Record<string, string>>

/** A part that is done. */
export interface BatchPart {
  /** From 1. */
  readonly number: number
  /** Rows of the input up to the end of this part, refused ones too. */
  readonly position: number
  /** Rows scored and rows refused in this part. */
  readonly rows: number
  readonly refused: number
}

/** A part to be kept: CSV lines without their header. */
export interface NewBatchPart extends Omit<BatchPart, 'number'> {
  readonly content: Uint8Array
  readonly refusals: Uint8Array
}

export interface BatchProgress {
  /** Those that are done, in order. */
  readonly parts: readonly BatchPart[]
  /** Rows of the input that are done with. */
  readonly position: number
  /** Where the rows of a part lie, and those refused in it. */
  path(part: BatchPart, what: 'rows' | 'refused'): string
  /** A place beside the parts, on the same disk, for what is made of them. */
  readonly joinedPath: string
  /** Returns when the part would survive a loss of power. Errors are those of the file system. */
  append(part: NewBatchPart): Promise<void>
  /** Removes everything; an empty folder is left. */
  clear(): Promise<void>
}

export interface OpenProgressOptions {
  readonly directory: string
  readonly facts: BatchFacts
  readonly files: FileSystem
  /** Begins anew, whatever is there. */
  readonly fresh?: boolean
}

interface Head {
  readonly format: 1
  readonly facts: BatchFacts
}

interface PartRecord extends BatchPart {
  readonly batch: string
  readonly rowsSha256: string
  readonly refusedSha256: string
}

const HEAD = 'batch.json'
/** Where the parts are joined before the whole gets its name. */
const JOINED = 'joined.tmp'
const OURS =
  /^(?:joined\.tmp|(?:batch\.json|(?:rows|refused)-\d{6}\.csv|part-\d{6}\.json)(?:\.[0-9a-f]{8}\.tmp)?)$/

/**
 * Opens the progress of a batch, or begins one. Parts of the same facts are found again; where there
 * are parts of others, nothing is touched and `batch_changed` names what differs.
 */
export async function openProgress({
  directory,
  facts,
  files,
  fresh = false,
}: OpenProgressOptions): Promise<BatchProgress> {
  await files.makeDirectory(directory)
  const batch = contentHash(facts)
  const head = fresh ? undefined : await readJson<Head>(join(directory, HEAD), files)
  const isSame = head?.format === 1 && contentHash(head.facts) === batch
  let parts: BatchPart[] = []
  if (isSame) parts = await wholeParts(directory, batch, files)
  else if (head !== undefined) await refuseOthers(directory, head, facts, files)
  await removeBeyond(directory, parts.length, isSame, files)
  if (!isSame) {
    await writeFileAtomic(join(directory, HEAD), JSON.stringify({ format: 1, facts }), files)
  }
  return {
    get parts() {
      return parts
    },
    get position() {
      return parts.at(-1)?.position ?? 0
    },
    joinedPath: join(directory, JOINED),
    path: ({ number }, what) => join(directory, contentName(what, number)),
    async append({ content, refusals, ...counts }) {
      const part: BatchPart = { number: parts.length + 1, ...counts }
      const record: PartRecord = {
        ...part,
        batch,
        rowsSha256: sha256Hex(content),
        refusedSha256: sha256Hex(refusals),
      }
      const write = (name: string, bytes: Uint8Array | string) =>
        writeFileAtomic(join(directory, name), bytes, files)
      await write(contentName('rows', part.number), content)
      await write(contentName('refused', part.number), refusals)
      await write(recordName(part.number), JSON.stringify(record))
      parts = [...parts, part]
    },
    async clear() {
      // The head last: a folder with a head and fewer parts is a batch that has not come as far.
      await removeBeyond(directory, 0, false, files)
      parts = []
    },
  }
}

/** The parts that are whole, up to the first that is not. */
async function wholeParts(
  directory: string,
  batch: string,
  files: FileSystem,
): Promise<BatchPart[]> {
  const parts: BatchPart[] = []
  for (;;) {
    const number = parts.length + 1
    const record = await readJson<PartRecord>(join(directory, recordName(number)), files)
    if (record?.batch !== batch || record.number !== number) return parts
    const { position, rows, refused, rowsSha256, refusedSha256 } = record
    const isWhole =
      (await hashOf(join(directory, contentName('rows', number)), files)) === rowsSha256 &&
      (await hashOf(join(directory, contentName('refused', number)), files)) === refusedSha256
    if (!isWhole) return parts
    parts.push({ number, position, rows, refused })
  }
}

/** Where another batch has parts already. Error: `batch_changed`. */
async function refuseOthers(
  directory: string,
  { facts: before }: Head,
  now: BatchFacts,
  files: FileSystem,
): Promise<void> {
  const names = await files.list(directory)
  const done = names.filter((name) => /^part-\d{6}\.json$/.test(name)).length
  if (done === 0) return
  const changed = Object.keys({ ...before, ...now }).filter((name) => before?.[name] !== now[name])
  const what = changed.length === 0 ? 'something else' : `another ${changed.join(', another ')}`
  throw servingErrors.batch_changed(
    `${directory} holds ${done} finished ${done === 1 ? 'part' : 'parts'} of a run with ${what}.`,
  )
}

/** Removes what does not belong to the first `parts` parts; files of others stay. */
async function removeBeyond(
  directory: string,
  parts: number,
  keepsHead: boolean,
  files: FileSystem,
): Promise<void> {
  const ours = (await files.list(directory)).filter((name) => OURS.test(name))
  const isKept = (name: string) => {
    if (name.endsWith('.tmp')) return false
    return name === HEAD ? keepsHead : Number(/\d{6}/.exec(name)![0]) <= parts
  }
  // Records before contents and the head last, so that what is left is always what was done.
  const gone = ours.filter((name) => !isKept(name)).toSorted((a, b) => rank(a) - rank(b))
  for (const name of gone) await files.remove(join(directory, name))
  if (gone.length > 0) await files.syncDirectory(directory)
}

function rank(name: string): number {
  if (name === HEAD) return 2
  return name.startsWith('part-') ? 0 : 1
}

const digits = (number: number) => String(number).padStart(6, '0')
const contentName = (what: 'rows' | 'refused', number: number) => `${what}-${digits(number)}.csv`
const recordName = (number: number) => `part-${digits(number)}.json`

/** Undefined where there is none, or it is damaged: then what it tells of is done again. */
async function readJson<Value>(path: string, files: FileSystem): Promise<Value | undefined> {
  const bytes = await contentOf(path, files)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Value
  } catch {
    return undefined
  }
}

async function hashOf(path: string, files: FileSystem): Promise<string | undefined> {
  const bytes = await contentOf(path, files)
  return bytes && sha256Hex(bytes)
}

async function contentOf(path: string, files: FileSystem): Promise<Uint8Array | undefined> {
  try {
    return await readWholeFile(path, files)
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
