/**
 * The metadata adapter: every room's store in one SQLite file, through Kysely on `node:sqlite`.
 *
 * What always holds: one process has the file open for writing; a change and its audit entry are
 * one transaction, on disk before it is answered; each room's tables are touched by its store alone
 * and migrate forward by themselves.
 */
import { accessMigrations, createSqliteAccessStore } from './access.ts'
import { auditMigrations, createSqliteAuditStore } from './audit.ts'
import { openDatabase } from './database.ts'
import { createSqlitePolicyStore, decisionPoliciesMigrations } from './decision-policies.ts'
import { createSqliteVersions } from './datasets-versions.ts'
import { createSqliteCatalog, createSqliteQuarantine, dataMigrations } from './datasets.ts'
import { createSqliteReadModel, decisionsMigrations } from './decisions.ts'
import { actionMigrations, createSqliteActionStore } from './decision-actions.ts'
import { createSqliteDeploymentStore, servingMigrations } from './deployments.ts'
import { createSqliteDriftCounts, monitoringMigrations } from './drift-counts.ts'
import { createSqliteGovernanceStore, governanceMigrations } from './governance.ts'
import type { RoomMigrations } from './migrations.ts'
import { createSqlitePipelineEngine } from './pipeline-engine.ts'
import { createSqlitePipelineRuns, pipelineMigrations } from './pipelines.ts'
import { createSqliteProjectStore, projectMigrations } from './projects.ts'
import { createSqliteRegistryStore, registryMigrations } from './registry.ts'
import { createSqliteWebhookStore, webhookMigrations } from './registry-webhooks.ts'
import { createSqliteSetAside, setAsideMigrations } from './set-aside.ts'
import { trackingFilesMigrations } from './tracking-files.ts'
import { createSqliteTrackingStore, trackingMigrations } from './tracking.ts'
import { createSqliteRunViews, trackingViewsMigrations } from './tracking-views.ts'

/** In the order in which they are brought forward. */
const rooms: readonly RoomMigrations[] = [
  auditMigrations,
  accessMigrations,
  dataMigrations,
  trackingMigrations,
  trackingFilesMigrations,
  trackingViewsMigrations,
  registryMigrations,
  webhookMigrations,
  governanceMigrations,
  servingMigrations,
  decisionsMigrations,
  decisionPoliciesMigrations,
  actionMigrations,
  setAsideMigrations,
  monitoringMigrations,
  pipelineMigrations,
  projectMigrations,
]

export type SqliteStores = ReturnType<typeof openSqlite>

/**
 * Opens the metadata file (`keep/assay.sqlite` in the home directory), making it where there is
 * none. Fails with `metadata_unreadable` or `metadata_newer`.
 */
export function openSqlite(path: string) {
  const database = openDatabase(path, rooms)
  const pipelines = createSqlitePipelineRuns(database)
  return {
    unit: database.unit,
    audit: createSqliteAuditStore(database),
    access: createSqliteAccessStore(database),
    catalog: createSqliteCatalog(database),
    quarantine: createSqliteQuarantine(database),
    versions: createSqliteVersions(database),
    tracking: createSqliteTrackingStore(database),
    runViews: createSqliteRunViews(database),
    registry: createSqliteRegistryStore(database),
    webhooks: createSqliteWebhookStore(database),
    governance: createSqliteGovernanceStore(database),
    deployments: createSqliteDeploymentStore(database),
    decisions: createSqliteReadModel(database),
    decisionPolicies: createSqlitePolicyStore(database),
    actions: createSqliteActionStore(database),
    setAside: createSqliteSetAside(database),
    drift: createSqliteDriftCounts(database),
    pipelines,
    pipelineEngine: createSqlitePipelineEngine(database, pipelines),
    projects: createSqliteProjectStore(database),
    close: () => database.close(),
  }
}

/** The version of each room's tables that this version of Assay works with. */
export function metadataVersions(): Readonly<Record<string, number>> {
  return Object.fromEntries(rooms.map(({ room, migrations }) => [room, migrations.length]))
}

export { sqliteErrors } from './errors.ts'
export { checkDatabase, freezeDatabase, type FrozenDatabase } from './frozen.ts'
