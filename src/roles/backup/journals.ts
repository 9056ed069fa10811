// The journals of a home up to a sequence: sealed segments whole, and of the one being written no more
// than the frames that were on the disk.
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { fileErrorCode, nodeFiles } from '../../lib/files.ts'
import { HEADER_BYTES } from '../../lib/journal-format.ts'
import { segmentFiles, segmentRecords, UnreadableFrame } from '../../lib/journal-segments.ts'
import { backupErrors } from './errors.ts'

export interface SegmentToCopy {
  readonly name: string
  /** How much of the file belongs to the backup. */
  readonly bytes: number
  /** What the file hashes to, where it was sealed and its hash remembered. */
  readonly sha256: string | undefined
}

/** The segments up to and with a sequence; null: all that a stopped journal has. */
export async function segmentsUpTo(
  directory: string,
  through: number | null,
): Promise<SegmentToCopy[]> {
  const found = await segmentFiles(directory, nodeFiles)
  const wanted = found.filter(({ first }, i) => i === 0 || through === null || first <= through)
  const segments: SegmentToCopy[] = []
  for (const [i, { first, name }] of wanted.entries()) {
    const file = path.join(directory, name)
    const next = found[i + 1]?.first
    const isWhole = next !== undefined && (through === null || next <= through + 1)
    const bytes =
      isWhole || through === null
        ? (await fs.stat(file)).size
        : await endOf(file, first, through, name)
    segments.push({ name, bytes, sha256: isWhole ? await sealOf(file) : undefined })
  }
  return segments
}

/** Where the frame of a sequence ends. */
async function endOf(file: string, first: number, through: number, name: string): Promise<number> {
  const open = await nodeFiles.open(file, 'read')
  let end = HEADER_BYTES
  let last = first - 1
  try {
    for await (const records of segmentRecords(
      open,
      { offset: HEADER_BYTES, expected: first },
      through,
    )) {
      const { offset, size, sequence } = records.at(-1)!
      end = offset + size
      last = sequence
    }
  } catch (error) {
    if (!(error instanceof UnreadableFrame)) throw error
  } finally {
    await open.close()
  }
  if (last >= through || through < first) return end
  throw backupErrors.home_changing(
    `The journal segment ${name} ends at sequence ${last}, before ${through}, which was on the disk.`,
  )
}

async function sealOf(file: string): Promise<string | undefined> {
  try {
    const { sha256 } = JSON.parse(await fs.readFile(`${file}.sealed`, 'utf8')) as {
      sha256?: string
    }
    return sha256
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
