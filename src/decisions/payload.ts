// A record's bytes, by its sequence.
import { fileErrorCode } from '../lib/files.ts'
import { decisionErrors } from './errors.ts'
import type { Namespace } from './namespace.ts'

/** The payload of a record, as it lies on disk; the record must be durable. */
export async function readPayload(namespace: Namespace, sequence: number): Promise<Uint8Array> {
  try {
    return await payloadAt(namespace, sequence)
  } catch (error) {
    // Its segment was removed between the two looks; what was kept of it lies there now.
    if (fileErrorCode(error) !== 'ENOENT') throw error
    return await payloadAt(namespace, sequence)
  }
}

async function payloadAt({ journal }: Namespace, sequence: number): Promise<Uint8Array> {
  const position = await journal.locate(sequence)
  if (position === undefined) {
    throw decisionErrors.decision_not_found(`There is no record ${sequence} in the journal.`)
  }
  const { payload } = await journal.readAt(position)
  return payload
}
