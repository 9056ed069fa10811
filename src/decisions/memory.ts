// The ports in memory: for tests, and as the plainest statement of what an implementation does.
import { isWithin, sumFailures, type RuleFailures } from './failing-rules.ts'
import { memoryCaseGroups, type CaseGroupTables } from './memory-case-groups.ts'
import { cutPage, decodeCursor, pageLimit } from './pages.ts'
import type { Cursor } from './pages.ts'
import type { CaseGroupStore } from './case-ports.ts'
import type { AnsweredEvent, ChallengerReads, ShadowRow } from './challenger-ports.ts'
import type {
  CaseEvent,
  CaseRow,
  CaseWithDecision,
  CurrentLabel,
  DecisionFilter,
  DecisionIndex,
  DecisionOrder,
  DecisionQuery,
  DecisionRange,
  DecisionReadModel,
  DecisionRow,
  DeploymentRow,
  IndexEntry,
  LabelRow,
  LabelState,
  LatencyBucket,
  OutcomeBucket,
} from './ports.ts'
import { NO_SCORE } from './ports.ts'
import { projectRecord, replacesLabel } from './projection.ts'

export function createMemoryIndex(): DecisionIndex {
  const entries = new Map<string, IndexEntry>()
  let indexed = 0
  return {
    through: () => indexed,
    get: (key) => entries.get(key),
    async put(writes, through) {
      for (const { key, sequence, bodyHash, replace } of writes) {
        if (replace === true || !entries.has(key)) entries.set(key, { sequence, bodyHash })
      }
      indexed = through
    },
    async clear() {
      entries.clear()
      indexed = 0
    },
    async close() {},
  }
}

interface Tables extends CaseGroupTables {
  readonly decisions: Map<string, DecisionRow>
  readonly labels: LabelRow[]
  readonly deployments: DeploymentRow[]
  readonly shadows: ShadowRow[]
  /** Decisions by the order in which their first labels came. */
  readonly labelled: { readonly key: string; readonly positive: boolean }[]
  readonly cases: Map<string, CaseRow>
  readonly caseEvents: CaseEvent[]
  readonly positions: Map<string, number>
  readonly failures: RuleFailures[]
}

/** The read model in memory: decisions, labels, deployments and cases. */
export function createMemoryReadModel(): DecisionReadModel {
  const tables: Tables = {
    decisions: new Map(),
    labels: [],
    deployments: [],
    shadows: [],
    labelled: [],
    cases: new Map(),
    caseEvents: [],
    groups: new Map(),
    groupOfAlert: new Map(),
    positions: new Map(),
    failures: [],
  }
  return {
    ...projection(tables),
    ...decisionReads(tables),
    ...caseStore(tables),
    ...challengerReads(tables),
    ...memoryCaseGroups(
      tables,
      (row) => ({ case: row, decision: tables.decisions.get(decisionKey(row))! }),
      ({ decision }, { namespace, text, keys }) => matches(decision, { namespace, text, keys }),
    ),
  }
}

function projection(tables: Tables): Pick<DecisionReadModel, 'position' | 'apply'> {
  const { positions } = tables
  return {
    async position(namespace) {
      return positions.get(namespace) ?? 0
    },
    async apply({ namespace, records, through }) {
      const from = positions.get(namespace) ?? 0
      for (const record of records) {
        if (record.sequence <= from) continue
        const change = projectRecord(record)
        if (change === null) continue
        if (change.kind === 'deployment') tables.deployments.push(change.row)
        else if (change.kind === 'shadow') tables.shadows.push(change.row)
        else if (change.kind === 'label') applyLabel(tables, change.row)
        else {
          const label = currentLabel(tables, change.row)
          tables.decisions.set(decisionKey(change.row), { ...change.row, label })
          if (label !== null) {
            tables.labelled.push({ key: decisionKey(change.row), positive: label.positive })
          }
          tables.failures.push(...change.failures)
          if (change.opensCase !== null) tables.cases.set(change.opensCase.id, change.opensCase)
        }
      }
      positions.set(namespace, Math.max(from, through))
    },
  }
}

function applyLabel(tables: Tables, row: LabelRow): void {
  tables.labels.push(row)
  for (const [key, decision] of tables.decisions) {
    if (!isOf(row, decision) || !replacesLabel(decision.label, row)) continue
    if (decision.label === null) tables.labelled.push({ key, positive: row.positive })
    tables.decisions.set(key, { ...decision, label: labelOf(row) })
  }
}

function isOf(label: LabelRow, decision: DecisionRow): boolean {
  return (
    label.namespace === decision.namespace &&
    label.of === decision.source &&
    label.eventId === decision.eventId
  )
}

/** A label may arrive before the decision on its event. */
function currentLabel(tables: Tables, row: DecisionRow): CurrentLabel | null {
  let current: LabelRow | null = null
  for (const label of tables.labels) {
    if (!isOf(label, row)) continue
    if (replacesLabel(current, label)) current = label
  }
  return current === null ? null : labelOf(current)
}

function labelOf({ value, positive, arrivalTimeUs, author }: LabelRow): CurrentLabel {
  return { value, positive, arrivalTimeUs, author }
}

function decisionReads(
  tables: Tables,
): Omit<
  DecisionReadModel,
  | keyof ReturnType<typeof caseStore>
  | keyof CaseGroupStore
  | keyof ChallengerReads
  | 'position'
  | 'apply'
> {
  const rows = (filter: DecisionFilter) =>
    [...tables.decisions.values()].filter((row) => matches(row, filter))
  return {
    get: async (namespace, policy, eventId) =>
      tables.decisions.get(decisionKey({ namespace, policy, eventId })),
    query: async (query) => page(rows(query), query),
    count: async (filter) => rows(filter).length,
    async arrived({ after = 0, limit }) {
      const all = [...tables.decisions.values()]
      const since = all.slice(after)
      return { rows: since.slice(-limit), place: all.length, isWhole: since.length <= limit }
    },
    async neighbours(filter, of) {
      const sorted = rows(filter).sort(byOrder.oldest)
      const newer = sorted.find((row) => compareTime(row, of) > 0) ?? null
      const older = sorted.findLast((row) => compareTime(row, of) < 0) ?? null
      return { newer, older }
    },
    outcomesOver: async (range) => outcomesOver(rows(range), range.bucketUs),
    async labelledScores(range) {
      return rows(range)
        .filter((row) => row.label !== null && row.score !== null)
        .sort(byOrder.oldest)
        .slice(0, range.limit)
        .map(({ score, outcome, label }) => {
          return { score: score!, outcome, positive: label!.positive }
        })
    },
    latencyOver: async (range) => latencyOver(rows(range), range),
    failingRules: async (query) =>
      sumFailures(tables.failures.filter((each) => isWithin(each, query))),
    labels: async (namespace, source, eventId) =>
      tables.labels.filter(
        (row) => row.namespace === namespace && row.of === source && row.eventId === eventId,
      ),
    deployments: async (namespace) =>
      tables.deployments.filter((row) => row.namespace === namespace),
    namespaces: async () => namespaces(tables),
  }
}

function challengerReads(tables: Tables): ChallengerReads {
  const newest = <Row extends { sequence: number }>(rows: Row[], limit: number) =>
    rows.sort((a, b) => b.sequence - a.sequence).slice(0, limit)
  return {
    async answeredUnder({ namespace, deployments, by, limit }) {
      const rows = [...tables.decisions.values()]
        .filter((row) => row.namespace === namespace && deployments.includes(row.deployment))
        .map(answeredOf)
        .filter(({ challenger }) => by === undefined || challenger === by)
      return newest(rows, limit)
    },
    async labelledUnder({ namespace, deployments, challenger, after, through }) {
      return tables.labelled.slice(after, through).flatMap(({ key, positive }) => {
        const row = tables.decisions.get(key)!
        if (row.namespace !== namespace || !deployments.includes(row.deployment)) return []
        const shadow = tables.shadows.find(
          (each) => each.challenger === challenger && decisionKey(each) === key,
        )
        const answered = shadow === undefined || shadow.score === null ? null : shadow.outcome
        return { decision: answeredOf(row), positive, shadow: answered }
      })
    },
    lastLabelled: async () => tables.labelled.length,
    async shadowsUnder({ namespace, deployments, challenger, limit }) {
      const rows = tables.shadows.flatMap((row) => {
        const decision = tables.decisions.get(decisionKey(row))
        const isAsked = row.namespace === namespace && deployments.includes(row.deployment)
        if (!isAsked || row.challenger !== challenger || decision === undefined) return []
        const { sequence, score, outcome, path } = row
        return { sequence, challenger, score, outcome, path, decision: answeredOf(decision) }
      })
      return newest(rows, limit)
    },
  }
}

function answeredOf(row: DecisionRow): AnsweredEvent {
  const { sequence, deployment, score, outcome, latencyUs, label } = row
  return {
    sequence,
    deployment,
    challenger: row.challenger ?? null,
    unanswered: (row.unanswered ?? []).map(({ by }) => by),
    score,
    outcome,
    latencyUs,
    label: label && { positive: label.positive, arrivalTimeUs: label.arrivalTimeUs },
  }
}

/** Whether a decision is one of those that a filter means. */
export function matches(row: DecisionRow, filter: DecisionFilter): boolean {
  const { outcomes, text, keys, label } = filter
  return (
    row.namespace === filter.namespace &&
    (filter.policy === undefined || row.policy === filter.policy) &&
    (outcomes === undefined || outcomes.includes(row.outcome)) &&
    (filter.fromUs === undefined || row.eventTimeUs >= filter.fromUs) &&
    (filter.untilUs === undefined || row.eventTimeUs < filter.untilUs) &&
    (text === undefined || textOf(row).includes(text.toLowerCase())) &&
    (keys === undefined || Object.entries(keys).every(([name, key]) => row.keys[name] === key)) &&
    (filter.rule === undefined || row.rules.includes(filter.rule)) &&
    (filter.scoreMin === undefined || (row.score ?? NO_SCORE) >= filter.scoreMin) &&
    amountMatches(row, filter) &&
    (label === undefined || labelState(row) === label) &&
    (filter.late === undefined || row.late === filter.late)
  )
}

function amountMatches({ amountMinor }: DecisionRow, filter: DecisionFilter): boolean {
  const { amountMinorMin, amountMinorMax } = filter
  if (amountMinorMin === undefined && amountMinorMax === undefined) return true
  if (amountMinor === null) return false
  return amountMinor >= (amountMinorMin ?? -Infinity) && amountMinor <= (amountMinorMax ?? Infinity)
}

function textOf(row: DecisionRow): string {
  return [row.eventId, ...row.rules, row.mainReason ?? ''].join('\n').toLowerCase()
}

function labelState({ label }: DecisionRow): LabelState {
  return label === null ? 'none' : label.positive ? 'positive' : 'negative'
}

function compareTime(
  a: Pick<Cursor, 'eventTimeUs' | 'sequence'>,
  b: Pick<Cursor, 'eventTimeUs' | 'sequence'>,
): number {
  return a.eventTimeUs - b.eventTimeUs || a.sequence - b.sequence
}

/** Amounts that are missing come after all others. */
const byOrder: Readonly<Record<DecisionOrder, (a: Cursor, b: Cursor) => number>> = {
  oldest: compareTime,
  newest: (a, b) => compareTime(b, a),
  score: (a, b) => (b.score ?? NO_SCORE) - (a.score ?? NO_SCORE) || compareTime(b, a),
  amount: (a, b) => amountOf(b) - amountOf(a) || compareTime(b, a),
}

function amountOf({ amountMinor }: Cursor): number {
  return amountMinor ?? Number.MIN_SAFE_INTEGER
}

function page(rows: DecisionRow[], query: DecisionQuery) {
  const order = byOrder[query.order ?? 'newest']
  const after = decodeCursor(query.after)
  const rest = rows.sort(order).filter((row) => after === undefined || order(row, after) > 0)
  return cutPage(rest, pageLimit(query.limit), (row) => row)
}

function bucketOf(us: number, bucketUs: number): number {
  return Math.floor(us / bucketUs) * bucketUs
}

function outcomesOver(rows: readonly DecisionRow[], bucketUs: number): OutcomeBucket[] {
  const buckets = new Map<string, OutcomeBucket>()
  for (const row of rows) {
    const startUs = bucketOf(row.eventTimeUs, bucketUs)
    const { outcome } = row
    const label = labelState(row)
    const key = `${startUs} ${outcome} ${label}`
    const bucket = buckets.get(key) ?? { startUs, outcome, label, n: 0, amountMinor: 0 }
    const amountMinor = bucket.amountMinor + (row.amountMinor ?? 0)
    buckets.set(key, { ...bucket, n: bucket.n + 1, amountMinor })
  }
  return [...buckets.values()].sort(
    (a, b) =>
      a.startUs - b.startUs || a.outcome.localeCompare(b.outcome) || a.label.localeCompare(b.label),
  )
}

function latencyOver(
  rows: readonly DecisionRow[],
  { bucketUs }: DecisionRange & { readonly bucketUs: number },
): LatencyBucket[] {
  const byStart = new Map<number, number[]>()
  for (const row of rows) {
    const startUs = bucketOf(row.eventTimeUs, bucketUs)
    const values = byStart.get(startUs) ?? []
    values.push(row.latencyUs)
    byStart.set(startUs, values)
  }
  return [...byStart]
    .sort(([a], [b]) => a - b)
    .map(([startUs, values]) => {
      values.sort((a, b) => a - b)
      const at = (q: number) => values[Math.max(0, Math.ceil(q * values.length) - 1)]
      return { startUs, n: values.length, p50Us: at(0.5), p99Us: at(0.99) }
    })
}

function namespaces(tables: Tables) {
  const found = new Map<string, { decisions: number; newestEventTimeUs: number | null }>()
  for (const namespace of tables.positions.keys()) {
    found.set(namespace, { decisions: 0, newestEventTimeUs: null })
  }
  for (const { namespace, eventTimeUs } of tables.decisions.values()) {
    const before = found.get(namespace)!
    const newestEventTimeUs = Math.max(before.newestEventTimeUs ?? -Infinity, eventTimeUs)
    found.set(namespace, { decisions: before.decisions + 1, newestEventTimeUs })
  }
  return [...found]
    .map(([namespace, figures]) => ({ namespace, ...figures }))
    .sort((a, b) => a.namespace.localeCompare(b.namespace))
}

function decisionKey(row: Pick<DecisionRow, 'namespace' | 'policy' | 'eventId'>): string {
  return JSON.stringify([row.namespace, row.policy, row.eventId])
}

function caseStore(tables: Tables) {
  const { cases, caseEvents } = tables
  const withDecision = (row: CaseRow): CaseWithDecision => {
    return { case: row, decision: tables.decisions.get(decisionKey(row))! }
  }
  const store: Pick<
    DecisionReadModel,
    'case' | 'cases' | 'caseFigures' | 'insertCase' | 'caseHistory' | 'updateCase' | 'dueLabels'
  > = {
    async case(id) {
      const row = cases.get(id)
      return row === undefined ? undefined : withDecision(row)
    },
    async cases(query) {
      const { namespace, policy, text, keys } = query
      const order = byOrder[query.order ?? 'score']
      const found = [...cases.values()]
        .filter((row) => row.namespace === namespace)
        .filter((row) => query.status === undefined || row.status === query.status)
        .filter((row) => query.verdict === undefined || row.verdict === query.verdict)
        .map(withDecision)
        .filter(({ decision }) => matches(decision, { namespace, policy, text, keys }))
        .sort((a, b) => order(a.decision, b.decision))
      const after = decodeCursor(query.after)
      const rest = found.filter(({ decision }) => after === undefined || order(decision, after) > 0)
      const shown = cutPage(rest, pageLimit(query.limit), ({ decision }) => decision)
      return { ...shown, total: found.length }
    },
    async caseFigures(namespace, sinceUs) {
      const all = [...cases.values()].filter((row) => row.namespace === namespace)
      const open = all.filter((row) => row.status === 'open')
      return {
        open: open.length,
        closed: all.length - open.length,
        closedSince: all.filter((row) => row.atUs !== null && row.atUs >= sinceUs).length,
        oldestOpenedAtUs: open.reduce<number | null>(
          (oldest, { openedAtUs }) => Math.min(oldest ?? Infinity, openedAtUs),
          null,
        ),
      }
    },
    async insertCase(row) {
      if (cases.has(row.id)) return false
      cases.set(row.id, row)
      return true
    },
    caseHistory: async (id) => caseEvents.filter((event) => event.caseId === id),
    async updateCase(expected, next, event) {
      const found = cases.get(expected.id)
      if (found === undefined || !sameState(found, expected)) return false
      cases.set(next.id, next)
      if (event !== null) caseEvents.push(event)
      return true
    },
    async dueLabels(nowUs, limit) {
      return [...cases.values()]
        .filter(({ labelDueUs }) => labelDueUs !== null && labelDueUs <= nowUs)
        .sort((a, b) => a.labelDueUs! - b.labelDueUs! || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
    },
  }
  return store
}

function sameState(a: CaseRow, b: CaseRow): boolean {
  return (
    a.status === b.status &&
    a.verdict === b.verdict &&
    a.atUs === b.atUs &&
    a.labelDueUs === b.labelDueUs
  )
}
