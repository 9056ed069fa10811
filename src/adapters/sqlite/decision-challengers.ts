import { sql, type Kysely } from 'kysely'
import {
  ANSWERS_REACH,
  NO_SCORE,
  type AnsweredEvent,
  type AnswersQuery,
  type ChallengerReads,
  type ShadowAnswer,
  type ShadowRow,
} from '../../decisions/index.ts'
import type { SqliteDatabase } from './database.ts'
import { fromJson } from './values.ts'

/**
 * `afterId` is the last decision that was kept when a deployment took effect: its own come after it,
 * so that they are found without an index over tens of millions of rows.
 */
export const challengerTables = `
  ALTER TABLE decisions ADD COLUMN challenger TEXT;
  ALTER TABLE decisions ADD COLUMN unanswered TEXT;
  ALTER TABLE decisions_deployments ADD COLUMN afterId INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE decisions_shadows (
    namespace TEXT NOT NULL, deployment TEXT NOT NULL, challenger TEXT NOT NULL,
    sequence INTEGER NOT NULL, policy TEXT NOT NULL, eventId TEXT NOT NULL, score REAL,
    outcome TEXT NOT NULL, path TEXT NOT NULL,
    PRIMARY KEY (namespace, deployment, challenger, sequence)) STRICT, WITHOUT ROWID;`

/**
 * Decisions in the order in which their first labels came, with those labels: a test that is looked at
 * again and again needs an order that never changes. What was labelled before this table is not in it.
 */
export const labelledTables = `
  CREATE TABLE decisions_labelled (
    n INTEGER PRIMARY KEY, decisionId INTEGER NOT NULL, positive INTEGER NOT NULL) STRICT;
  CREATE INDEX decisions_shadows_of ON decisions_shadows (namespace, policy, eventId);`

/** Before a label is shown: it may be the first one. */
export const firstLabelText = `
  INSERT INTO decisions_labelled (decisionId, positive) SELECT id, ?4 FROM decisions
  WHERE namespace = ?1 AND source = ?2 AND eventId = ?3 AND labelPositive IS NULL ORDER BY id`

/** After a decision is kept: its label may have come before it. */
export const labelledBeforeText = `
  INSERT INTO decisions_labelled (decisionId, positive) SELECT id, labelPositive FROM decisions
  WHERE namespace = ?1 AND policy = ?2 AND eventId = ?3 AND labelPositive IS NOT NULL`

export async function insertShadow(db: Kysely<unknown>, row: ShadowRow): Promise<void> {
  const { namespace, deployment, challenger, sequence, policy, eventId } = row
  await sql`INSERT OR REPLACE INTO decisions_shadows VALUES (${namespace}, ${deployment},
    ${challenger}, ${sequence}, ${policy}, ${eventId}, ${row.score}, ${row.outcome}, ${row.path})`.execute(
    db,
  )
}

interface AnsweredColumns {
  sequence: number
  deployment: string
  challenger: string | null
  unanswered: string | null
  score: number
  outcome: AnsweredEvent['outcome']
  latencyUs: number
  labelPositive: number | null
  labelArrivalTimeUs: number | null
}

const answered = sql`d.sequence, d.deployment, d.challenger, d.unanswered, d.score, d.outcome,
  d.latencyUs, d.labelPositive, d.labelArrivalTimeUs`

export function createChallengerReads(database: SqliteDatabase): ChallengerReads {
  const among = ({ deployments }: Pick<AnswersQuery, 'deployments'>) =>
    sql`(SELECT value FROM json_each(${JSON.stringify(deployments)}))`

  return {
    async answeredUnder(query) {
      const { namespace, limit, by } = query
      const of =
        by === undefined
          ? sql``
          : by === null
            ? sql`AND d.challenger IS NULL`
            : sql`AND d.challenger = ${by}`
      // The + keeps SQLite from an index of the namespace, by which it would read and sort them all.
      const { rows } = await sql<AnsweredColumns>`
        SELECT ${answered} FROM decisions AS d
        WHERE d.id > (SELECT min(afterId) FROM decisions_deployments
            WHERE namespace = ${namespace} AND deployment IN ${among(query)})
          AND d.id > (SELECT max(id) FROM decisions) - ${ANSWERS_REACH} ${of}
          AND +d.namespace = ${namespace} AND d.deployment IN ${among(query)}
        ORDER BY d.id DESC LIMIT ${limit}`.execute(database.reader())
      return rows.map(answeredOf)
    },
    async shadowsUnder(query) {
      const { namespace, challenger, limit, deployments } = query
      if (deployments.length === 0) return []
      type Columns = AnsweredColumns & {
        shadowSequence: number
        shadowScore: number | null
        shadowOutcome: ShadowAnswer['outcome']
        shadowPath: ShadowAnswer['path']
      }
      // Of each deployment the newest by its key, so that no more than these are read.
      const newest = deployments.map(
        (deployment) => sql`SELECT * FROM (SELECT * FROM decisions_shadows
          WHERE namespace = ${namespace} AND deployment = ${deployment}
            AND challenger = ${challenger}
          ORDER BY sequence DESC LIMIT ${limit})`,
      )
      const { rows } = await sql<Columns>`
        WITH s AS MATERIALIZED (SELECT * FROM (${sql.join(newest, sql` UNION ALL `)})
          ORDER BY sequence DESC LIMIT ${limit})
        SELECT ${answered}, s.sequence AS "shadowSequence", s.score AS "shadowScore",
          s.outcome AS "shadowOutcome", s.path AS "shadowPath"
        FROM s CROSS JOIN decisions AS d
          ON d.namespace = s.namespace AND d.policy = s.policy AND d.eventId = s.eventId
        ORDER BY s.sequence DESC`.execute(database.reader())
      return rows.map((row) => ({
        sequence: row.shadowSequence,
        challenger,
        score: row.shadowScore,
        outcome: row.shadowOutcome,
        path: row.shadowPath,
        decision: answeredOf(row),
      }))
    },
    async labelledUnder(query) {
      const { namespace, challenger, after, through } = query
      type Columns = AnsweredColumns & {
        firstPositive: number
        shadowScore: number | null
        shadowOutcome: ShadowAnswer['outcome'] | null
      }
      const { rows } = await sql<Columns>`
        SELECT ${answered}, l.positive AS "firstPositive", s.score AS "shadowScore",
          s.outcome AS "shadowOutcome"
        FROM decisions_labelled AS l CROSS JOIN decisions AS d ON d.id = l.decisionId
          LEFT JOIN decisions_shadows AS s ON s.namespace = d.namespace AND s.policy = d.policy
            AND s.eventId = d.eventId AND s.challenger = ${challenger}
            AND s.deployment = d.deployment
        WHERE l.n > ${after} AND l.n <= ${through}
          AND +d.namespace = ${namespace} AND d.deployment IN ${among(query)}
        ORDER BY l.n`.execute(database.reader())
      return rows.map((row) => ({
        decision: answeredOf(row),
        positive: row.firstPositive === 1,
        shadow: row.shadowScore === null ? null : row.shadowOutcome,
      }))
    },
    async lastLabelled() {
      const { rows } = await sql<{ n: number | null }>`
        SELECT max(n) AS n FROM decisions_labelled`.execute(database.reader())
      return rows[0]?.n ?? 0
    },
  }
}

function answeredOf(row: AnsweredColumns): AnsweredEvent {
  const { labelPositive, labelArrivalTimeUs } = row
  const unanswered = row.unanswered === null ? [] : fromJson<{ by: string }[]>(row.unanswered)
  return {
    sequence: row.sequence,
    deployment: row.deployment,
    challenger: row.challenger,
    unanswered: unanswered.map(({ by }) => by),
    score: row.score === NO_SCORE ? null : row.score,
    outcome: row.outcome,
    latencyUs: row.latencyUs,
    label:
      labelPositive === null
        ? null
        : { positive: labelPositive === 1, arrivalTimeUs: labelArrivalTimeUs! },
  }
}
