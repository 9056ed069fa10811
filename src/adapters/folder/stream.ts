import { createHash } from 'node:crypto'
import { fileErrorCode, type FileSystem } from '../../lib/files.ts'
import { AssayError } from '../../lib/errors.ts'
import { trackingErrors } from '../../tracking/index.ts'

/** Small pieces of a socket become one write of about this many bytes. */
const WRITE_BYTES = 1024 * 1024
const READ_BYTES = 1024 * 1024

/** Writes a new file as its content comes; the hash is made on the way. */
export async function writeStream(
  file: string,
  content: AsyncIterable<Uint8Array>,
  limitBytes: number,
  { files, sync }: { readonly files: FileSystem; readonly sync: boolean },
): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256')
  const open = await files.open(file, 'create')
  let written = 0
  let held: Uint8Array[] = []
  let heldBytes = 0
  const flush = async () => {
    if (heldBytes === 0) return
    const bytes = held.length === 1 ? held[0] : Buffer.concat(held)
    held = []
    heldBytes = 0
    await open.write(bytes, written)
    written += bytes.length
  }
  try {
    for await (const chunk of content) {
      const size = written + heldBytes + chunk.length
      if (size > limitBytes) {
        throw trackingErrors.artifact_too_large(
          `The file has ${size} bytes or more; at most ${limitBytes} are taken.`,
        )
      }
      hash.update(chunk)
      held.push(chunk)
      heldBytes += chunk.length
      if (heldBytes >= WRITE_BYTES) await flush()
    }
    await flush()
    if (sync) await open.sync()
  } finally {
    await open.close()
  }
  return { sha256: hash.digest('hex'), size: written }
}

/** Reads a file piece by piece. It is opened with the first piece, and closed also where the reader leaves. */
export async function* readFile(file: string, files: FileSystem): AsyncGenerator<Uint8Array> {
  const open = await files.open(file, 'read')
  try {
    const size = await open.size()
    for (let position = 0; position < size;) {
      // What of it is not read into is never handed on.
      const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, size - position))
      const count = await open.read(buffer, position)
      if (count === 0) return
      yield buffer.subarray(0, count)
      position += count
    }
  } finally {
    await open.close()
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Throws a full disk as `artifact_store_full`, and anything else as it is. */
export function asFull(error: unknown): never {
  const code = fileErrorCode(error)
  if (error instanceof AssayError || code === undefined || !FULL.has(code)) throw error
  throw trackingErrors.artifact_store_full(
    `The disk took no more (${code}); nothing of the file was kept.`,
    { cause: error },
  )
}

/** Undefined where there is no such file or folder. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
