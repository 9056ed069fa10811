import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { createGunzip } from 'node:zlib'
import { fail } from './errors.ts'

export type FileFormat = 'csv' | 'ndjson' | 'parquet'

/** A file that was looked at but not yet read. */
export interface FileInput {
  readonly path: string
  /** Without its folder. */
  readonly name: string
  readonly format: FileFormat
  readonly gzip: boolean
  readonly bytes: number
}

const chunkBytes = 1 << 20

/**
 * Finds out what a file is: compression and Parquet by their first bytes, CSV or NDJSON by name
 * unless the format is given.
 */
export async function inspectFile(path: string, format?: FileFormat): Promise<FileInput> {
  const { head, bytes } = await readHead(path)
  const name = basename(path)
  if (bytes === 0) throw fail.file_empty(`${name} is empty (0 bytes).`)
  const gzip = head[0] === 0x1f && head[1] === 0x8b
  if (head.toString('latin1') === 'PAR1') {
    return { path, name, format: 'parquet', gzip: false, bytes }
  }
  if (!gzip) refuseOtherFormats(name, head)
  const found = format ?? formatByName(name)
  if (found === undefined || found === 'parquet') {
    throw fail.file_format_unknown(
      found === 'parquet'
        ? `${name} is not a Parquet file: it does not start with PAR1.`
        : `The name ${name} does not say what the file holds.`,
    )
  }
  return { path, name, format: found, gzip, bytes }
}

/**
 * The file's content, decompressed and without a byte-order mark, in chunks that are the reader's
 * until the next one. A compressed file that ends early or fails its checksum throws
 * `file_truncated`.
 */
export async function* readChunks(
  input: FileInput,
  onBytes?: (bytesRead: number) => void,
): AsyncGenerator<Buffer> {
  const file = createReadStream(input.path, { highWaterMark: chunkBytes })
  const stream = input.gzip ? file.pipe(createGunzip({ chunkSize: chunkBytes })) : file
  // pipe() does not carry errors over.
  if (stream !== file) file.on('error', (error) => stream.destroy(error))
  let first = true
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const content = first ? withoutByteOrderMark(chunk) : chunk
      first = false
      onBytes?.(file.bytesRead)
      yield content
    }
  } catch (cause) {
    throw readError(input, cause)
  } finally {
    file.destroy()
    stream.destroy()
  }
}

function withoutByteOrderMark(chunk: Buffer): Buffer {
  const marked = chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf
  return marked ? chunk.subarray(3) : chunk
}

function readError(input: FileInput, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  if (code === 'Z_BUF_ERROR') {
    return fail.file_truncated(`${input.name} ends in the middle of its compressed data.`, {
      cause,
    })
  }
  if (code.startsWith('Z_')) {
    const message = (cause as Error).message
    return fail.file_truncated(`${input.name} cannot be decompressed: ${message}.`, { cause })
  }
  return isFileError(cause) ? notReadable(input.path, cause) : cause
}

async function readHead(path: string): Promise<{ head: Buffer; bytes: number }> {
  try {
    const file = await open(path)
    try {
      const stat = await file.stat()
      if (stat.isDirectory()) throw fail.file_not_found(`${path} is a folder, not a file.`)
      const head = Buffer.alloc(4)
      const { bytesRead } = await file.read(head, 0, 4, 0)
      return { head: head.subarray(0, bytesRead), bytes: stat.size }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw isFileError(cause) ? notReadable(path, cause) : cause
  }
}

function isFileError(cause: unknown): cause is NodeJS.ErrnoException {
  return cause instanceof Error && 'syscall' in cause
}

function notReadable(path: string, cause: NodeJS.ErrnoException): Error {
  const what = cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.code})`
  return fail.file_not_found(`The file ${path} ${what}.`, { cause })
}

function refuseOtherFormats(name: string, head: Buffer): void {
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw fail.file_damaged(`${name} is UTF-16 text; write it as UTF-8.`)
  }
  if (head[0] === 0x50 && head[1] === 0x4b) {
    throw fail.file_format_unknown(`${name} is a ZIP archive or a spreadsheet; export it as CSV.`)
  }
}

function formatByName(name: string): FileFormat | undefined {
  const bare = name.toLowerCase().replace(/\.gz$/, '')
  if (/\.(csv|txt)$/.test(bare)) return 'csv'
  if (/\.(ndjson|jsonl)$/.test(bare)) return 'ndjson'
  if (/\.(parquet|pq)$/.test(bare)) return 'parquet'
  return undefined
}
