import { sql, type RawBuilder } from 'kysely'
import {
  cutPage,
  NO_SCORE,
  pageLimit,
  sumFailures,
  type DecisionRange,
  type DecisionStore,
  type DeploymentRow,
  type LabelRow,
  type LatencyBucket,
  type OutcomeBucket,
  type ProjectionSink,
} from '../../decisions/index.ts'
import type { SqliteDatabase } from './database.ts'
import { ruleFailuresWithin } from './decision-rule-failures.ts'
import {
  afterCursor,
  decisionOf,
  matching,
  orderBy,
  type DecisionColumns,
} from './decision-conditions.ts'

/** Everything that is asked of the decisions that keep has heard of. */
export function createDecisionReads(
  database: SqliteDatabase,
): Omit<DecisionStore, keyof ProjectionSink> {
  async function all<Row>(query: RawBuilder<Row>): Promise<Row[]> {
    return (await query.execute(database.reader())).rows
  }

  async function nearest(condition: RawBuilder<unknown>, order: RawBuilder<unknown>) {
    const rows = await all(sql<DecisionColumns>`
      SELECT d.* FROM decisions AS d WHERE ${condition} ORDER BY ${order} LIMIT 1`)
    return rows[0] === undefined ? null : decisionOf(rows[0])
  }

  return {
    async get(namespace, policy, eventId) {
      const rows = await all(sql<DecisionColumns>`
        SELECT d.* FROM decisions AS d
        WHERE d.namespace = ${namespace} AND d.policy = ${policy} AND d.eventId = ${eventId}`)
      return rows[0] && decisionOf(rows[0])
    },
    async query(query) {
      const order = query.order ?? 'newest'
      const limit = pageLimit(query.limit)
      const rows = await all(sql<DecisionColumns>`
        SELECT d.* FROM decisions AS d
        WHERE ${matching(query)} AND ${afterCursor(order, query.after)}
        ORDER BY ${orderBy[order]} LIMIT ${limit + 1}`)
      return cutPage(rows.map(decisionOf), limit, (row) => row)
    },
    async count(filter) {
      const rows = await all(sql<{ n: number }>`
        SELECT count(*) AS n FROM decisions AS d WHERE ${matching(filter)}`)
      return rows[0].n
    },
    async arrived({ after = 0, limit }) {
      const rows = await all(sql<DecisionColumns & { id: number }>`
        SELECT d.* FROM decisions AS d WHERE d.id > ${after} ORDER BY d.id DESC LIMIT ${limit + 1}`)
      const shown = rows.slice(0, limit).toReversed()
      return {
        rows: shown.map(decisionOf),
        place: shown.at(-1)?.id ?? after,
        isWhole: rows.length <= limit,
      }
    },
    async neighbours(filter, { eventTimeUs, sequence }) {
      const place = sql`(${eventTimeUs}, ${sequence})`
      const newer = sql`${matching(filter)} AND (d.eventTimeUs, d.sequence) > ${place}`
      const older = sql`${matching(filter)} AND (d.eventTimeUs, d.sequence) < ${place}`
      return {
        newer: await nearest(newer, orderBy.oldest),
        older: await nearest(older, orderBy.newest),
      }
    },
    outcomesOver: (range) =>
      all(sql<OutcomeBucket>`
        SELECT ${bucket(range)} AS "startUs", d.outcome AS "outcome",
          CASE d.labelPositive WHEN 1 THEN 'positive' WHEN 0 THEN 'negative' ELSE 'none' END AS "label",
          count(*) AS "n", coalesce(sum(d.amountMinor), 0) AS "amountMinor"
        FROM decisions AS d WHERE ${matching(range)} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`),
    async labelledScores(range) {
      const rows = await all(sql<DecisionColumns>`
        SELECT d.score, d.outcome, d.labelPositive FROM decisions AS d
        WHERE ${matching(range)} AND d.labelValue IS NOT NULL AND d.score <> ${NO_SCORE}
        ORDER BY ${orderBy.oldest} LIMIT ${range.limit}`)
      return rows.map(({ score, outcome, labelPositive }) => {
        return { score: score!, outcome, positive: labelPositive === 1 }
      })
    },
    latencyOver: (range) =>
      all(sql<LatencyBucket>`
        SELECT startUs AS "startUs", n AS "n",
          max(CASE WHEN place = max(1, ceil(0.5 * n)) THEN latencyUs END) AS "p50Us",
          max(CASE WHEN place = max(1, ceil(0.99 * n)) THEN latencyUs END) AS "p99Us"
        FROM (
          SELECT startUs, latencyUs, count(*) OVER (PARTITION BY startUs) AS n,
            row_number() OVER (PARTITION BY startUs ORDER BY latencyUs) AS place
          FROM (SELECT ${bucket(range)} AS startUs, d.latencyUs AS latencyUs
            FROM decisions AS d WHERE ${matching(range)}))
        GROUP BY startUs, n ORDER BY startUs`),
    failingRules: async (query) => sumFailures(await all(ruleFailuresWithin(query))),
    async labels(namespace, source, eventId) {
      const rows = await all(sql<Omit<LabelRow, 'positive'> & { positive: number }>`
        SELECT namespace, sequence, source, ofSource AS "of", eventId, value, positive,
          arrivalTimeUs, author
        FROM decisions_labels
        WHERE namespace = ${namespace} AND ofSource = ${source} AND eventId = ${eventId}
        ORDER BY sequence`)
      return rows.map((row) => ({ ...row, positive: row.positive === 1 }))
    },
    deployments: (namespace) =>
      all(sql<DeploymentRow>`
        SELECT namespace, sequence, policy, deployment, actor, reason, atUs
        FROM decisions_deployments WHERE namespace = ${namespace} ORDER BY sequence`),
    namespaces: () =>
      all(sql<{ namespace: string; decisions: number; newestEventTimeUs: number | null }>`
        SELECT p.namespace AS "namespace",
          (SELECT count(*) FROM decisions AS d WHERE d.namespace = p.namespace) AS "decisions",
          (SELECT max(d.eventTimeUs) FROM decisions AS d WHERE d.namespace = p.namespace)
            AS "newestEventTimeUs"
        FROM decisions_positions AS p ORDER BY p.namespace`),
  }
}

/**
 * The start of the interval of event time, aligned to the epoch; event times are not negative. The
 * cast matters: `node:sqlite` binds every number as a float.
 */
function bucket({ bucketUs }: DecisionRange & { readonly bucketUs: number }) {
  return sql`(d.eventTimeUs - d.eventTimeUs % CAST(${bucketUs} AS INTEGER))`
}
