import { sql, type Kysely, type RawBuilder } from 'kysely'
import {
  caseOrders,
  decodeCaseCursor,
  encodeCaseCursor,
  NO_SCORE,
  pageLimit,
  type CaseEvent,
  type CaseGroup,
  type CaseGroupQuery,
  type CaseGroupStore,
} from '../../decisions/index.ts'
import type { SqliteDatabase } from './database.ts'
import { joined, withDecision, type JoinedColumns } from './decision-cases.ts'
import { matching } from './decision-conditions.ts'
import { fromJson, toJson } from './values.ts'

/** What a case sums up is kept beside it, so that the queue is read in its order from an index. */
export const caseGroupTables = `
  CREATE TABLE decisions_case_groups (
    id TEXT PRIMARY KEY, namespace TEXT NOT NULL, policy TEXT NOT NULL, keyColumn TEXT NOT NULL,
    entity TEXT NOT NULL, openedAtUs INTEGER NOT NULL, dueUs INTEGER NOT NULL, assignee TEXT,
    assignedAtUs INTEGER, proposal TEXT, revision INTEGER NOT NULL, status TEXT NOT NULL,
    alerts INTEGER NOT NULL, openAlerts INTEGER NOT NULL, score REAL NOT NULL,
    amountMinor INTEGER NOT NULL, priorityMinor INTEGER NOT NULL,
    lastAlertAtUs INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX decisions_case_groups_queue
    ON decisions_case_groups (namespace, status, priorityMinor, id);
  CREATE INDEX decisions_case_groups_entity
    ON decisions_case_groups (namespace, keyColumn, entity, openedAtUs);
  ALTER TABLE decisions_cases ADD COLUMN groupId TEXT;
  CREATE INDEX decisions_cases_group ON decisions_cases (groupId);
  CREATE INDEX decisions_cases_ungrouped
    ON decisions_cases (openedAtUs, id) WHERE groupId IS NULL;`

interface Columns extends Omit<CaseGroup, 'column' | 'proposal' | 'score'> {
  readonly keyColumn: string
  readonly proposal: string | null
  readonly score: number
}

/** The cases that alerts are worked in. */
export function createCaseGroupStore(database: SqliteDatabase): CaseGroupStore {
  async function all<Row>(query: RawBuilder<Row>): Promise<Row[]> {
    return (await query.execute(database.reader())).rows
  }

  return {
    async ungrouped(limit) {
      const rows = await all(sql<JoinedColumns>`${joined}
        WHERE c.groupId IS NULL ORDER BY c.openedAtUs, c.id LIMIT ${limit}`)
      return rows.map(withDecision)
    },
    async openGroup({ namespace, policy, column, entity }) {
      const rows = await all(sql<Columns>`
        SELECT * FROM decisions_case_groups AS g
        WHERE g.namespace = ${namespace} AND g.keyColumn = ${column} AND g.entity = ${entity}
          AND g.policy = ${policy} AND g.status = 'open'
        ORDER BY g.openedAtUs DESC, g.id LIMIT 1`)
      return rows[0] && groupOf(rows[0])
    },
    addGroup: (group) =>
      database.write<unknown, void>(async (db) => {
        await sql`INSERT OR IGNORE INTO decisions_case_groups VALUES (
          ${group.id}, ${group.namespace}, ${group.policy}, ${group.column}, ${group.entity},
          ${group.openedAtUs}, ${group.dueUs}, NULL, NULL, NULL, 0, 'closed', 0, 0, ${NO_SCORE}, 0,
          0, ${group.openedAtUs})`.execute(db)
      }),
    addAlert: (alertId, groupId) =>
      database.write<unknown, void>(async (db) => {
        await sql`UPDATE decisions_cases SET groupId = ${groupId}
          WHERE id = ${alertId} AND groupId IS NULL`.execute(db)
        await sumUp(db, alertId)
      }),
    async group(id) {
      const rows = await all(sql<Columns>`
        SELECT * FROM decisions_case_groups WHERE id =
          coalesce((SELECT groupId FROM decisions_cases WHERE id = ${id}), ${id})`)
      return rows[0] && groupOf(rows[0])
    },
    async groups(query) {
      const { by, descends } = caseOrders[query.order ?? 'priority']
      const limit = pageLimit(query.limit)
      const wanted = wantedGroups(query)
      const column = sql.ref(`g.${by}`)
      const after = decodeCaseCursor(query.after)
      const place =
        after === undefined
          ? sql`TRUE`
          : sql`(${column} ${sql.raw(descends ? '<' : '>')} ${after.value}
              OR (${column} = ${after.value} AND g.id > ${after.id}))`
      const rows = await all(sql<Columns>`
        SELECT * FROM decisions_case_groups AS g WHERE ${wanted} AND ${place}
        ORDER BY ${column} ${sql.raw(descends ? 'DESC' : 'ASC')}, g.id LIMIT ${limit + 1}`)
      const total = await all(sql<{ n: number }>`
        SELECT count(*) AS n FROM decisions_case_groups AS g WHERE ${wanted}`)
      const last = rows.length > limit ? rows[limit - 1] : undefined
      const next = last === undefined ? null : encodeCaseCursor({ value: last[by], id: last.id })
      return { rows: rows.slice(0, limit).map(groupOf), next, total: total[0].n }
    },
    async groupAlerts(ids, limitEach, { status, alerts } = {}) {
      const isWanted = sql`${status === undefined ? sql`TRUE` : sql`c.status = ${status}`}
        AND ${alerts === undefined ? sql`TRUE` : sql`c.id IN (SELECT value FROM json_each(${toJson(alerts)}))`}`
      const rows = await all(sql<JoinedColumns & { groupId: string }>`
        SELECT * FROM (
          SELECT a.*, c.groupId, c.openedAtUs AS alertAtUs, c.id AS alertId, row_number() OVER (
            PARTITION BY c.groupId ORDER BY c.openedAtUs DESC, c.id DESC) AS nth
          FROM (${joined} WHERE c.groupId IN (SELECT value FROM json_each(${toJson(ids)}))) AS a
          JOIN decisions_cases AS c
            ON c.id = json_extract(a.caseJson, '$.id')
          WHERE ${isWanted})
        WHERE nth <= ${limitEach} ORDER BY alertAtUs, alertId`)
      const found = new Map(ids.map((id) => [id, [] as ReturnType<typeof withDecision>[]]))
      for (const row of rows) found.get(row.groupId)?.push(withDecision(row))
      return found
    },
    async groupHistory(id) {
      const rows = await all(sql<{ body: string }>`
        SELECT body FROM decisions_case_events
        WHERE caseId = ${id} OR caseId IN (SELECT id FROM decisions_cases WHERE groupId = ${id})
        ORDER BY sequence`)
      return rows.map((row) => fromJson<CaseEvent>(row.body))
    },
    changeGroup: ({ id, revision }, { assignee, assignedAtUs, proposal }, event) =>
      database.write<unknown, boolean>(async (db) => {
        const result = await sql`
          UPDATE decisions_case_groups SET assignee = ${assignee}, assignedAtUs = ${assignedAtUs},
            proposal = ${proposal === null ? null : toJson(proposal)}, revision = revision + 1
          WHERE id = ${id} AND revision = ${revision}`.execute(db)
        if (result.numAffectedRows !== 1n) return false
        await insertCaseEvent(db, event)
        return true
      }),
    addCaseEvent: (event) => database.write<unknown, void>((db) => insertCaseEvent(db, event)),
    async groupFigures(namespace, { nowUs, assignee }) {
      const rows = await all(sql<Awaited<ReturnType<CaseGroupStore['groupFigures']>>>`
        SELECT count(*) FILTER (WHERE status = 'open') AS "open",
          count(*) FILTER (WHERE status = 'open' AND assignee IS NULL) AS "unassigned",
          count(*) FILTER (WHERE status = 'open' AND assignee = ${assignee}) AS "mine",
          count(*) FILTER (WHERE status = 'open' AND dueUs < ${nowUs}) AS "overdue",
          count(*) FILTER (WHERE proposal IS NOT NULL) AS "waiting"
        FROM decisions_case_groups WHERE namespace = ${namespace}`)
      return rows[0]
    },
  }
}

/** Brings the case of an alert to what its alerts say; in the transaction that changed the alert. */
export async function sumUp(db: Kysely<unknown>, alertId: string): Promise<void> {
  await sql`
    UPDATE decisions_case_groups AS g SET
      (status, alerts, openAlerts, score, amountMinor, priorityMinor, lastAlertAtUs) = (
        SELECT iif(count(*) FILTER (WHERE c.status = 'open') > 0, 'open', 'closed'), count(*),
          count(*) FILTER (WHERE c.status = 'open'), max(c.score), coalesce(sum(c.amountMinor), 0),
          coalesce(sum(CAST(
            iif(c.score = ${NO_SCORE}, 1.0, c.score) * coalesce(c.amountMinor, 0) + 0.5 AS INTEGER
          )) FILTER (WHERE c.status = 'open'), 0),
          max(g.openedAtUs, max(c.openedAtUs))
        FROM decisions_cases AS c WHERE c.groupId = g.id)
    WHERE g.id = (SELECT groupId FROM decisions_cases WHERE id = ${alertId})`.execute(db)
}

export async function insertCaseEvent(db: Kysely<unknown>, event: CaseEvent): Promise<void> {
  await sql`INSERT INTO decisions_case_events (caseId, body)
    VALUES (${event.caseId}, ${toJson(event)})`.execute(db)
}

function wantedGroups(query: CaseGroupQuery): RawBuilder<unknown> {
  const { namespace, policy, status, assignee, dueBeforeUs, waiting, entity } = query
  const { verdict, text, keys } = query
  const parts = [sql`g.namespace = ${namespace}`]
  if (policy !== undefined) parts.push(sql`g.policy = ${policy}`)
  if (status !== undefined) parts.push(sql`g.status = ${status}`)
  if (assignee !== undefined) parts.push(sql`g.assignee IS ${assignee}`)
  if (dueBeforeUs !== undefined) parts.push(sql`g.status = 'open' AND g.dueUs < ${dueBeforeUs}`)
  if (waiting === true) parts.push(sql`g.proposal IS NOT NULL`)
  if (entity !== undefined) {
    parts.push(sql`g.keyColumn = ${entity.column} AND g.entity = ${entity.value}`)
  }
  if (verdict !== undefined || text !== undefined || keys !== undefined) {
    const ofAlert = verdict === undefined ? sql`TRUE` : sql`c.verdict = ${verdict}`
    parts.push(sql`EXISTS (SELECT 1 FROM decisions_cases AS c JOIN decisions AS d
      ON d.namespace = c.namespace AND d.policy = c.policy AND d.eventId = c.eventId
      WHERE c.groupId = g.id AND ${ofAlert} AND ${matching({ namespace, text, keys })})`)
  }
  return sql.join(parts, sql` AND `)
}

function groupOf({ keyColumn, proposal, score, ...columns }: Columns): CaseGroup {
  return {
    ...columns,
    column: keyColumn,
    proposal: proposal === null ? null : fromJson(proposal),
    score: score === NO_SCORE ? null : score,
  }
}
