import type {
  AfterReview,
  Approval,
  CompiledGatePolicy,
  GateRun,
  GovernanceStore,
  InventoryEntry,
} from '../../governance/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const governanceMigrations: RoomMigrations = {
  room: 'governance',
  migrations: [
    {
      version: 1,
      // Whole records as JSON, because their hashes are of the whole; columns only to find them by.
      sql: `
        CREATE TABLE governance_gates (hash TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
        CREATE TABLE governance_inventory (model TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
        CREATE TABLE governance_gate_runs (
          sequence INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL,
          body TEXT NOT NULL) STRICT;
        CREATE INDEX governance_gate_runs_of
          ON governance_gate_runs (model, version, sequence DESC);
        CREATE TABLE governance_approvals (
          sequence INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL,
          body TEXT NOT NULL) STRICT;
        CREATE INDEX governance_approvals_of
          ON governance_approvals (model, version, sequence);`,
    },
    {
      version: 2,
      sql: `
        CREATE TABLE governance_after_reviews (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, open INTEGER NOT NULL,
          body TEXT NOT NULL) STRICT;
        CREATE INDEX governance_after_reviews_open
          ON governance_after_reviews (sequence DESC) WHERE open = 1;`,
    },
  ],
}

interface VersionBody {
  sequence: number | undefined
  model: string
  version: number
  body: string
}

interface Tables {
  governance_gates: { hash: string; body: string }
  governance_inventory: { model: string; body: string }
  governance_gate_runs: VersionBody
  governance_approvals: VersionBody
  governance_after_reviews: {
    sequence: number | undefined
    id: string
    open: number
    body: string
  }
}

export function createSqliteGovernanceStore(database: SqliteDatabase): GovernanceStore {
  const read = () => database.reader<Tables>()
  const write = database.write<Tables, unknown>

  async function gateRuns(model: string, version?: number, limit?: number): Promise<GateRun[]> {
    let rows = read()
      .selectFrom('governance_gate_runs')
      .select('body')
      .where('model', '=', model)
      .orderBy('sequence', 'desc')
    if (version !== undefined) rows = rows.where('version', '=', version)
    if (limit !== undefined) rows = rows.limit(limit)
    return (await rows.execute()).map((row) => fromJson<GateRun>(row.body))
  }

  async function afterReview(id: string): Promise<AfterReview | undefined> {
    const row = await read()
      .selectFrom('governance_after_reviews')
      .select('body')
      .where('id', '=', id)
      .executeTakeFirst()
    return row && fromJson<AfterReview>(row.body)
  }

  return {
    async putGate(gate) {
      const row = { hash: gate.version, body: toJson(gate) }
      await write((db) =>
        db
          .insertInto('governance_gates')
          .values(row)
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      )
    },
    async gate(hash) {
      const row = await read()
        .selectFrom('governance_gates')
        .select('body')
        .where('hash', '=', hash)
        .executeTakeFirst()
      return row && fromJson<CompiledGatePolicy>(row.body)
    },

    async putInventory(entry) {
      const row = { model: entry.model, body: toJson(entry) }
      await write((db) => db.replaceInto('governance_inventory').values(row).execute())
    },
    async inventoryEntry(model) {
      const row = await read()
        .selectFrom('governance_inventory')
        .select('body')
        .where('model', '=', model)
        .executeTakeFirst()
      return row && fromJson<InventoryEntry>(row.body)
    },
    async inventory() {
      const rows = await read()
        .selectFrom('governance_inventory')
        .select('body')
        .orderBy('model')
        .execute()
      return rows.map((row) => fromJson<InventoryEntry>(row.body))
    },

    async insertGateRun(run) {
      const { model, version } = run
      const row = { sequence: undefined, model, version, body: toJson(run) }
      await write((db) => db.insertInto('governance_gate_runs').values(row).execute())
    },
    latestGateRun: async (model, version) => (await gateRuns(model, version, 1))[0],
    gateRuns: (model, version) => gateRuns(model, version),

    async insertApproval(approval) {
      const { model, version } = approval
      const row = { sequence: undefined, model, version, body: toJson(approval) }
      await write((db) => db.insertInto('governance_approvals').values(row).execute())
    },
    async approvals(model, version) {
      const rows = await read()
        .selectFrom('governance_approvals')
        .select('body')
        .where('model', '=', model)
        .where('version', '=', version)
        .orderBy('sequence')
        .execute()
      return rows.map((row) => fromJson<Approval>(row.body))
    },

    async insertAfterReview(review) {
      const row = { sequence: undefined, id: review.id, open: 1, body: toJson(review) }
      await write((db) => db.insertInto('governance_after_reviews').values(row).execute())
    },
    afterReview,
    async afterReviews({ open, limit }) {
      let rows = read().selectFrom('governance_after_reviews').select('body')
      if (open) rows = rows.where('open', '=', 1)
      const found = await rows.orderBy('sequence', 'desc').limit(limit).execute()
      return found.map((row) => fromJson<AfterReview>(row.body))
    },
    async signAfterReview(id, signed) {
      const body = toJson({ ...(await afterReview(id)), signed })
      await write((db) =>
        db
          .updateTable('governance_after_reviews')
          .set({ open: 0, body })
          .where('id', '=', id)
          .execute(),
      )
    },
  }
}
