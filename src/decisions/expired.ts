// What is kept of records that are removed. A decision leaves its key and its event; nothing that state or
// another decision follows from goes.
import { formatTimestamp } from '../lib/time.ts'
import { decisionErrors } from './errors.ts'
import type { ExpiredRecord, JournalRecord } from './records.ts'

/** The record that takes another one's place when its segment is removed; mostly it is the same. */
export function keptOf(
  record: JournalRecord,
  { removedAtUs, removedBy }: Pick<ExpiredRecord, 'removedAtUs' | 'removedBy'>,
): JournalRecord {
  switch (record.type) {
    case 'decision': {
      const { policy, source, eventId, event, bodyHash, eventHash, entry, origin } = record
      const { eventTimeUs, receivedAtUs, clockUs, late, features, layout } = record
      return {
        type: 'expired',
        policy,
        source,
        eventId,
        event,
        bodyHash,
        eventHash,
        entry,
        eventTimeUs,
        receivedAtUs,
        clockUs,
        late,
        features,
        layout,
        ...(origin !== undefined && { origin }),
        removedAtUs,
        removedBy,
      }
    }
    case 'shadow':
      return { type: 'gone', was: 'shadow', receivedAtUs: record.receivedAtUs }
    case 'consumed': {
      const { origin, why, code, receivedAtUs } = record
      return { type: 'consumed', origin, why, ...(code !== undefined && { code }), receivedAtUs }
    }
    case 'event':
    case 'label':
    case 'deploy':
    case 'base':
    case 'list':
    case 'rule':
    case 'model':
    case 'expired':
    case 'gone':
    case 'removed':
    case 'hold':
      return record
  }
}

/** The error for who asks for a decision whose record was removed. */
export function expired({ policy, eventId, removedAtUs, removedBy }: ExpiredRecord) {
  return decisionErrors.decision_expired(
    `Policy "${policy}" decided on event ${eventId}; its record is no longer kept since ` +
      `${formatTimestamp(removedAtUs)}, by ${removedBy}.`,
    { extra: { removedAt: formatTimestamp(removedAtUs), removedBy } },
  )
}
