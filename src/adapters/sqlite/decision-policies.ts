import { sql, type GeneratedAlways } from 'kysely'
import {
  changedObject,
  type PolicyChange,
  type KeptDraft,
  type PolicyStore,
} from '../../decisions/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const decisionPoliciesMigrations: RoomMigrations = {
  room: 'decision-policies',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE decision_policy_changes (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ofObject TEXT NOT NULL,
          state TEXT NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE INDEX decision_policy_changes_in ON decision_policy_changes (state, sequence);
        CREATE INDEX decision_policy_changes_of ON decision_policy_changes (ofObject, sequence);
        CREATE TABLE decision_policy_drafts (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, policy TEXT NOT NULL,
          state TEXT NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE INDEX decision_policy_drafts_in ON decision_policy_drafts (state, sequence);
        CREATE INDEX decision_policy_drafts_of ON decision_policy_drafts (policy, sequence);`,
    },
    {
      version: 2,
      sql: `
        ALTER TABLE decision_policy_drafts ADD COLUMN version TEXT
          GENERATED ALWAYS AS (json_extract(body, '$.body.version')) VIRTUAL;
        ALTER TABLE decision_policy_drafts ADD COLUMN inShadow INTEGER
          GENERATED ALWAYS AS (json_type(body, '$.shadow') = 'object') VIRTUAL;
        CREATE INDEX decision_policy_drafts_state
          ON decision_policy_drafts (policy, state, sequence);
        CREATE INDEX decision_policy_drafts_version
          ON decision_policy_drafts (policy, version, sequence);
        CREATE INDEX decision_policy_drafts_shadow
          ON decision_policy_drafts (policy, sequence) WHERE inShadow = 1;`,
    },
  ],
}

interface Tables {
  decision_policy_changes: {
    sequence: number | undefined
    id: string
    ofObject: string
    state: string
    body: string
  }
  decision_policy_drafts: {
    sequence: number | undefined
    id: string
    policy: string
    state: string
    body: string
    version: GeneratedAlways<string>
    inShadow: GeneratedAlways<number>
  }
}

export function createSqlitePolicyStore(database: SqliteDatabase): PolicyStore {
  const changes = () =>
    database.reader<Tables>().selectFrom('decision_policy_changes').select('body')
  const drafts = () => database.reader<Tables>().selectFrom('decision_policy_drafts').select('body')
  const write = database.write<Tables, unknown>

  return {
    async saveChange(change) {
      const { id, state } = change
      const held = { state, body: toJson(change) }
      const row = { sequence: undefined, id, ofObject: changedObject(change.of), ...held }
      await write((db) =>
        db
          .insertInto('decision_policy_changes')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(held))
          .execute(),
      )
    },
    async change(id) {
      const row = await changes().where('id', '=', id).executeTakeFirst()
      return row && fromJson<PolicyChange>(row.body)
    },
    async changesIn(state, limit) {
      const rows = changes().where('state', '=', state).orderBy('sequence').limit(limit)
      return (await rows.execute()).map(({ body }) => fromJson<PolicyChange>(body))
    },
    async changes({ of, limit }) {
      let rows = changes().orderBy('sequence', 'desc').limit(limit)
      if (of !== undefined) rows = rows.where('ofObject', '=', of)
      return (await rows.execute()).map(({ body }) => fromJson<PolicyChange>(body))
    },

    async saveDraft(draft) {
      const { id, policy, state } = draft
      const held = { state, body: toJson(draft) }
      await write((db) =>
        db
          .insertInto('decision_policy_drafts')
          .values({ sequence: undefined, id, policy, ...held })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(held))
          .execute(),
      )
    },
    async draft(id) {
      const row = await drafts().where('id', '=', id).executeTakeFirst()
      return row && fromJson<KeptDraft>(row.body)
    },
    async drafts({ policy, states, version, inShadow, limit }) {
      let rows = drafts().where('policy', '=', policy).orderBy('sequence', 'desc').limit(limit)
      if (states !== undefined) rows = rows.where('state', 'in', states)
      if (version !== undefined) rows = rows.where('version', '=', version)
      if (inShadow !== undefined) rows = rows.where('inShadow', '=', sql.lit(1))
      return (await rows.execute()).map(({ body }) => fromJson<KeptDraft>(body))
    },
    async draftsIn(state, limit) {
      const rows = drafts().where('state', '=', state).orderBy('sequence').limit(limit)
      return (await rows.execute()).map(({ body }) => fromJson<KeptDraft>(body))
    },
  }
}
