import type { Deployment, DeploymentStore, Proposal, Suspension } from '../../serving/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const servingMigrations: RoomMigrations = {
  room: 'serving',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE serving_deployments (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, policy TEXT NOT NULL,
          fromUs INTEGER NOT NULL, toUs INTEGER, body TEXT NOT NULL) STRICT;
        CREATE UNIQUE INDEX serving_one_live ON serving_deployments (policy) WHERE toUs IS NULL;
        CREATE INDEX serving_history ON serving_deployments (policy, sequence DESC);`,
    },
    {
      version: 2,
      sql: `
        CREATE TABLE serving_proposals (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, policy TEXT NOT NULL,
          body TEXT NOT NULL) STRICT;
        CREATE INDEX serving_proposals_of ON serving_proposals (policy, sequence DESC);
        CREATE TABLE serving_suspensions (policy TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;`,
    },
  ],
}

interface DeploymentRow {
  sequence: number | undefined
  id: string
  policy: string
  fromUs: number
  toUs: number | null
  body: string
}

interface Tables {
  serving_deployments: DeploymentRow
  serving_proposals: { sequence: number | undefined; id: string; policy: string; body: string }
  serving_suspensions: { policy: string; body: string }
}

export function createSqliteDeploymentStore(database: SqliteDatabase): DeploymentStore {
  const write = database.write<Tables, unknown>
  const rows = () =>
    database
      .reader<Tables>()
      .selectFrom('serving_deployments')
      .selectAll()
      .orderBy('sequence', 'desc')

  return {
    async insert({ toUs = null, ...deployment }) {
      const { id, policy, fromUs } = deployment
      const row = { sequence: undefined, id, policy, fromUs, toUs, body: toJson(deployment) }
      await write((db) => db.insertInto('serving_deployments').values(row).execute())
    },
    async close(id, toUs) {
      await write((db) =>
        db.updateTable('serving_deployments').set({ toUs }).where('id', '=', id).execute(),
      )
    },
    async current(policy) {
      const row = await rows()
        .where('policy', '=', policy)
        .where('toUs', 'is', null)
        .executeTakeFirst()
      return row && deploymentOf(row)
    },
    async history(policy) {
      const found = policy === undefined ? rows() : rows().where('policy', '=', policy)
      return (await found.execute()).map(deploymentOf)
    },
    async at(policy, atUs) {
      const row = await rows()
        .where('policy', '=', policy)
        .where('fromUs', '<=', atUs)
        .where((eb) => eb.or([eb('toUs', 'is', null), eb('toUs', '>', atUs)]))
        .limit(1)
        .executeTakeFirst()
      return row && deploymentOf(row)
    },

    async putProposal(proposal) {
      const { id, policy } = proposal
      const body = toJson(proposal)
      await write((db) =>
        db
          .insertInto('serving_proposals')
          .values({ sequence: undefined, id, policy, body })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ body }))
          .execute(),
      )
    },
    async proposal(id) {
      const row = await database
        .reader<Tables>()
        .selectFrom('serving_proposals')
        .select('body')
        .where('id', '=', id)
        .executeTakeFirst()
      return row && fromJson<Proposal>(row.body)
    },
    async proposals(policy, limit) {
      const found = await database
        .reader<Tables>()
        .selectFrom('serving_proposals')
        .select('body')
        .where('policy', '=', policy)
        .orderBy('sequence', 'desc')
        .limit(limit)
        .execute()
      return found.map(({ body }) => fromJson<Proposal>(body))
    },
    async putSuspension(suspension) {
      const row = { policy: suspension.policy, body: toJson(suspension) }
      await write((db) => db.replaceInto('serving_suspensions').values(row).execute())
    },
    async suspensions() {
      const found = await database
        .reader<Tables>()
        .selectFrom('serving_suspensions')
        .select('body')
        .orderBy('policy')
        .execute()
      return found.map(({ body }) => fromJson<Suspension>(body))
    },
  }
}

function deploymentOf({ body, toUs }: DeploymentRow): Deployment {
  return { ...fromJson<Deployment>(body), ...(toUs === null ? {} : { toUs }) }
}
