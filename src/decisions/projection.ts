// From journal records to the rows that keep's read model holds; the same for every store.
import { failuresOf } from './failing-rules.ts'
import type { CaseRow, ProjectionChange } from './ports.ts'
import type { DecisionRecord, Sequenced } from './records.ts'

/** What a record changes in the read model; null for records that it does not show. */
export function projectRecord(record: Sequenced): ProjectionChange | null {
  switch (record.type) {
    case 'decision':
      return projectDecision(record)
    case 'label': {
      const { namespace, sequence, source, of, eventId } = record
      const { value, positive, arrivalTimeUs, author } = record
      const label = { value, positive, arrivalTimeUs, author }
      const row = { namespace, sequence, source, of, eventId, ...label }
      return { kind: 'label', row }
    }
    case 'deploy': {
      const { namespace, sequence, policy, deployment, actor, reason, receivedAtUs } = record
      const row = { namespace, sequence, policy, deployment, actor, reason, atUs: receivedAtUs }
      return { kind: 'deployment', row }
    }
    case 'shadow': {
      const { namespace, sequence, policy, eventId, deployment, challenger } = record
      const { score, outcome, path } = record
      const answer = { deployment, challenger, score, outcome, path }
      return { kind: 'shadow', row: { namespace, sequence, policy, eventId, ...answer } }
    }
    case 'event':
    case 'base':
    case 'list':
    case 'rule':
    case 'model':
    case 'consumed':
    case 'expired':
    case 'gone':
    case 'removed':
    case 'hold':
      return null
  }
}

/** Whether the label that arrives replaces the one that is shown: the latest arrival wins, then the later sequence. */
export function replacesLabel(
  shown: { readonly arrivalTimeUs: number } | null,
  arriving: { readonly arrivalTimeUs: number },
): boolean {
  return shown === null || arriving.arrivalTimeUs >= shown.arrivalTimeUs
}

/** The id of the case of a decision: readable, and safe in an address. */
export function caseId(namespace: string, policy: string, eventId: string): string {
  return [namespace, policy, eventId].map(encodeURIComponent).join('~')
}

function projectDecision(record: Sequenced<DecisionRecord>): ProjectionChange {
  const { namespace, sequence, policy, eventId, shown, versions, timings } = record
  const row = {
    namespace,
    sequence,
    policy,
    source: record.source,
    eventId,
    eventTimeUs: record.eventTimeUs,
    receivedAtUs: record.receivedAtUs,
    clockUs: record.clockUs,
    keys: shown.keys,
    amountMinor: shown.amountMinor,
    currency: shown.currency,
    score: record.score,
    outcome: record.outcome,
    mainReason: record.reasons[0]?.sentence ?? null,
    rules: record.rules,
    late: record.late,
    deployment: versions.deployment,
    policyVersion: versions.policy,
    modelVersion: versions.model,
    modelName: versions.modelName,
    modelNumber: versions.modelNumber,
    latencyUs: timings.contractUs + timings.featuresUs + timings.decisionUs,
    ...(record.challenger !== undefined && { challenger: record.challenger }),
    ...(record.unanswered !== undefined && { unanswered: record.unanswered }),
    label: null,
  }
  const opensCase =
    record.outcome === 'review' ? newCase(record, 'The decision was to review.') : null
  return { kind: 'decision', row, opensCase, failures: failuresOf(row, record.rulesFailed ?? []) }
}

/** An open case on a decision; `because` says who asks for it and why. */
export function newCase(
  decision: {
    readonly namespace: string
    readonly policy: string
    readonly eventId: string
    readonly sequence: number
    readonly clockUs: number
    readonly score: number | null
    readonly shown: { readonly amountMinor: number | null }
  },
  because: string,
): CaseRow {
  const { namespace, policy, eventId, sequence, clockUs, score, shown } = decision
  return {
    id: caseId(namespace, policy, eventId),
    namespace,
    policy,
    eventId,
    sequence,
    openedAtUs: clockUs,
    openedBecause: because,
    score,
    amountMinor: shown.amountMinor,
    status: 'open',
    verdict: null,
    by: null,
    atUs: null,
    reason: null,
    corrected: false,
    labelDueUs: null,
  }
}
