import type { Kysely } from 'kysely'
import type {
  ActionCursor,
  ActionKey,
  ActionStore,
  CompiledAction,
  DeadLetter,
} from '../../decisions/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const actionMigrations: RoomMigrations = {
  room: 'decision-actions',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE decision_action_cursors (
          namespace TEXT NOT NULL, policy TEXT NOT NULL, action TEXT NOT NULL,
          through INTEGER NOT NULL, attempts INTEGER NOT NULL, nextAtUs INTEGER NOT NULL,
          lastError TEXT, delivered INTEGER NOT NULL, declared TEXT NOT NULL,
          declaredAt INTEGER NOT NULL,
          PRIMARY KEY (namespace, policy, action)) STRICT, WITHOUT ROWID;
        CREATE TABLE decision_action_letters (
          namespace TEXT NOT NULL, policy TEXT NOT NULL, action TEXT NOT NULL,
          sequence INTEGER NOT NULL, eventId TEXT NOT NULL, attempts INTEGER NOT NULL,
          error TEXT NOT NULL, diedAtUs INTEGER NOT NULL, redrive INTEGER NOT NULL,
          PRIMARY KEY (namespace, policy, action, sequence)) STRICT, WITHOUT ROWID;
        CREATE TABLE decision_action_deployments (
          deployment TEXT PRIMARY KEY, actions TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
    },
  ],
}

interface CursorRow extends Omit<ActionCursor, 'declared'> {
  readonly declared: string
}

interface LetterRow extends Omit<DeadLetter, 'redrive'> {
  readonly redrive: number
}

interface Tables {
  decision_action_cursors: CursorRow
  decision_action_letters: LetterRow
  decision_action_deployments: { deployment: string; actions: string }
}

export function createSqliteActionStore(database: SqliteDatabase): ActionStore {
  const read = () => database.reader<Tables>()
  const write = <T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> =>
    database.write<Tables, T>(work)

  return {
    async cursors() {
      const rows = await read()
        .selectFrom('decision_action_cursors')
        .selectAll()
        .orderBy('namespace')
        .orderBy('policy')
        .orderBy('action')
        .execute()
      return rows.map((row) => ({ ...row, declared: fromJson<CompiledAction>(row.declared) }))
    },
    async declare({ namespace, policy, action }, compiled, declaredAt) {
      const declared = toJson(compiled)
      const begin = { attempts: 0, nextAtUs: 0, lastError: null, delivered: 0 }
      const row = { namespace, policy, action, through: declaredAt, ...begin, declared, declaredAt }
      await write((db) =>
        db
          .insertInto('decision_action_cursors')
          .values(row)
          .onConflict((known) =>
            known.columns(['namespace', 'policy', 'action']).doUpdateSet({ declared, declaredAt }),
          )
          .execute(),
      )
    },
    async move({ through, attempts, nextAtUs, lastError, delivered, ...of }, dead) {
      await write(async (db) => {
        await db
          .updateTable('decision_action_cursors')
          .set({ through, attempts, nextAtUs, lastError, delivered })
          .where('namespace', '=', of.namespace)
          .where('policy', '=', of.policy)
          .where('action', '=', of.action)
          .execute()
        if (dead !== undefined) await putLetter(db, dead)
      })
    },
    async saveDead(letter) {
      await write((db) => putLetter(db, letter))
    },
    async removeDead({ namespace, policy, action, sequence }) {
      await write((db) =>
        db
          .deleteFrom('decision_action_letters')
          .where('namespace', '=', namespace)
          .where('policy', '=', policy)
          .where('action', '=', action)
          .where('sequence', '=', sequence)
          .execute(),
      )
    },
    async dead({ of, redrive, afterSequence = 0, limit }) {
      let wanted = read()
        .selectFrom('decision_action_letters')
        .selectAll()
        .where('sequence', '>', afterSequence)
      if (of !== undefined) wanted = wanted.where((eb) => eb.and(named(of)))
      if (redrive === true) wanted = wanted.where('redrive', '=', 1)
      const rows = await wanted.orderBy('sequence').limit(limit).execute()
      return rows.map((row) => ({ ...row, redrive: row.redrive === 1 }))
    },
    async deadCount(of) {
      const row = await read()
        .selectFrom('decision_action_letters')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where((eb) => eb.and(named(of)))
        .executeTakeFirstOrThrow()
      return row.count
    },
    async askRedrive(of, sequences) {
      return write(async (db) => {
        let wanted = db
          .updateTable('decision_action_letters')
          .set({ redrive: 1 })
          .where((eb) => eb.and(named(of)))
        if (sequences !== undefined) wanted = wanted.where('sequence', 'in', [...sequences])
        const { numUpdatedRows } = await wanted.executeTakeFirst()
        return Number(numUpdatedRows)
      })
    },
    async actionsOf(deployment) {
      const row = await read()
        .selectFrom('decision_action_deployments')
        .select('actions')
        .where('deployment', '=', deployment)
        .executeTakeFirst()
      return row && fromJson<CompiledAction[]>(row.actions)
    },
    async keepActions(deployment, declared) {
      const actions = toJson(declared)
      await write((db) =>
        db
          .insertInto('decision_action_deployments')
          .values({ deployment, actions })
          .onConflict((known) => known.column('deployment').doUpdateSet({ actions }))
          .execute(),
      )
    },
  }
}

/** The action itself of whatever names one. */
function named({ namespace, policy, action }: ActionKey): ActionKey {
  return { namespace, policy, action }
}

async function putLetter(db: Kysely<Tables>, letter: DeadLetter): Promise<void> {
  const row = { ...letter, redrive: letter.redrive ? 1 : 0 }
  await db.replaceInto('decision_action_letters').values(row).execute()
}
