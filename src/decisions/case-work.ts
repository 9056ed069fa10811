// What people do with cases: take them, hand them over, write notes, and close them, alone or with the
// yes of a second person. Each act is in the audit log in the transaction of its change.
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { CaseDesk } from './case-desk.ts'
import type { CaseSettings } from './case-options.ts'
import type { CaseGroup, CaseGroupStore, NewCaseGroup, Proposal } from './case-ports.ts'
import { decisionErrors } from './errors.ts'
import type { CaseAction, CaseEvent, CaseRow, CaseWithDecision, Verdict } from './ports.ts'

const GROUPED_AT_ONCE = 500
/** More alerts than these are no longer work for one person; they stay, and are closed in turns. */
const ALERTS_AT_ONCE = 500

export interface CaseWorkOptions {
  readonly store: CaseGroupStore
  readonly desk: Pick<CaseDesk, 'open' | 'giveVerdict' | 'undo' | 'correct'>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  /** As the policy that is live declares them. */
  readonly settingsOf: (policy: string) => Promise<CaseSettings>
}

interface Act {
  readonly caseId: string
  readonly by: string
}

interface VerdictAct extends Act {
  readonly verdict: Verdict
  /** Alerts of the case; all that can take the verdict where none is named. */
  readonly alerts?: readonly string[] | undefined
}

/**
 * All acts take the id of a case or of one of its alerts. Errors of all: `case_not_found`;
 * `case_state` where the case does not allow the act, or somebody changed it in the meantime.
 */
export interface CaseWork {
  /** Puts alerts that came into the cases of their entities; call it every second or so. */
  gather(): Promise<number>
  /** Opens a case on a decision that did not ask for one. Error: `decision_not_found`. */
  open(request: Parameters<CaseDesk['open']>[0]): Promise<CaseGroup>
  /** Who works on it from now on; null for nobody. */
  assign(
    act: Act & { readonly to: string | null; readonly reason?: string | undefined },
  ): Promise<void>
  note(act: Act & { readonly text: string }): Promise<void>
  /** Closes alerts with a verdict; where four eyes are declared it proposes that. */
  close(act: VerdictAct & { readonly reason?: string | undefined }): Promise<void>
  /** Replaces verdicts that stand; where four eyes are declared it proposes that. */
  correct(act: VerdictAct & { readonly reason: string }): Promise<void>
  /** The second person's yes. Error: `case_second_person` where it is the first one. */
  confirm(act: Act & { readonly reason?: string | undefined }): Promise<void>
  /** The second person's no; from the first person it takes the proposal back. */
  turnDown(act: Act & { readonly reason: string }): Promise<void>
  /** Takes the last verdicts back, or what one proposed. */
  undo(act: Act): Promise<void>
}

export function createCaseWork(options: CaseWorkOptions): CaseWork {
  const { store, desk, unit } = options
  /** One transaction over the case as it is, its change and its audit entry. */
  const within = <T>(caseId: string, act: (group: CaseGroup) => Promise<T>): Promise<T> =>
    unit.transaction(async () => act(await found(store, caseId)))
  return {
    gather: () => gather(options),
    open: (request) =>
      unit.transaction(async () => {
        const { id } = await desk.open(request)
        await gather(options)
        const group = await found(store, id)
        await audited(options, group, request.by, 'opened', request.reason, {})
        return group
      }),
    assign: (act) => within(act.caseId, (group) => assign(options, group, act)),
    note: ({ caseId, by, text }) =>
      within(caseId, async (group) => {
        await store.addCaseEvent(event(options, group, { action: 'note', by, reason: text }))
        await audited(options, group, by, 'noted', 'A note on a case', {})
      }),
    close: (act) =>
      within(act.caseId, async (group) => {
        const alerts = await chosen(store, group, act.alerts, 'open')
        await giveOrPropose(options, group, { ...act, reason: act.reason ?? null }, alerts)
      }),
    correct: (act) =>
      within(act.caseId, async (group) => {
        const alerts = await chosen(store, group, act.alerts, 'closed')
        await giveOrPropose(options, group, { ...act, corrects: true }, alerts)
      }),
    confirm: (act) => within(act.caseId, (group) => confirm(options, group, act)),
    turnDown: ({ caseId, by, reason }) =>
      within(caseId, async (group) => {
        const action = proposalOf(group).by === by ? 'withdrawn' : 'turned-down'
        await endProposal(options, group, { action, by, reason })
      }),
    undo: ({ caseId, by }) =>
      within(caseId, async (group) => {
        if (group.proposal?.by === by) {
          return endProposal(options, group, { action: 'withdrawn', by, reason: null })
        }
        await undoLast(options, group, by)
      }),
  }
}

async function found(store: CaseGroupStore, caseId: string): Promise<CaseGroup> {
  const group = await store.group(caseId)
  if (group === undefined) throw decisionErrors.case_not_found(`There is no case "${caseId}".`)
  return group
}

function wrongState(group: CaseGroup, what: string) {
  return decisionErrors.case_state(`The case ${group.id} ${what}.`)
}

/** Bounded, in order of arrival, a transaction a batch: a home from before catches up in seconds. */
async function gather({ store, unit, settingsOf }: CaseWorkOptions): Promise<number> {
  return unit.transaction(async () => {
    const alerts = await store.ungrouped(GROUPED_AT_ONCE)
    for (const alert of alerts) await group(store, alert, await settingsOf(alert.case.policy))
    return alerts.length
  })
}

async function group(
  store: CaseGroupStore,
  { case: alert, decision }: CaseWithDecision,
  { entity, windowUs, dueUs }: CaseSettings,
): Promise<void> {
  const column = entity ?? Object.keys(decision.keys)[0] ?? ''
  const { id, namespace, policy, openedAtUs } = alert
  const made: NewCaseGroup = {
    id,
    namespace,
    policy,
    column,
    entity: decision.keys[column] ?? '',
    openedAtUs,
    dueUs: openedAtUs + dueUs,
  }
  const mayJoin = alert.status === 'open' && made.entity !== ''
  const open = mayJoin ? await store.openGroup(made) : undefined
  const joins = open !== undefined && openedAtUs - open.openedAtUs <= windowUs
  if (!joins) await store.addGroup(made)
  await store.addAlert(id, joins ? open.id : id)
}

async function assign(
  options: CaseWorkOptions,
  before: CaseGroup,
  { by, to, reason }: { by: string; to: string | null; reason?: string | undefined },
): Promise<void> {
  if (before.status === 'closed') throw wrongState(before, 'is closed; nobody needs to take it')
  if (before.assignee === to) return
  const action = to === null ? 'released' : 'assigned'
  const told = event(options, before, {
    action,
    by,
    reason: reason ?? null,
    ...(to !== null && { to }),
  })
  const next = { ...before, assignee: to, assignedAtUs: to === null ? null : told.atUs }
  await change(options, before, next, told)
  const why =
    reason ?? (to === null ? 'Given back to the queue' : to === by ? 'Taken' : 'Handed over')
  await audited(options, before, by, action, why, { from: before.assignee, to })
}

/** The alerts that an act is about, each checked to be of the case and in the state it needs. */
async function chosen(
  store: CaseGroupStore,
  group: CaseGroup,
  named: readonly string[] | undefined,
  status: CaseRow['status'],
): Promise<readonly CaseRow[]> {
  if (group.proposal !== null) {
    throw wrongState(group, 'waits for the yes of a second person to an earlier verdict')
  }
  const wanted = named === undefined ? { status } : { alerts: named }
  const all = await store.groupAlerts([group.id], ALERTS_AT_ONCE, wanted)
  const rows = all.get(group.id)!.map((each) => each.case)
  for (const id of named ?? []) {
    const row = rows.find((each) => each.id === id)
    if (row === undefined) throw wrongState(group, `has no alert ${id}`)
    if (row.status !== status) throw wrongState(group, `has alert ${id} ${row.status} already`)
  }
  if (rows.length === 0) {
    throw wrongState(group, status === 'open' ? 'was closed before' : 'has no verdict to correct')
  }
  return rows
}

interface Given {
  readonly verdict: Verdict
  readonly by: string
  readonly reason: string | null
  readonly corrects?: boolean
}

async function giveOrPropose(
  options: CaseWorkOptions,
  group: CaseGroup,
  given: Given,
  alerts: readonly CaseRow[],
): Promise<void> {
  const { verdict, by, reason, corrects = false } = given
  const ids = alerts.map(({ id }) => id)
  if (!(await options.settingsOf(group.policy)).fourEyes) {
    await give(options, ids, given)
    const action = corrects ? 'corrected' : 'closed'
    return audited(options, group, by, action, reason ?? `Verdict: ${verdict}`, {
      verdict,
      alerts: ids.length,
    })
  }
  const told = event(options, group, { action: 'proposed', by, verdict, reason })
  const proposal: Proposal = { verdict, alerts: ids, corrects, by, atUs: told.atUs, reason }
  await change(options, group, { ...group, proposal }, told)
  await audited(options, group, by, 'proposed', reason ?? `Verdict: ${verdict}`, {
    verdict,
    alerts: ids.length,
  })
}

async function give(
  { desk }: CaseWorkOptions,
  alerts: readonly string[],
  { verdict, by, reason, corrects = false }: Given,
): Promise<void> {
  for (const caseId of alerts) {
    if (corrects) await desk.correct({ caseId, verdict, by, reason: reason ?? '' })
    else await desk.giveVerdict({ caseId, verdict, by, reason: reason ?? undefined })
  }
}

function proposalOf(group: CaseGroup): Proposal {
  if (group.proposal === null) throw wrongState(group, 'has no verdict that waits')
  return group.proposal
}

async function confirm(
  options: CaseWorkOptions,
  group: CaseGroup,
  { by, reason }: { by: string; reason?: string | undefined },
): Promise<void> {
  const proposal = proposalOf(group)
  if (proposal.by === by) {
    throw decisionErrors.case_second_person(`You proposed "${proposal.verdict}" yourself.`)
  }
  await endProposal(options, group, { action: 'confirmed', by, reason: reason ?? null })
  await give(options, proposal.alerts, proposal)
}

async function endProposal(
  options: CaseWorkOptions,
  group: CaseGroup,
  end: { action: CaseAction; by: string; reason: string | null },
): Promise<void> {
  const { verdict, by: proposedBy, alerts } = proposalOf(group)
  const told = event(options, group, { ...end, verdict })
  await change(options, group, { ...group, proposal: null }, told)
  const why = end.reason ?? `${end.action}: ${verdict}`
  const details = { verdict, proposedBy, alerts: alerts.length }
  await audited(options, group, end.by, end.action, why, details)
}

/** The verdicts that were given at once and last, as far as they are no labels yet. */
async function undoLast(options: CaseWorkOptions, group: CaseGroup, by: string): Promise<void> {
  const wanted = { status: 'closed' } as const
  const all = await options.store.groupAlerts([group.id], ALERTS_AT_ONCE, wanted)
  const undoable = all
    .get(group.id)!
    .map((each) => each.case)
    .filter((row) => row.labelDueUs !== null && !row.corrected)
  if (undoable.length === 0) throw wrongState(group, 'has no verdict that can still be undone')
  const lastUs = Math.max(...undoable.map((row) => row.atUs ?? 0))
  // Alerts closed together differ by the microseconds in which they were written.
  const together = undoable.filter((row) => lastUs - (row.atUs ?? 0) < 1_000_000)
  for (const row of together) await options.desk.undo({ caseId: row.id, by })
  await audited(options, group, by, 'reopened', 'The verdict was taken back', {
    alerts: together.length,
  })
}

function event(
  { clock }: CaseWorkOptions,
  { id }: CaseGroup,
  told: Pick<CaseEvent, 'action' | 'by' | 'reason'> & Partial<CaseEvent>,
): CaseEvent {
  return { caseId: id, atUs: clock.nowUs(), verdict: null, ...told }
}

async function change(
  { store }: CaseWorkOptions,
  before: CaseGroup,
  next: CaseGroup,
  told: CaseEvent,
): Promise<void> {
  if (await store.changeGroup(before, next, told)) return
  throw wrongState(before, 'was changed by someone else in the meantime')
}

async function audited(
  { audit }: CaseWorkOptions,
  { id, policy }: CaseGroup,
  actor: string,
  did: string,
  reason: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await audit.append({
    actor,
    action: `decisions.case-${did}`,
    object: { kind: 'case', id },
    reason,
    details: { policy, ...details },
  })
}
