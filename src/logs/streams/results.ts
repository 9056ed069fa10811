// What windows counted, one a line, oldest first. Two files: the one that is written, and the one before it.
import { join } from 'node:path'
import { fileErrorCode, type FileSystem, type OpenFile, readWholeFile } from '../../lib/files.ts'
import type { VisitorResult } from '../visitors/types.ts'

export interface Results {
  /** The latest, oldest first; at most as many as are shown. */
  readonly latest: readonly VisitorResult[]
  /** Adds those that are later than all before; the others were added before a crash. On disk when it resolves. */
  append(results: readonly VisitorResult[]): Promise<void>
  close(): Promise<void>
}

const FILE_BYTES = 32 * 1024 * 1024
/** A day of minutes, and a bit; a month of hours. */
const LATEST_MAX = 1500

export async function openResults(
  directory: string,
  files: FileSystem,
  fileBytes = FILE_BYTES,
): Promise<Results> {
  await files.makeDirectory(directory)
  const file = join(directory, 'results.jsonl')
  const before = join(directory, 'results-before.jsonl')
  const latest = [...(await readResults(before, files)).results]
  const current = await readResults(file, files)
  latest.push(...current.results)
  let open: OpenFile = await files.open(file, current.isThere ? 'update' : 'create', {
    durable: true,
  })
  if (!current.isThere) await files.syncDirectory(directory)
  let size = current.bytes
  await open.truncate(size)

  const forget = () => latest.splice(0, Math.max(0, latest.length - LATEST_MAX))
  forget()

  return {
    latest,
    async append(results) {
      const lastTo = latest.at(-1)?.to ?? -Infinity
      const later = results.filter(({ to }) => to > lastTo)
      if (later.length === 0) return
      if (size >= fileBytes) {
        await open.close()
        await files.rename(file, before)
        open = await files.open(file, 'create', { durable: true })
        await files.syncDirectory(directory)
        size = 0
      }
      const bytes = Buffer.from(later.map((result) => `${JSON.stringify(result)}\n`).join(''))
      await open.write(bytes, size)
      size += bytes.length
      latest.push(...later)
      forget()
    },
    close: () => open.close(),
  }
}

/** The whole lines of a file, up to one that a crash cut or emptied: what follows is made again from the log. */
async function readResults(file: string, files: FileSystem) {
  let bytes: Uint8Array
  try {
    bytes = await readWholeFile(file, files)
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOENT') throw error
    return { isThere: false, bytes: 0, results: [] }
  }
  const results: VisitorResult[] = []
  let at = 0
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
    const result = resultOf(bytes.subarray(at, end))
    if (result === undefined) break
    results.push(result)
    at = end + 1
  }
  return { isThere: true, bytes: at, results: results.slice(-LATEST_MAX) }
}

function resultOf(line: Uint8Array): VisitorResult | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(line)) as VisitorResult
  } catch {
    return undefined
  }
}
