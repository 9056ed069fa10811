// A case: the alerts of one entity that people work on together. An alert is a decision to review
// (`CaseRow`, which had a case of its own before); what a case sums up follows from its alerts.
import type { CaseEvent, CaseRow, CaseStatus, CaseWithDecision, Verdict } from './ports.ts'

/** A verdict that waits for the yes of a second person. */
export interface Proposal {
  readonly verdict: Verdict
  /** The alerts that it is about; alerts that come later are not touched by it. */
  readonly alerts: readonly string[]
  /** Whether it replaces verdicts that stand. */
  readonly corrects: boolean
  readonly by: string
  readonly atUs: number
  readonly reason: string | null
}

/** What is kept of a case itself. */
export interface NewCaseGroup {
  /** That of the alert that opened it, so that addresses from before lead here. */
  readonly id: string
  readonly namespace: string
  readonly policy: string
  /** The key column whose value its alerts share, and that value; empty where events have no key. */
  readonly column: string
  readonly entity: string
  /** When its first alert came, by the source's clock, µs UTC. */
  readonly openedAtUs: number
  readonly dueUs: number
}

export interface CaseGroup extends NewCaseGroup {
  /** Identity id of who works on it. */
  readonly assignee: string | null
  readonly assignedAtUs: number | null
  readonly proposal: Proposal | null
  /** Counts changes, so that two people cannot change it unseen by one another. */
  readonly revision: number
  /** Open while one of its alerts is. */
  readonly status: CaseStatus
  readonly alerts: number
  readonly openAlerts: number
  /** The highest of its alerts; null where no model answered on any. */
  readonly score: number | null
  /** Of all its alerts, minor units. */
  readonly amountMinor: number
  /** Sum of `riskMinor` over its open alerts, minor units. */
  readonly priorityMinor: number
  readonly lastAlertAtUs: number
}

export type CaseOrder = 'priority' | 'due' | 'newest' | 'oldest' | 'score' | 'amount'

export interface CaseGroupQuery {
  readonly namespace: string
  readonly policy?: string | undefined
  readonly status?: CaseStatus | undefined
  /** An identity id; null for cases that nobody has. */
  readonly assignee?: string | null | undefined
  /** Open cases whose due time lies before this. */
  readonly dueBeforeUs?: number | undefined
  /** Cases with a verdict that waits for a second person. */
  readonly waiting?: boolean | undefined
  readonly entity?: { readonly column: string; readonly value: string } | undefined
  /** Cases with an alert of this verdict, or whose decision matches. */
  readonly verdict?: Verdict | undefined
  readonly text?: string | undefined
  readonly keys?: Readonly<Record<string, string>> | undefined
  /** Default `priority`; of equals the smaller id comes first. */
  readonly order?: CaseOrder | undefined
  /** At most 1,000; default 100. */
  readonly limit?: number | undefined
  readonly after?: string | undefined
}

export interface CaseGroupPage {
  readonly rows: readonly CaseGroup[]
  readonly next: string | null
  readonly total: number
}

export interface CaseGroupFigures {
  readonly open: number
  readonly unassigned: number
  readonly mine: number
  readonly overdue: number
  readonly waiting: number
}

export interface CaseGroupStore {
  /** Alerts that are in no case yet, in the order in which they came. */
  ungrouped(limit: number): Promise<CaseWithDecision[]>
  /** The open case of an entity that was opened last. */
  openGroup(
    of: Pick<NewCaseGroup, 'namespace' | 'policy' | 'column' | 'entity'>,
  ): Promise<CaseGroup | undefined>
  /** Adds a case that has no alerts yet; one that is there stays as it is. */
  addGroup(group: NewCaseGroup): Promise<void>
  /** Puts an alert that is in no case into one. */
  addAlert(alertId: string, groupId: string): Promise<void>
  /** By its own id or by that of one of its alerts. */
  group(id: string): Promise<CaseGroup | undefined>
  groups(query: CaseGroupQuery): Promise<CaseGroupPage>
  /** The alerts of cases, of each the newest so many of those that are wanted, oldest first. */
  groupAlerts(
    ids: readonly string[],
    limitEach: number,
    wanted?: { readonly status?: CaseRow['status']; readonly alerts?: readonly string[] },
  ): Promise<ReadonlyMap<string, readonly CaseWithDecision[]>>
  /** What people did to the case and to its alerts, in order. */
  groupHistory(id: string): Promise<CaseEvent[]>
  /** Changes who has it or what waits, if nothing changed since `expected`; adds to its history. */
  changeGroup(
    expected: Pick<CaseGroup, 'id' | 'revision'>,
    next: Pick<CaseGroup, 'assignee' | 'assignedAtUs' | 'proposal'>,
    event: CaseEvent,
  ): Promise<boolean>
  /** Adds to the history of a case alone. */
  addCaseEvent(event: CaseEvent): Promise<void>
  groupFigures(
    namespace: string,
    of: { readonly nowUs: number; readonly assignee: string },
  ): Promise<CaseGroupFigures>
}

/** What is at risk with one alert: score × amount, in whole minor units; without a score all of it. */
export function riskMinor(alert: {
  readonly score: number | null
  readonly amountMinor: number | null
}): number {
  return Math.trunc((alert.score ?? 1) * (alert.amountMinor ?? 0) + 0.5)
}

/** By what each order sorts, and in which direction. */
export const caseOrders: Readonly<
  Record<
    CaseOrder,
    {
      readonly by: 'priorityMinor' | 'dueUs' | 'openedAtUs' | 'score' | 'amountMinor'
      readonly descends: boolean
    }
  >
> = {
  priority: { by: 'priorityMinor', descends: true },
  due: { by: 'dueUs', descends: false },
  newest: { by: 'openedAtUs', descends: true },
  oldest: { by: 'openedAtUs', descends: false },
  score: { by: 'score', descends: true },
  amount: { by: 'amountMinor', descends: true },
}

export interface CaseCursor {
  readonly value: number
  readonly id: string
}

export function encodeCaseCursor({ value, id }: CaseCursor): string {
  return Buffer.from(JSON.stringify([value, id])).toString('base64url')
}

/** Undefined where the text is no cursor, which starts at the beginning. */
export function decodeCaseCursor(text: string | undefined): CaseCursor | undefined {
  if (text === undefined) return undefined
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (!Array.isArray(place)) return undefined
    const [value, id] = place as unknown[]
    return typeof value === 'number' && typeof id === 'string' ? { value, id } : undefined
  } catch {
    return undefined
  }
}
