// The rooms behind SQLite, put together once for the server's `keep` and for commands that run
// without a server. Whoever calls this is the only writer of the home directory.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAccess, type AccessChanged } from '../access/index.ts'
import { createFolderArtifacts, createFolderParts, sweepFolder } from '../adapters/folder/index.ts'
import { openSqlite } from '../adapters/sqlite/index.ts'
import { createAuditLog, createCheckpointSigner, generateSigningKey } from '../audit/index.ts'
import { auditedStores, createDataVersions } from '../data/index.ts'
import { isApprovedDraft } from '../decisions/index.ts'
import { createAfterReviews, createGovernance } from '../governance/index.ts'
import { systemClock } from '../lib/clock.ts'
import { systemIds, systemRandomBytes } from '../lib/ids.ts'
import { createOpenLineage, createPipelineDesk, createResultKeeper } from '../pipelines/index.ts'
import { createProjects, type Home } from '../projects/index.ts'
import {
  createModelFiles,
  createRegistry,
  createSeal,
  createTrackingSources,
  createWebhooks,
  createWebhookSender,
  isPrompt,
} from '../registry/index.ts'
import { createChallengers, createDeployments, type DeploymentChanged } from '../serving/index.ts'
import { createRunViews, createTracking } from '../tracking/index.ts'
import { version as assayVersion } from './config.ts'
import { dataInUse } from './data-in-use.ts'
import { openLineageOut, producerOf, tellLineage } from './open-lineage.ts'

export interface MetadataEvents {
  readonly onAccessChanged?: (event: AccessChanged) => unknown
  readonly onDeployment?: (event: DeploymentChanged) => void
  /** A version was registered, or its status moved. */
  readonly onVersion?: () => void
  /** Events of lineage that could not be kept or sent. */
  readonly onLineageError?: (error: unknown) => void
}

export type Metadata = Awaited<ReturnType<typeof openMetadata>>

export async function openMetadata(home: Home, events: MetadataEvents = {}) {
  const stores = openSqlite(home.database)
  const { unit } = stores
  const clock = systemClock
  const ids = systemIds
  const signer = createCheckpointSigner(signingKey(home), originOf(home))
  const audit = await createAuditLog(stores.audit, { clock, ids, signer, unit })
  const common = { unit, audit, clock, ids }
  const access = createAccess({
    ...common,
    store: stores.access,
    random: systemRandomBytes,
    ...(events.onAccessChanged && { emit: events.onAccessChanged }),
  })
  const uploads = join(home.artifacts, 'uploads')
  // What a killed process was writing; nobody else writes here now.
  for (const directory of [home.artifacts, home.models, uploads]) await sweepFolder(directory)
  const tracking = createTracking({
    ...common,
    store: stores.tracking,
    artifacts: createFolderArtifacts({ directory: home.artifacts }),
    parts: createFolderParts({ directory: uploads }),
    random: systemRandomBytes,
    isKept: async (id) =>
      (await stores.registry.cameOf({ runId: id })) ||
      (await stores.registry.cameOf({ loggedModelId: id })),
  })
  const policy = { allowPrivate: process.env['ASSAY_WEBHOOKS_PRIVATE'] === 'allow' }
  const sendWebhook = createWebhookSender(policy)
  const webhooks = createWebhooks({
    ...common,
    store: stores.webhooks,
    policy,
    seal: createSeal(webhookKey(home), systemRandomBytes),
    send: sendWebhook,
    isPrompt: async (name) => {
      const model = await stores.registry.model(name)
      return model !== undefined && isPrompt(model)
    },
  })
  const lineage = createOpenLineage({
    namespace: originOf(home),
    producer: producerOf(assayVersion),
    nowUs: () => clock.nowUs(),
  })
  const lineageOut = openLineageOut({
    directory: join(home.root, 'lineage'),
    url: process.env['ASSAY_OPENLINEAGE_URL'],
    key: secretOf(home, 'openlineage-key'),
    onError: events.onLineageError ?? (() => {}),
  })
  const told = tellLineage(
    { runs: stores.pipelines, engine: stores.pipelineEngine },
    lineage,
    lineageOut,
  )
  const models = createFolderArtifacts({ directory: home.models, extension: '.json' })
  const registry = createRegistry({
    ...common,
    emit: (event) => {
      events.onVersion?.()
      if (event.type !== 'registry.version-registered') return
      void stores.registry
        .version(event.model, event.version)
        .then((version) => version && lineageOut.tell(lineage.ofVersion(version)))
    },
    store: stores.registry,
    models,
    sources: createTrackingSources(tracking),
    notify: webhooks.notify,
    renameObstacle: async (model) =>
      (await stores.governance.inventoryEntry(model)) &&
      `${model} stands in the inventory; its gate runs, approvals and deployments cite that name.`,
  })
  const runViews = createRunViews({ ...common, store: stores.runViews })
  const governance = createGovernance({ ...common, store: stores.governance, registry, access })
  const afterReviews = createAfterReviews({ ...common, store: stores.governance, access })
  const serving = createDeployments({
    ...common,
    store: stores.deployments,
    registry,
    governance,
    afterReviews,
    isPolicyApproved: (policy, hash) => isApprovedDraft(stores.decisionPolicies, policy, hash),
    ...(events.onDeployment && { emit: events.onDeployment }),
  })
  const challengers = createChallengers({
    ...common,
    store: stores.deployments,
    deployments: serving,
    registry,
    governance,
    access,
    afterReviews,
  })
  const data = auditedStores(
    { catalog: stores.catalog, quarantine: stores.quarantine },
    { unit, audit },
  )
  const versions = createDataVersions({
    ...common,
    store: stores.versions,
    catalog: stores.catalog,
    inUse: () => dataInUse(registry, stores.pipelines),
  })
  const projects = createProjects({ ...common, store: stores.projects })
  const pipelineDesk = createPipelineDesk({
    ...common,
    store: told.engine,
    runs: told.runs,
    access,
  })
  return {
    stores,
    unit,
    ids,
    clock,
    audit,
    access,
    tracking,
    runViews,
    registry,
    webhooks,
    sendWebhook,
    governance,
    afterReviews,
    serving,
    challengers,
    catalog: data.catalog,
    quarantine: data.quarantine,
    versions,
    projects,
    pipelines: told.runs,
    pipelineEngine: told.engine,
    pipelineDesk,
    modelFiles: createModelFiles({ unit, audit, store: stores.registry, models }),
    resultKeeper: createResultKeeper({ unit, audit, heldElsewhere: () => registry.dataNamed() }),
    async close() {
      await lineageOut.stop()
      await stores.close()
    },
  }
}

// The key is made with the home; without it no later checkpoint can continue the log.
function signingKey(home: Home): string {
  const file = join(home.secrets, 'audit-signing-key.pem')
  if (!existsSync(file)) {
    writeFileSync(file, generateSigningKey(), { mode: 0o600, flag: 'wx' })
    chmodSync(file, 0o600)
  }
  return readFileSync(file, 'utf8')
}

/** A secret that somebody put there; undefined where there is none. */
function secretOf(home: Home, name: string): string | undefined {
  const file = join(home.secrets, name)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

/** What secrets of webhooks are sealed with; a copy of the metadata file alone does not show them. */
function webhookKey(home: Home): Buffer {
  const file = join(home.secrets, 'webhook-key')
  if (!existsSync(file)) {
    const key = Buffer.from(systemRandomBytes(32)).toString('base64')
    writeFileSync(file, key, { mode: 0o600, flag: 'wx' })
  }
  return Buffer.from(readFileSync(file, 'utf8'), 'base64')
}

function originOf(home: Home): string {
  const file = join(home.root, 'keep', 'log-origin')
  if (!existsSync(file)) writeFileSync(file, `assay/${systemIds('log')}`)
  return readFileSync(file, 'utf8').trim()
}
