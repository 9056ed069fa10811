// Cases in memory: the plainest statement of what a store of cases does.
import {
  caseOrders,
  decodeCaseCursor,
  encodeCaseCursor,
  riskMinor,
  type CaseGroup,
  type CaseGroupQuery,
  type CaseGroupStore,
  type NewCaseGroup,
} from './case-ports.ts'
import { pageLimit } from './pages.ts'
import { NO_SCORE, type CaseEvent, type CaseRow, type CaseWithDecision } from './ports.ts'

type Kept = NewCaseGroup & Pick<CaseGroup, 'assignee' | 'assignedAtUs' | 'proposal' | 'revision'>

export interface CaseGroupTables {
  readonly cases: ReadonlyMap<string, CaseRow>
  readonly caseEvents: CaseEvent[]
  readonly groups: Map<string, Kept>
  /** The case of an alert, by the alert's id. */
  readonly groupOfAlert: Map<string, string>
}

export function memoryCaseGroups(
  tables: CaseGroupTables,
  withDecision: (row: CaseRow) => CaseWithDecision,
  matches: (found: CaseWithDecision, query: CaseGroupQuery) => boolean,
): CaseGroupStore {
  const { cases, caseEvents, groups, groupOfAlert } = tables
  const alertsOf = (id: string) =>
    [...cases.values()]
      .filter((row) => groupOfAlert.get(row.id) === id)
      .sort((a, b) => a.openedAtUs - b.openedAtUs || (a.id < b.id ? -1 : 1))
  const all = () => [...groups.values()].map((kept) => summed(kept, alertsOf(kept.id)))
  return {
    async ungrouped(limit) {
      return [...cases.values()]
        .filter((row) => !groupOfAlert.has(row.id))
        .sort((a, b) => a.openedAtUs - b.openedAtUs || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(withDecision)
    },
    async openGroup({ namespace, policy, column, entity }) {
      return all()
        .filter((group) => group.namespace === namespace && group.policy === policy)
        .filter((group) => group.column === column && group.entity === entity)
        .filter(({ status }) => status === 'open')
        .sort((a, b) => b.openedAtUs - a.openedAtUs || (a.id < b.id ? -1 : 1))[0]
    },
    async addGroup(group) {
      if (groups.has(group.id)) return
      const nobody = { assignee: null, assignedAtUs: null, proposal: null, revision: 0 }
      groups.set(group.id, { ...group, ...nobody })
    },
    async addAlert(alertId, groupId) {
      if (!groupOfAlert.has(alertId)) groupOfAlert.set(alertId, groupId)
    },
    async group(id) {
      const kept = groups.get(groupOfAlert.get(id) ?? id)
      return kept && summed(kept, alertsOf(kept.id))
    },
    async groups(query) {
      const found = all().filter(
        (group) =>
          keeps(group, query) &&
          alertsOf(group.id).some(
            (row) =>
              (query.verdict === undefined || row.verdict === query.verdict) &&
              matches(withDecision(row), query),
          ),
      )
      return page(found, query)
    },
    async groupAlerts(ids, limitEach, { status, alerts } = {}) {
      const isWanted = (row: CaseRow) =>
        (status === undefined || row.status === status) &&
        (alerts === undefined || alerts.includes(row.id))
      return new Map(
        ids.map((id) => [id, alertsOf(id).filter(isWanted).slice(-limitEach).map(withDecision)]),
      )
    },
    async groupHistory(id) {
      return caseEvents.filter(({ caseId }) => caseId === id || groupOfAlert.get(caseId) === id)
    },
    async changeGroup({ id, revision }, next, event) {
      const kept = groups.get(id)
      if (kept === undefined || summed(kept, alertsOf(id)).revision !== revision) return false
      const { assignee, assignedAtUs, proposal } = next
      groups.set(id, { ...kept, assignee, assignedAtUs, proposal, revision: kept.revision + 1 })
      caseEvents.push(event)
      return true
    },
    async addCaseEvent(event) {
      caseEvents.push(event)
    },
    async groupFigures(namespace, { nowUs, assignee }) {
      const open = all().filter((each) => each.namespace === namespace && each.status === 'open')
      const count = (is: (group: CaseGroup) => boolean) => open.filter(is).length
      return {
        open: open.length,
        unassigned: count((group) => group.assignee === null),
        mine: count((group) => group.assignee === assignee),
        overdue: count((group) => group.dueUs < nowUs),
        waiting: all().filter((each) => each.namespace === namespace && each.proposal !== null)
          .length,
      }
    },
  }
}

function summed(kept: Kept, alerts: readonly CaseRow[]): CaseGroup {
  const open = alerts.filter(({ status }) => status === 'open')
  const score = Math.max(NO_SCORE, ...alerts.map((alert) => alert.score ?? NO_SCORE))
  return {
    ...kept,
    status: open.length > 0 ? 'open' : 'closed',
    alerts: alerts.length,
    openAlerts: open.length,
    score: score === NO_SCORE ? null : score,
    amountMinor: alerts.reduce((sum, alert) => sum + (alert.amountMinor ?? 0), 0),
    priorityMinor: open.reduce((sum, alert) => sum + riskMinor(alert), 0),
    lastAlertAtUs: Math.max(kept.openedAtUs, ...alerts.map(({ openedAtUs }) => openedAtUs)),
  }
}

function keeps(group: CaseGroup, query: CaseGroupQuery): boolean {
  const { namespace, policy, status, assignee, dueBeforeUs, waiting, entity } = query
  return (
    group.namespace === namespace &&
    (policy === undefined || group.policy === policy) &&
    (status === undefined || group.status === status) &&
    (assignee === undefined || group.assignee === assignee) &&
    (dueBeforeUs === undefined || (group.status === 'open' && group.dueUs < dueBeforeUs)) &&
    (waiting !== true || group.proposal !== null) &&
    (entity === undefined || (group.column === entity.column && group.entity === entity.value))
  )
}

function page(found: CaseGroup[], query: CaseGroupQuery) {
  const { by, descends } = caseOrders[query.order ?? 'priority']
  const place = (group: CaseGroup) => ({ value: group[by] ?? NO_SCORE, id: group.id })
  const compare = (a: ReturnType<typeof place>, b: ReturnType<typeof place>) =>
    (descends ? b.value - a.value : a.value - b.value) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  const after = decodeCaseCursor(query.after)
  const limit = pageLimit(query.limit)
  const rest = found
    .sort((a, b) => compare(place(a), place(b)))
    .filter((group) => after === undefined || compare(place(group), after) > 0)
  const rows = rest.slice(0, limit)
  const last = rows.at(-1)
  const next = rest.length > limit && last !== undefined ? encodeCaseCursor(place(last)) : null
  return { rows, next, total: found.length }
}
