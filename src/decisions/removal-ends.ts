// At a start: removals of records that a fall broke off.
import * as path from 'node:path'
import { keptName, segmentName, segmentSequence } from '../lib/journal-format.ts'
import { dropDraft, listDrafts, type Removal } from '../lib/journal-removal.ts'
import type { Namespace } from './namespace.ts'
import { recordsIn } from './outlines.ts'
import { decodeRecord } from './records.ts'
import type { RemovedSegment } from './records.ts'

/** Brings removals to their end that a fall broke off; drafts of which nothing was recorded go. */
export async function finishRemovals(namespace: Namespace): Promise<void> {
  const { journal, options } = namespace
  const removal = { directory: path.join(namespace.directory, 'journal'), files: options.files }
  try {
    const halves = new Set([...(await listDrafts(removal)), ...(await twofold(removal))])
    if (halves.size === 0) return
    const recorded = await recordedRemovals(namespace)
    for (const first of halves) {
      const segment = recorded.get(first)
      if (segment === undefined) await dropDraft(removal, first)
      else await journal.replace(segment)
    }
  } catch (error) {
    // The whole segment is there, and is what is read.
    options.onWarning('A removal of records was not finished; the next start tries again.', error)
  }
}

/** Segments that are there whole although what is kept of them has its name. */
async function twofold({ directory, files }: Removal): Promise<number[]> {
  const names = await files.list(directory)
  return names.flatMap((name) => {
    const first = segmentSequence(name)
    if (first === undefined || name !== keptName(first)) return []
    return names.includes(segmentName(first)) ? [first] : []
  })
}

/** What was recorded of each removed segment, by its first sequence. */
async function recordedRemovals(namespace: Namespace): Promise<Map<number, RemovedSegment>> {
  const found = new Map<number, RemovedSegment>()
  const entries = recordsIn(path.join(namespace.directory, 'journal'), namespace.options.files, {
    touches: ({ types }) => types.removed !== undefined,
  })
  for await (const { payload } of entries) {
    const record = decodeRecord(payload)
    if (record.type !== 'removed') continue
    for (const segment of record.segments) found.set(segment.firstSequence, segment)
  }
  return found
}
