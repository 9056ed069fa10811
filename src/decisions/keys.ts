// The keys under which a record is found again, derived from the record alone, so that the index can
// always be rebuilt from the journal.
import { contentHash } from '../lib/hash.ts'
import type { IndexWrite } from './ports.ts'
import type { JournalRecord } from './records.ts'

const separator = '\u0000'

/** A decision: one answer for ever. */
export function decisionKey(policy: string, eventId: string): string {
  return `d${separator}${policy}${separator}${eventId}`
}

/** An event: it enters state once, whichever door it came through. */
export function eventKey(source: string, eventId: string): string {
  return `e${separator}${source}${separator}${eventId}`
}

/** The label of an event that holds. */
export function labelKey(labels: string, eventId: string): string {
  return `l${separator}${labels}${separator}${eventId}`
}

interface LabelFacts {
  readonly eventId: string
  readonly code: number
  readonly arrivalTimeUs: number
  readonly author: string
}

/** One statement: the same event, value, arrival and author are the same label, sent twice. */
export function labelStatementKey(labels: string, label: LabelFacts): string {
  const { eventId, code, arrivalTimeUs, author } = label
  return `x${separator}${labels}${separator}${contentHash([eventId, code, arrivalTimeUs, author])}`
}

/** What the index remembers of the label that holds: when it arrived, and what it says. */
export function labelMark(label: Omit<LabelFacts, 'eventId'>): string {
  const { code, arrivalTimeUs, author } = label
  return `${arrivalTimeUs}:${contentHash([code, author])}`
}

/** Takes a mark apart; `says` is equal for labels of the same value by the same author. */
export function readLabelMark(mark: string): { arrivalTimeUs: number; says: string } {
  const [arrival, says] = mark.split(':')
  return { arrivalTimeUs: Number(arrival), says: says }
}

export type KeyWrite = IndexWrite & { readonly replace?: boolean }

export function keysOf(record: JournalRecord, sequence: number): KeyWrite[] {
  switch (record.type) {
    case 'decision':
    case 'expired': {
      const { policy, eventId, bodyHash } = record
      const decision = { key: decisionKey(policy, eventId), sequence, bodyHash }
      if (record.entry === 'known') return [decision]
      const event = { key: eventKey(record.source, eventId), sequence, bodyHash: record.eventHash }
      return [decision, event]
    }
    case 'event':
      return [
        { key: eventKey(record.source, record.eventId), sequence, bodyHash: record.eventHash },
      ]
    case 'label': {
      const { source, eventId } = record
      const statement = { key: labelStatementKey(source, record), sequence, bodyHash: '' }
      if (!record.holds) return [statement]
      const bodyHash = labelMark(record)
      return [statement, { key: labelKey(source, eventId), sequence, bodyHash, replace: true }]
    }
    case 'deploy':
    case 'base':
    case 'list':
    case 'rule':
    case 'model':
    case 'consumed':
    case 'shadow':
    case 'gone':
    case 'removed':
    case 'hold':
      return []
  }
}
