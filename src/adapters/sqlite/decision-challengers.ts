import { sql, type Kysely } from 'kysely'
import {
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
  const among = ({ deployments }: AnswersQuery) =>
    sql`(SELECT value FROM json_each(${JSON.stringify(deployments)}))`

  return {
    async answeredUnder(query) {
      const { namespace, limit } = query
      const { rows } = await sql<AnsweredColumns>`
        SELECT ${answered} FROM decisions AS d
        WHERE d.id > (SELECT min(afterId) FROM decisions_deployments
            WHERE namespace = ${namespace} AND deployment IN ${among(query)})
          AND d.namespace = ${namespace} AND d.deployment IN ${among(query)}
        ORDER BY d.id DESC LIMIT ${limit}`.execute(database.reader())
      return rows.map(answeredOf)
    },
    async shadowsUnder(query) {
      const { namespace, challenger, limit } = query
      type Columns = AnsweredColumns & {
        shadowSequence: number
        shadowScore: number | null
        shadowOutcome: ShadowAnswer['outcome']
        shadowPath: ShadowAnswer['path']
      }
      const { rows } = await sql<Columns>`
        SELECT ${answered}, s.sequence AS "shadowSequence", s.score AS "shadowScore",
          s.outcome AS "shadowOutcome", s.path AS "shadowPath"
        FROM decisions_shadows AS s JOIN decisions AS d
          ON d.namespace = s.namespace AND d.policy = s.policy AND d.eventId = s.eventId
        WHERE s.namespace = ${namespace} AND s.deployment IN ${among(query)}
          AND s.challenger = ${challenger}
        ORDER BY s.sequence DESC LIMIT ${limit}`.execute(database.reader())
      return rows.map((row) => ({
        sequence: row.shadowSequence,
        challenger,
        score: row.shadowScore,
        outcome: row.shadowOutcome,
        path: row.shadowPath,
        decision: answeredOf(row),
      }))
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
