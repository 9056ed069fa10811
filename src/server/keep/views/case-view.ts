// How the page sees a case: what its alerts add up to, who has it, and what happened to it.
import type { Identity } from '../../../access/index.ts'
import {
  riskMinor,
  type CaseEvent,
  type CaseGroup,
  type CaseRow,
  type CaseWithDecision,
} from '../../../decisions/index.ts'
import type { Case } from '../../contract/index.ts'
import { identityView, money, moneyText, plural, time, timeOrNull } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { rowView } from './decisions.ts'

export type People = ReadonlyMap<string, Identity>

export interface SeenCase {
  readonly group: CaseGroup
  readonly alerts: readonly CaseWithDecision[]
  readonly history: readonly CaseEvent[]
}

export async function caseView(
  rooms: Rooms,
  { group, alerts, history }: SeenCase,
  seen: {
    readonly people: People
    readonly you: string
    readonly nowUs: number
    readonly viewers: Case['viewers']
  },
): Promise<Case> {
  const { people, you, nowUs, viewers } = seen
  const person = (id: string) => identityView(people.get(id), id)
  const { decision } = atMostRisk(alerts)
  const { proposal, assignee } = group
  return {
    id: group.id,
    status: group.status,
    openedAt: time(group.openedAtUs),
    entity: { column: group.column, value: group.entity },
    decision: rowView(rooms, decision),
    alerts: alerts.map(({ case: row, decision: of }) => ({
      id: row.id,
      status: row.status,
      decision: rowView(rooms, of),
      verdict: verdictOf(row, people),
    })),
    alertCount: group.alerts,
    openAlerts: group.openAlerts,
    priority: {
      risk: decision.currency === null ? null : money(group.priorityMinor, decision.currency),
      sentence: prioritySentence(group, alerts),
    },
    dueAt: time(group.dueUs),
    overdue: group.status === 'open' && group.dueUs < nowUs,
    assignee: assignee === null ? null : person(assignee),
    assigneeIsYou: assignee === you,
    fourEyes: (await rooms.caseSettings(group.policy)).fourEyes,
    proposal:
      proposal === null
        ? null
        : {
            verdict: proposal.verdict,
            corrects: proposal.corrects,
            alerts: proposal.alerts.length,
            by: person(proposal.by),
            at: time(proposal.atUs),
            reason: proposal.reason,
            yours: proposal.by === you,
          },
    verdict: group.status === 'open' ? null : verdictOf(lastGiven(alerts), people),
    history: historyView(history, person),
    viewers,
  }
}

function atMostRisk(alerts: readonly CaseWithDecision[]): CaseWithDecision {
  const open = alerts.filter((each) => each.case.status === 'open')
  return (open.length > 0 ? open : alerts).reduce((most, each) =>
    riskMinor(each.case) > riskMinor(most.case) ? each : most,
  )
}

function lastGiven(alerts: readonly CaseWithDecision[]): CaseRow {
  const last = alerts.reduce((newest, each) =>
    (each.case.atUs ?? 0) > (newest.case.atUs ?? 0) ? each : newest,
  )
  return last.case
}

function verdictOf(row: CaseRow, people: People): Case['verdict'] {
  if (row.verdict === null || row.by === null || row.atUs === null) return null
  return {
    value: row.verdict,
    by: identityView(people.get(row.by), row.by),
    at: time(row.atUs),
    reason: row.reason,
    undoUntil: timeOrNull(row.labelDueUs),
    corrected: row.corrected,
  }
}

function prioritySentence(group: CaseGroup, alerts: readonly CaseWithDecision[]): string {
  if (group.status === 'closed') return 'Closed: nothing is at risk any more.'
  const open = alerts.filter((each) => each.case.status === 'open')
  const [only] = open
  if (group.openAlerts === 1 && only !== undefined) {
    const { amountMinor, currency, score } = only.decision
    if (amountMinor === null || currency === null) return 'Its event has no amount.'
    const amount = moneyText(amountMinor, currency)
    return score === null
      ? `${amount}, all of it: no model answered.`
      : `${amount} × score ${score.toFixed(3)}.`
  }
  return `Amount × score, summed up over ${plural(group.openAlerts, 'open alert')}.`
}

/** Alerts that were closed together are told as one. */
function historyView(
  history: readonly CaseEvent[],
  person: (id: string) => ReturnType<typeof identityView>,
): Case['history'] {
  const told: (Case['history'][number] & { of: CaseEvent; n: number })[] = []
  for (const event of history) {
    const last = told.at(-1)
    if (last !== undefined && isSameAct(last.of, event)) {
      last.n++
      last.sentence = inWords(event, last.n, person)
      continue
    }
    const sentence = inWords(event, 1, person)
    told.push({ at: time(event.atUs), by: person(event.by), sentence, of: event, n: 1 })
  }
  return told.map(({ at, by, sentence }) => ({ at, by, sentence }))
}

const SAME_ACT_US = 1_000_000

function isSameAct(a: CaseEvent, b: CaseEvent): boolean {
  return (
    a.action !== 'note' &&
    a.action === b.action &&
    a.by === b.by &&
    a.verdict === b.verdict &&
    a.reason === b.reason &&
    a.caseId !== b.caseId &&
    b.atUs - a.atUs < SAME_ACT_US
  )
}

const said = { fraud: 'fraud', genuine: 'genuine', unsure: 'can’t tell' } as const

function inWords(
  { action, verdict, reason, to, by }: CaseEvent,
  alerts: number,
  person: (id: string) => { readonly name: string },
): string {
  const value = verdict === null ? '' : said[verdict]
  const because = reason === null ? '' : `: ${reason}`
  const each = alerts === 1 ? '' : `, ${plural(alerts, 'alert')}`
  switch (action) {
    case 'verdict':
      return `Reviewed as ${value}${each}${because}.`
    case 'undo':
      return `The verdict was taken back${each}.`
    case 'correct':
      return `Corrected to ${value}${each}${because}.`
    case 'label-sent':
      return alerts === 1 ? 'The verdict became a label.' : `${plural(alerts, 'label')} sent.`
    case 'label-refused':
      return `The verdict did not become a label${because}. Correct the verdict to send it again.`
    case 'assigned':
      return to === by ? 'Taken.' : `Handed over to ${person(to ?? '').name}${because}.`
    case 'released':
      return `Given back to the queue${because}.`
    case 'note':
      return `Note: ${reason ?? ''}`
    case 'proposed':
      return `Proposed ${value}${because}; waits for a second person.`
    case 'confirmed':
      return `Said yes to ${value}${because}.`
    case 'turned-down':
      return `Turned ${value} down${because}.`
    case 'withdrawn':
      return `Took the proposal of ${value} back${because}.`
  }
}
