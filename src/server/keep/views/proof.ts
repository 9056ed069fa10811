// Where a record stands in the tamper-evident log: its journal segment's hash is an entry there.
import type { Decision } from '../../contract/index.ts'
import { short } from '../present.ts'
import type { Rooms } from '../rooms.ts'

export async function auditProof(
  rooms: Rooms,
  namespace: string,
  sequence: number,
): Promise<Decision['evidence']['proof']> {
  const sealed = await rooms.audit.list({ action: 'decisions.segment-sealed', limit: 1000 })
  const record = sealed.find(({ entry: { details } }) => {
    const { namespace: of, firstSequence, lastSequence } = details as unknown as SealedDetails
    return of === namespace && firstSequence <= sequence && sequence <= lastSequence
  })
  if (record === undefined) {
    return {
      state: 'not-sealed-yet',
      sentence:
        'On disk in the open segment of the journal; its hash enters the audit log when it is sealed.',
      segment: null,
      segmentSha256: null,
      entryIndex: null,
      treeSize: null,
      root: null,
      path: [],
    }
  }
  const { name, sha256 } = record.entry.details as unknown as SealedDetails
  const proof = rooms.audit.inclusionProof(record.entry.index)
  return {
    state: 'proved',
    sentence: `In segment ${name}, whose hash ${short(sha256)} is entry ${record.entry.index} of the audit log.`,
    segment: name,
    segmentSha256: sha256,
    entryIndex: record.entry.index,
    treeSize: proof.size,
    root: proof.root,
    path: [...proof.path],
  }
}

/** Details of a `decisions.segment-sealed` entry. */
export interface SealedDetails {
  readonly namespace: string
  readonly name: string
  readonly firstSequence: number
  readonly lastSequence: number
  readonly sha256: string
}
