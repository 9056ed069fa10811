// The journal as flat rows: what analysts load into their own tools. Read as it lies on disk, one
// record after the other, so a server may go on writing it.
import path from 'node:path'
import { nodeFiles, type FileSystem } from '../lib/files.ts'
import { formatTimestamp } from '../lib/time.ts'
import { overlaps, recordsIn } from './outlines.ts'
import { decodeRecord, type DecisionRecord, type LabelRecord } from './records.ts'

/**
 * One value of a flat row; times are in µs UTC under names that end in `_at` or `_time`. An event's own
 * columns begin with `input_` and have the values that its contract gave them.
 */
export type ExportCell = number | string | boolean | null | readonly (number | string | null)[]
export type ExportRow = Readonly<Record<string, ExportCell>>

/** Takes rows as they come; a day is `YYYY-MM-DD`, UTC, of receipt. */
export interface ExportSink {
  add(table: 'decisions' | 'labels', day: string, row: ExportRow): Promise<void> | void
}

export interface ExportRequest {
  /** The namespace's directory. */
  readonly directory: string
  readonly fromUs: number
  readonly toUs: number
  readonly files?: FileSystem | undefined
}

/**
 * Hands every decision and label that was received in [fromUs, toUs) to a sink, in their order. Decisions
 * whose records were removed are counted, since they have no row.
 */
export async function exportJournal(
  { directory, fromUs, toUs, files = nodeFiles }: ExportRequest,
  sink: ExportSink,
): Promise<{ readonly expired: number }> {
  let expired = 0
  const entries = recordsIn(path.join(directory, 'journal'), files, {
    touches: ({ types, receivedUs }) =>
      (types.decision ?? types.label ?? types.expired) !== undefined &&
      overlaps(receivedUs, fromUs, toUs),
  })
  for await (const { sequence, payload } of entries) {
    const record = decodeRecord(payload)
    if (record.receivedAtUs < fromUs || record.receivedAtUs >= toUs) continue
    if (record.type === 'expired') expired++
    if (record.type !== 'decision' && record.type !== 'label') continue
    const day = formatTimestamp(record.receivedAtUs).slice(0, 10)
    if (record.type === 'decision') await sink.add('decisions', day, decisionRow(sequence, record))
    else await sink.add('labels', day, labelRow(sequence, record))
  }
  return { expired }
}

function decisionRow(sequence: number, record: DecisionRecord): ExportRow {
  const { versions, timings, shown, thresholds } = record
  const event = Object.entries(record.event).map(([name, value]) => [`input_${name}`, value])
  return {
    sequence,
    policy: record.policy,
    source: record.source,
    event_id: record.eventId,
    event_time: record.eventTimeUs,
    received_at: record.receivedAtUs,
    clock_at: record.clockUs,
    entry: record.entry,
    late: record.late,
    outcome: record.outcome,
    score: record.score,
    margin: record.margin,
    path: record.path,
    rules: record.rules,
    rules_held: record.rulesHeld ?? [],
    rules_failed: record.rulesFailed ?? [],
    listed: record.listed ?? [],
    reasons: record.reasons.map(({ sentence }) => sentence),
    challenger: record.challenger ?? null,
    threshold_review: thresholds.review,
    threshold_decline: thresholds.decline,
    amount_minor: shown.amountMinor,
    currency: shown.currency,
    deployment: versions.deployment,
    policy_version: versions.policy,
    model_version: versions.model,
    model_name: versions.modelName,
    model_number: versions.modelNumber,
    layout: record.layout,
    features: record.features,
    contract_us: timings.contractUs,
    features_us: timings.featuresUs,
    decision_us: timings.decisionUs,
    body_hash: record.bodyHash,
    ...(Object.fromEntries(event) as ExportRow),
  }
}

function labelRow(sequence: number, record: LabelRecord): ExportRow {
  return {
    sequence,
    labels: record.source,
    source: record.of,
    event_id: record.eventId,
    value: record.value,
    positive: record.positive,
    arrival_time: record.arrivalTimeUs,
    received_at: record.receivedAtUs,
    author: record.author,
    holds: record.holds,
  }
}
