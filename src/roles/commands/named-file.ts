// A file that a command is given to learn from, known by the hash of its bytes.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { readTableFile } from '../../adapters/duckdb/index.ts'
import type { NamedFile } from '../../pipelines/index.ts'
import { commandErrors } from './errors.ts'

/** Error: `input_unreadable`. */
export async function namedFile(path: string): Promise<NamedFile> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    throw commandErrors.input_unreadable(`${path}: ${(error as Error).message}`, { cause: error })
  }
  return {
    name: basename(path),
    hash: hash.digest('hex'),
    read: (texts) => readTableFile(resolve(path), {}, texts),
  }
}
