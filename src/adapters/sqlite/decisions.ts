import { CompiledQuery, type Kysely } from 'kysely'
import {
  NO_SCORE,
  projectRecord,
  type CaseRow,
  type DecisionReadModel,
  type DecisionRow,
  type DeploymentRow,
  type LabelRow,
  type ProjectionSink,
} from '../../decisions/index.ts'
import { caseGroupTables, createCaseGroupStore } from './decision-case-groups.ts'
import {
  challengerTables,
  createChallengerReads,
  firstLabelText,
  insertShadow,
  labelledBeforeText,
  labelledTables,
} from './decision-challengers.ts'
import { createCaseStore, insertCase } from './decision-cases.ts'
import { createDecisionReads } from './decision-reads.ts'
import { addRuleFailure, ruleFailureTables } from './decision-rule-failures.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { toJson } from './values.ts'

export const decisionsMigrations: RoomMigrations = {
  room: 'decisions',
  migrations: [
    {
      version: 1,
      // The label that arrived last is copied into its decisions, so that lists and figures read
      // one table. `searchText` is what a search looks in, in lower case.
      sql: `
        CREATE TABLE decisions (
          id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, sequence INTEGER NOT NULL,
          policy TEXT NOT NULL, source TEXT NOT NULL, eventId TEXT NOT NULL,
          eventTimeUs INTEGER NOT NULL, receivedAtUs INTEGER NOT NULL, clockUs INTEGER NOT NULL,
          keys TEXT NOT NULL, amountMinor INTEGER, currency TEXT, score REAL NOT NULL,
          outcome TEXT NOT NULL, mainReason TEXT, rules TEXT NOT NULL, late INTEGER NOT NULL,
          deployment TEXT NOT NULL, policyVersion TEXT NOT NULL, modelVersion TEXT NOT NULL,
          modelName TEXT NOT NULL, modelNumber INTEGER NOT NULL, latencyUs REAL NOT NULL,
          searchText TEXT NOT NULL, labelValue TEXT, labelPositive INTEGER,
          labelArrivalTimeUs INTEGER, labelAuthor TEXT,
          UNIQUE (namespace, policy, eventId)) STRICT;
        CREATE INDEX decisions_by_time ON decisions (namespace, eventTimeUs, sequence);
        CREATE INDEX decisions_by_score ON decisions (namespace, score, eventTimeUs, sequence);
        CREATE INDEX decisions_by_amount ON decisions
          (namespace, coalesce(amountMinor, ${Number.MIN_SAFE_INTEGER}), eventTimeUs, sequence);
        CREATE INDEX decisions_of_event ON decisions (namespace, source, eventId);
        CREATE TABLE decisions_keys (
          namespace TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
          sequence INTEGER NOT NULL, PRIMARY KEY (namespace, name, value, sequence))
          STRICT, WITHOUT ROWID;
        CREATE TABLE decisions_labels (
          namespace TEXT NOT NULL, source TEXT NOT NULL, ofSource TEXT NOT NULL,
          eventId TEXT NOT NULL, sequence INTEGER NOT NULL, value TEXT NOT NULL,
          positive INTEGER NOT NULL, arrivalTimeUs INTEGER NOT NULL, author TEXT NOT NULL,
          PRIMARY KEY (namespace, ofSource, eventId, sequence)) STRICT, WITHOUT ROWID;
        CREATE TABLE decisions_deployments (
          namespace TEXT NOT NULL, sequence INTEGER NOT NULL, policy TEXT NOT NULL,
          deployment TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,
          atUs INTEGER NOT NULL, PRIMARY KEY (namespace, sequence)) STRICT, WITHOUT ROWID;
        CREATE TABLE decisions_positions (
          namespace TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE decisions_cases (
          id TEXT PRIMARY KEY, namespace TEXT NOT NULL, policy TEXT NOT NULL,
          eventId TEXT NOT NULL, sequence INTEGER NOT NULL, openedAtUs INTEGER NOT NULL,
          score REAL NOT NULL, amountMinor INTEGER, status TEXT NOT NULL, verdict TEXT,
          caseBy TEXT, atUs INTEGER, reason TEXT, corrected INTEGER NOT NULL,
          labelDueUs INTEGER, openedBecause TEXT NOT NULL) STRICT;
        CREATE INDEX decisions_cases_open ON decisions_cases (namespace, status, score);
        CREATE INDEX decisions_cases_due
          ON decisions_cases (labelDueUs, id) WHERE labelDueUs IS NOT NULL;
        CREATE TABLE decisions_case_events (
          sequence INTEGER PRIMARY KEY, caseId TEXT NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE INDEX decisions_case_events_of ON decisions_case_events (caseId, sequence);`,
    },
    // Alerts from before are put into cases by `keep`, a few hundred at a time.
    { version: 2, sql: caseGroupTables },
    { version: 3, sql: challengerTables },
    { version: 4, sql: labelledTables },
    { version: 5, sql: ruleFailureTables },
  ],
}

/** The read model that keep builds from the journals. */
export function createSqliteReadModel(database: SqliteDatabase): DecisionReadModel {
  return {
    ...createProjection(database),
    ...createDecisionReads(database),
    ...createCaseStore(database),
    ...createCaseGroupStore(database),
    ...createChallengerReads(database),
  }
}

function createProjection(database: SqliteDatabase): ProjectionSink {
  async function position(namespace: string): Promise<number> {
    const text = 'SELECT sequence FROM decisions_positions WHERE namespace = ?'
    const query = CompiledQuery.raw(text, [namespace]) as CompiledQuery<{ sequence: number }>
    const { rows } = await database.reader().executeQuery(query)
    return rows[0]?.sequence ?? 0
  }

  return {
    position,
    async apply({ namespace, records, through }) {
      await database.write<unknown, void>(async (db) => {
        const from = await position(namespace)
        for (const record of records) {
          if (record.sequence <= from) continue
          const change = projectRecord(record)
          if (change === null) continue
          if (change.kind === 'deployment') await insertDeployment(db, change.row)
          else if (change.kind === 'shadow') await insertShadow(db, change.row)
          else if (change.kind === 'label') await applyLabel(db, change.row)
          else {
            await insertDecision(db, change.row, change.opensCase)
            for (const each of change.failures) await addRuleFailure(db, each)
          }
        }
        await run(db, 'INSERT OR REPLACE INTO decisions_positions VALUES (?, ?)', [
          namespace,
          Math.max(from, through),
        ])
      })
    },
  }
}

/**
 * Statements of the projection are texts, compiled once by SQLite and not at all by Kysely: a
 * replay at full speed brings thousands of records a second.
 */
export function run(db: Kysely<unknown>, text: string, parameters: readonly unknown[]) {
  return db.executeQuery(CompiledQuery.raw(text, [...parameters]))
}

/** A label may arrive before the decision on its event: the last one to arrive is taken along. */
const insertDecisionText = `
  INSERT OR REPLACE INTO decisions (
    namespace, sequence, policy, source, eventId, eventTimeUs, receivedAtUs, clockUs, keys,
    amountMinor, currency, score, outcome, mainReason, rules, late, deployment, policyVersion,
    modelVersion, modelName, modelNumber, latencyUs, searchText,
    challenger, unanswered, labelValue, labelPositive, labelArrivalTimeUs, labelAuthor)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
    ?21, ?22, ?23, ?24, ?25, l.value, l.positive, l.arrivalTimeUs, l.author
  FROM (SELECT 1) LEFT JOIN (
    SELECT * FROM decisions_labels WHERE namespace = ?1 AND ofSource = ?4 AND eventId = ?5
    ORDER BY arrivalTimeUs DESC, sequence DESC LIMIT 1) AS l`

async function insertDecision(
  db: Kysely<unknown>,
  row: DecisionRow,
  opensCase: CaseRow | null,
): Promise<void> {
  await run(db, insertDecisionText, [
    row.namespace,
    row.sequence,
    row.policy,
    row.source,
    row.eventId,
    row.eventTimeUs,
    row.receivedAtUs,
    row.clockUs,
    toJson(row.keys),
    row.amountMinor,
    row.currency,
    // The column has been NOT NULL from the first version on, and has tens of millions of rows.
    row.score ?? NO_SCORE,
    row.outcome,
    row.mainReason,
    toJson(row.rules),
    row.late,
    row.deployment,
    row.policyVersion,
    row.modelVersion,
    row.modelName,
    row.modelNumber,
    row.latencyUs,
    [row.eventId, ...row.rules, row.mainReason ?? ''].join('\n').toLowerCase(),
    row.challenger ?? null,
    row.unanswered === undefined ? null : toJson(row.unanswered),
  ])
  for (const [name, value] of Object.entries(row.keys)) {
    await run(db, 'INSERT OR REPLACE INTO decisions_keys VALUES (?, ?, ?, ?)', [
      row.namespace,
      name,
      value,
      row.sequence,
    ])
  }
  await run(db, labelledBeforeText, [row.namespace, row.policy, row.eventId])
  if (opensCase !== null) await insertCase(db, opensCase, 'OR REPLACE')
}

/** The latest arrival wins, and of one instant the later sequence; see `replacesLabel`. */
const showLabelText = `
  UPDATE decisions SET labelValue = ?4, labelPositive = ?5, labelArrivalTimeUs = ?6, labelAuthor = ?7
  WHERE namespace = ?1 AND source = ?2 AND eventId = ?3
    AND (labelArrivalTimeUs IS NULL OR labelArrivalTimeUs <= ?6)`

async function applyLabel(db: Kysely<unknown>, row: LabelRow): Promise<void> {
  const { namespace, source, of, eventId, sequence, value, positive, arrivalTimeUs, author } = row
  await run(db, 'INSERT OR REPLACE INTO decisions_labels VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', [
    namespace,
    source,
    of,
    eventId,
    sequence,
    value,
    positive,
    arrivalTimeUs,
    author,
  ])
  await run(db, firstLabelText, [namespace, of, eventId, positive])
  await run(db, showLabelText, [namespace, of, eventId, value, positive, arrivalTimeUs, author])
}

const insertDeploymentText = `
  INSERT OR REPLACE INTO decisions_deployments
    (namespace, sequence, policy, deployment, actor, reason, atUs, afterId)
  VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM decisions))`

async function insertDeployment(db: Kysely<unknown>, row: DeploymentRow): Promise<void> {
  const { namespace, sequence, policy, deployment, actor, reason, atUs } = row
  await run(db, insertDeploymentText, [
    namespace,
    sequence,
    policy,
    deployment,
    actor,
    reason,
    atUs,
  ])
}
