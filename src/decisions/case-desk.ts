// What people do with cases. A verdict can be taken back for ten seconds; then it becomes a label,
// which flows to live precision and recall and to the next training. Nothing is overwritten.
import type { Clock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import { DAY_US } from '../lib/time.ts'
import { decisionErrors } from './errors.ts'
import type {
  CaseEvent,
  CaseRow,
  CaseStore,
  CaseWithDecision,
  DecisionStore,
  Verdict,
} from './ports.ts'
import { newCase } from './projection.ts'
import type { DecideRemote } from './remote.ts'

const UNDO_US = 10_000_000
const DUE_AT_ONCE = 200
/** How long a label waits for a namespace or source that is not there. */
const LABEL_TRIED_US = 7 * DAY_US

export interface CaseDeskOptions {
  readonly store: CaseStore & Pick<DecisionStore, 'get'>
  readonly decide: Pick<DecideRemote, 'ingest'>
  readonly clock: Clock
  /** How a policy's verdicts become labels: the labels declaration, and its value for each verdict. */
  readonly labelsOf: (policy: string) => VerdictLabels | undefined
  /** How long a verdict can be undone, µs; ten seconds unless given. */
  readonly undoUs?: number
}

export interface VerdictLabels {
  readonly labels: string
  readonly fraud: string
  readonly genuine: string
}

export interface CaseDesk {
  /**
   * Opens a case on a decision that did not ask for one, at this time of the source's clock: what is
   * due and what is older is told by that clock, which a replay drives.
   */
  open(request: {
    namespace: string
    policy: string
    eventId: string
    by: string
    reason: string
    atUs: number
  }): Promise<CaseRow>
  /** Closes an open case. `unsure` makes no label. Errors: `case_not_found`, `case_state`. */
  giveVerdict(request: {
    caseId: string
    verdict: Verdict
    by: string
    reason?: string | undefined
  }): Promise<CaseRow>
  /** Takes back a verdict that has not become a label yet. */
  undo(request: { caseId: string; by: string }): Promise<CaseRow>
  /** Replaces a verdict that stands; the reason is kept. */
  correct(request: {
    caseId: string
    verdict: Verdict
    by: string
    reason: string
  }): Promise<CaseRow>
  /** Sends the labels that are due; call it every second or so. Returns how many went out. */
  sendDueLabels(): Promise<number>
}

export function createCaseDesk(options: CaseDeskOptions): CaseDesk {
  const { store } = options
  return {
    open: (request) => openCase(options, request),
    async giveVerdict({ caseId, verdict, by, reason }) {
      const { case: row } = await found(store, caseId)
      if (row.status === 'closed') throw wrongState(row, `was closed with "${row.verdict}" before`)
      return await close(options, row, { verdict, by, reason: reason ?? null }, 'verdict')
    },
    async undo({ caseId, by }) {
      const { case: row } = await found(store, caseId)
      if (row.labelDueUs === null || row.corrected || row.status === 'open') {
        throw wrongState(row, 'has no verdict that can still be undone')
      }
      const next: CaseRow = {
        ...row,
        status: 'open',
        verdict: null,
        by: null,
        atUs: null,
        reason: null,
        labelDueUs: null,
      }
      return await change(options, row, next, { action: 'undo', by, verdict: null, reason: null })
    },
    async correct({ caseId, verdict, by, reason }) {
      const { case: row } = await found(store, caseId)
      if (row.status === 'open') throw wrongState(row, 'has no verdict to correct')
      return await close(options, row, { verdict, by, reason }, 'correct')
    },
    sendDueLabels: () => sendDueLabels(options),
  }
}

async function found(store: CaseStore, caseId: string): Promise<CaseWithDecision> {
  const row = await store.case(caseId)
  if (row === undefined) throw decisionErrors.case_not_found(`There is no case "${caseId}".`)
  return row
}

function wrongState(row: CaseRow, what: string) {
  return decisionErrors.case_state(`The case of event ${row.eventId} ${what}.`)
}

async function openCase(
  { store }: CaseDeskOptions,
  request: Parameters<CaseDesk['open']>[0],
): Promise<CaseRow> {
  const { namespace, policy, eventId, by, reason, atUs: clockUs } = request
  const decision = await store.get(namespace, policy, eventId)
  if (decision === undefined) {
    throw decisionErrors.decision_not_found(
      `Policy "${policy}" has no decision on event ${eventId}.`,
    )
  }
  const { amountMinor, sequence, score } = decision
  const shown = { amountMinor }
  const row = newCase(
    { namespace, policy, eventId, sequence, clockUs, score, shown },
    `${by}: ${reason}`,
  )
  await store.insertCase(row)
  return (await found(store, row.id)).case
}

interface Given {
  readonly verdict: Verdict
  readonly by: string
  readonly reason: string | null
}

function close(
  options: CaseDeskOptions,
  row: CaseRow,
  { verdict, by, reason }: Given,
  action: 'verdict' | 'correct',
): Promise<CaseRow> {
  const atUs = options.clock.nowUs()
  const hasLabel = verdict !== 'unsure' && options.labelsOf(row.policy) !== undefined
  const next: CaseRow = {
    ...row,
    status: 'closed',
    verdict,
    by,
    atUs,
    reason,
    corrected: action === 'correct',
    // An unsure verdict waits too: it makes no label, but it can be undone as long.
    labelDueUs: hasLabel || action === 'verdict' ? atUs + (options.undoUs ?? UNDO_US) : null,
  }
  return change(options, row, next, { action, by, verdict, reason })
}

async function change(
  { store, clock }: CaseDeskOptions,
  before: CaseRow,
  after: CaseRow,
  event: Omit<CaseEvent, 'caseId' | 'atUs'>,
): Promise<CaseRow> {
  const told = { caseId: before.id, atUs: clock.nowUs(), ...event }
  if (await store.updateCase(before, after, told)) return after
  throw wrongState(before, 'was changed by someone else in the meantime')
}

/**
 * A label is sent before the case is marked as sent, so that a crash in between sends it twice rather
 * than never; the second is known as a duplicate by its arrival time, which is that of the verdict. One
 * that is refused stays with its case, which says why; correcting the verdict sends it again.
 */
async function sendDueLabels(options: CaseDeskOptions): Promise<number> {
  const { store, clock } = options
  let sent = 0
  for (const row of await store.dueLabels(clock.nowUs(), DUE_AT_ONCE)) {
    const end = await sendLabel(options, row)
    const told = { caseId: row.id, atUs: clock.nowUs(), by: row.by ?? '', verdict: row.verdict }
    switch (end.kind) {
      case 'sent':
      case 'none': {
        if (end.kind === 'sent') sent++
        const event: CaseEvent = { ...told, action: 'label-sent', reason: null }
        await store.updateCase(row, { ...row, labelDueUs: null }, event)
        break
      }
      case 'refused': {
        const event: CaseEvent = { ...told, action: 'label-refused', reason: end.why }
        await store.updateCase(row, { ...row, labelDueUs: null }, event)
        break
      }
      case 'later':
        await store.updateCase(row, { ...row, labelDueUs: end.dueUs }, null)
    }
  }
  return sent
}

/** What sending a label came to. */
type LabelEnd =
  | { readonly kind: 'sent' | 'none' }
  | { readonly kind: 'refused'; readonly why: string }
  /** Its namespace or source is not there; it may be again. */
  | { readonly kind: 'later'; readonly dueUs: number }

async function sendLabel(
  { store, decide, clock, labelsOf }: CaseDeskOptions,
  row: CaseRow,
): Promise<LabelEnd> {
  const labels = labelsOf(row.policy)
  if (row.verdict === null || row.verdict === 'unsure' || labels === undefined) {
    return { kind: 'none' }
  }
  const { decision } = await found(store, row.id)
  const request = {
    namespace: row.namespace,
    source: labels.labels,
    author: row.by ?? 'case',
    rows: [{ event_id: row.eventId, value: labels[row.verdict], ...timesOf(row, decision) }],
  }
  try {
    const [answer] = await decide.ingest(request)
    if (answer?.status !== 'refused') return { kind: 'sent' }
    return { kind: 'refused', why: `${answer.code}: ${answer.detail}` }
  } catch (error) {
    if (!isAssayError(error, 'namespace_not_found', 'source_not_found')) throw error
    // The pause doubles, so that what waits in vain is asked for some twenty times, and others go first.
    const waitedUs = clock.nowUs() - row.atUs!
    if (waitedUs > LABEL_TRIED_US) return { kind: 'refused', why: `${error.code}: ${error.detail}` }
    return { kind: 'later', dueUs: clock.nowUs() + Math.max(waitedUs, UNDO_US) }
  }
}

/** In a replay the verdict's own time lies years after the source's clock: it arrives "now" there. */
function timesOf(
  { atUs }: CaseRow,
  decision: { readonly clockUs: number; readonly receivedAtUs: number },
): { arrival_time?: string } {
  const isReplay = Math.abs(decision.clockUs - decision.receivedAtUs) > UNDO_US
  return isReplay ? {} : { arrival_time: new Date(Math.floor(atUs! / 1000)).toISOString() }
}
