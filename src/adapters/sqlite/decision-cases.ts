import { sql, type Kysely, type RawBuilder } from 'kysely'
import {
  cutPage,
  NO_SCORE,
  pageLimit,
  type CaseEvent,
  type CaseRow,
  type CaseStore,
  type CaseWithDecision,
} from '../../decisions/index.ts'
import type { SqliteDatabase } from './database.ts'
import {
  afterCursor,
  decisionOf,
  matching,
  orderBy,
  type DecisionColumns,
} from './decision-conditions.ts'
import { insertCaseEvent, sumUp } from './decision-case-groups.ts'
import { fromJson } from './values.ts'

/** A case's own columns; `by` is a word of SQL, so the table says `caseBy`. */
interface CaseColumns extends Omit<CaseRow, 'by' | 'corrected'> {
  caseBy: string | null
  corrected: number
  /** The case that the alert is in; read by the store of cases alone. */
  groupId?: string | null
}

/** A case and its decision as one row: the case travels as JSON beside the decision's columns. */
export type JoinedColumns = DecisionColumns & { caseJson: string }

export const joined = sql`
  SELECT d.*, json_object(
    'id', c.id, 'namespace', c.namespace, 'policy', c.policy, 'eventId', c.eventId,
    'sequence', c.sequence, 'openedAtUs', c.openedAtUs, 'amountMinor', c.amountMinor,
    'status', c.status, 'verdict', c.verdict, 'caseBy', c.caseBy, 'atUs', c.atUs,
    'reason', c.reason, 'corrected', c.corrected, 'labelDueUs', c.labelDueUs,
    'openedBecause', c.openedBecause) AS "caseJson"
  FROM decisions_cases AS c
  JOIN decisions AS d
    ON d.namespace = c.namespace AND d.policy = c.policy AND d.eventId = c.eventId`

/** The review queue beside the decisions. */
export function createCaseStore(database: SqliteDatabase): CaseStore {
  async function all<Row>(query: RawBuilder<Row>): Promise<Row[]> {
    return (await query.execute(database.reader())).rows
  }

  return {
    async case(id) {
      const rows = await all(sql<JoinedColumns>`${joined} WHERE c.id = ${id}`)
      return rows[0] && withDecision(rows[0])
    },
    async cases(query) {
      const { namespace, policy, text, keys, status, verdict } = query
      const order = query.order ?? 'score'
      const limit = pageLimit(query.limit)
      const wanted = sql`${matching({ namespace, policy, text, keys })}
        AND ${status === undefined ? sql`TRUE` : sql`c.status = ${status}`}
        AND ${verdict === undefined ? sql`TRUE` : sql`c.verdict = ${verdict}`}`
      const rows = await all(sql<JoinedColumns>`${joined}
        WHERE ${wanted} AND ${afterCursor(order, query.after)}
        ORDER BY ${orderBy[order]} LIMIT ${limit + 1}`)
      const total = await all(sql<{ n: number }>`
        SELECT count(*) AS n FROM (${joined} WHERE ${wanted})`)
      const page = cutPage(rows.map(withDecision), limit, ({ decision }) => decision)
      return { ...page, total: total[0].n }
    },
    async caseFigures(namespace, sinceUs) {
      const rows = await all(sql<Awaited<ReturnType<CaseStore['caseFigures']>>>`
        SELECT count(*) FILTER (WHERE status = 'open') AS "open",
          count(*) FILTER (WHERE status = 'closed') AS "closed",
          count(*) FILTER (WHERE atUs >= ${sinceUs}) AS "closedSince",
          min(openedAtUs) FILTER (WHERE status = 'open') AS "oldestOpenedAtUs"
        FROM decisions_cases WHERE namespace = ${namespace}`)
      return rows[0]
    },
    insertCase: (row) => database.write<unknown, boolean>((db) => insertCase(db, row, 'OR IGNORE')),
    async caseHistory(caseId) {
      const rows = await all(sql<{ body: string }>`
        SELECT body FROM decisions_case_events WHERE caseId = ${caseId} ORDER BY sequence`)
      return rows.map((row) => fromJson<CaseEvent>(row.body))
    },
    updateCase: (expected, next, event) =>
      database.write<unknown, boolean>(async (db) => {
        const result = await sql`
          UPDATE decisions_cases SET
            openedAtUs = ${next.openedAtUs}, status = ${next.status}, verdict = ${next.verdict},
            caseBy = ${next.by}, atUs = ${next.atUs}, reason = ${next.reason},
            corrected = ${next.corrected}, labelDueUs = ${next.labelDueUs},
            openedBecause = ${next.openedBecause}
          WHERE id = ${expected.id} AND status = ${expected.status}
            AND verdict IS ${expected.verdict} AND atUs IS ${expected.atUs}
            AND labelDueUs IS ${expected.labelDueUs}`.execute(db)
        if (result.numAffectedRows !== 1n) return false
        if (event !== null) await insertCaseEvent(db, event)
        await sumUp(db, expected.id)
        return true
      }),
    async dueLabels(nowUs, limit) {
      const rows = await all(sql<CaseColumns>`
        SELECT * FROM decisions_cases WHERE labelDueUs <= ${nowUs}
        ORDER BY labelDueUs, id LIMIT ${limit}`)
      return rows.map(caseOf)
    },
  }
}

/** Adds a case; false where it is there already and `conflict` says to leave it. */
export async function insertCase(
  db: Kysely<unknown>,
  row: CaseRow,
  conflict: 'OR IGNORE' | 'OR REPLACE',
): Promise<boolean> {
  const result = await sql`
    INSERT ${sql.raw(conflict)} INTO decisions_cases (
      id, namespace, policy, eventId, sequence, openedAtUs, score, amountMinor, status, verdict,
      caseBy, atUs, reason, corrected, labelDueUs, openedBecause)
    VALUES (${row.id}, ${row.namespace}, ${row.policy}, ${row.eventId}, ${row.sequence},
      ${row.openedAtUs}, ${row.score ?? NO_SCORE}, ${row.amountMinor}, ${row.status}, ${row.verdict},
      ${row.by}, ${row.atUs}, ${row.reason}, ${row.corrected}, ${row.labelDueUs},
      ${row.openedBecause})`.execute(db)
  return result.numAffectedRows === 1n
}

/** The score is the decision's: JSON made by SQLite would not keep its last bit. */
export function withDecision(row: JoinedColumns): CaseWithDecision {
  const decision = decisionOf(row)
  const columns = fromJson<Omit<CaseColumns, 'score'>>(row.caseJson)
  return { case: caseOf({ ...columns, score: decision.score }), decision }
}

function caseOf({ caseBy, corrected, groupId: _, ...columns }: CaseColumns): CaseRow {
  return { ...columns, by: caseBy, corrected: corrected === 1 }
}
