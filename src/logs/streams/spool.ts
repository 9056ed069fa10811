// Lines that were sent, in files that are read like any other log: what was answered is on disk, and who
// reads goes on after a crash at the place that it kept.
import { join } from 'node:path'
import { fileErrorCode, type FileSystem, type OpenFile } from '../../lib/files.ts'
import { fail } from '../errors.ts'

export interface Spool {
  /** The file to be followed. */
  readonly file: string
  /**
   * Adds lines; they are on disk when this resolves. Calls that come meanwhile share the next write.
   * Errors: `log_line_invalid`, `log_stream_behind`, and those of the disk.
   */
  append(lines: readonly string[]): Promise<void>
  /**
   * Removes the files that were rotated away, where `isCurrent` says that the reader has come to the one that is
   * written. They are listed before it is asked: one that is rotated away meanwhile may not be read.
   */
  release(isCurrent: () => Promise<boolean>): Promise<void>
  close(): Promise<void>
}

const FILE_BYTES = 64 * 1024 * 1024
/** Files that wait to be read, beside the one that is written. */
const ROTATED_MAX = 4
const NAME = 'sent.log'

export async function openSpool(
  directory: string,
  files: FileSystem,
  fileBytes = FILE_BYTES,
): Promise<Spool> {
  await files.makeDirectory(directory)
  const file = join(directory, NAME)
  let open: OpenFile | undefined
  let size = 0
  let waiting: { readonly bytes: Buffer; readonly done: (error?: unknown) => void }[] = []
  let writing: Promise<void> | undefined

  const rotated = async () =>
    (await files.list(directory)).filter((name) => name.startsWith(`${NAME}.`))

  async function rotate(): Promise<void> {
    const names = await rotated()
    if (names.length >= ROTATED_MAX) {
      throw fail.log_stream_behind(
        `${names.length} files of ${fileBytes / 1024 / 1024} MB wait to be read.`,
        { extra: { retryAfter: 5 } },
      )
    }
    const last = Math.max(0, ...names.map((name) => Number(name.slice(NAME.length + 1)) || 0))
    const full = open
    open = undefined
    await full?.close()
    await files.rename(file, `${file}.${last + 1}`)
  }

  /** The file that is written; opened again where a rotation failed on its way. */
  async function current(): Promise<OpenFile> {
    if (open !== undefined) return open
    const opened = await openOrCreate(directory, files)
    size = await endOfLines(opened)
    await opened.truncate(size)
    open = opened
    return opened
  }

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      let failure: unknown
      try {
        await current()
        if (size >= fileBytes) await rotate()
        await writeWhole(await current(), Buffer.concat(batch.map((each) => each.bytes)))
      } catch (error) {
        failure = error
      }
      for (const { done } of batch) done(failure)
    }
    writing = undefined
  }

  /** A write that failed leaves nothing: a line that was refused must not be read. */
  async function writeWhole(to: OpenFile, bytes: Buffer): Promise<void> {
    try {
      await to.write(bytes, size)
      size += bytes.length
    } catch (error) {
      await to.truncate(size)
      throw error
    }
  }

  await current()
  return {
    file,
    async append(lines) {
      const broken = lines.findIndex((line) => /[\r\n\0]/.test(line))
      if (broken >= 0) {
        throw fail.log_line_invalid(`Line ${broken + 1} has a line end or a zero in it.`)
      }
      if (lines.length === 0) return
      const bytes = Buffer.from(`${lines.join('\n')}\n`)
      await new Promise<void>((resolve, reject) => {
        waiting.push({
          bytes,
          done: (error) => (error === undefined ? resolve() : reject(error)),
        })
        writing ??= write()
      })
    },
    async release(isCurrent) {
      const names = await rotated()
      if (names.length === 0 || !(await isCurrent())) return
      for (const name of names) await files.remove(join(directory, name))
    },
    async close() {
      await writing
      await open?.close()
    },
  }
}

async function openOrCreate(directory: string, files: FileSystem): Promise<OpenFile> {
  const file = join(directory, NAME)
  try {
    return await files.open(file, 'update', { durable: true })
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOENT') throw error
    const created = await files.open(file, 'create', { durable: true })
    await files.syncDirectory(directory)
    return created
  }
}

/** Behind the last line end. What a crash cut was answered to nobody, and must not run into the next line. */
async function endOfLines(open: OpenFile): Promise<number> {
  const chunk = Buffer.alloc(64 * 1024)
  for (let end = await open.size(); end > 0;) {
    const from = Math.max(0, end - chunk.length)
    const read = chunk.subarray(0, await open.read(chunk.subarray(0, end - from), from))
    const last = read.lastIndexOf(10)
    if (last >= 0) return from + last + 1
    end = from
  }
  return 0
}
