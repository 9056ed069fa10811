// The rooms behind SQLite, put together once for the server's `keep` and for commands that run
// without a server. Whoever calls this is the only writer of the home directory.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAccess, type AccessChanged } from '../access/index.ts'
import { createFolderArtifacts } from '../adapters/folder/index.ts'
import { openSqlite } from '../adapters/sqlite/index.ts'
import { createAuditLog, createCheckpointSigner, generateSigningKey } from '../audit/index.ts'
import { auditedStores } from '../data/index.ts'
import { createGovernance } from '../governance/index.ts'
import { systemClock } from '../lib/clock.ts'
import { systemIds, systemRandomBytes } from '../lib/ids.ts'
import { createProjects, type Home } from '../projects/index.ts'
import { createRegistry } from '../registry/index.ts'
import { createDeployments, type DeploymentChanged } from '../serving/index.ts'
import { createTracking } from '../tracking/index.ts'

export interface MetadataEvents {
  readonly onAccessChanged?: (event: AccessChanged) => unknown
  readonly onDeployment?: (event: DeploymentChanged) => void
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
  const tracking = createTracking({
    ...common,
    store: stores.tracking,
    artifacts: createFolderArtifacts({ directory: home.artifacts }),
  })
  const registry = createRegistry({
    ...common,
    store: stores.registry,
    models: createFolderArtifacts({ directory: home.models, extension: '.json' }),
  })
  const governance = createGovernance({ ...common, store: stores.governance, registry, access })
  const serving = createDeployments({
    ...common,
    store: stores.deployments,
    registry,
    governance,
    ...(events.onDeployment && { emit: events.onDeployment }),
  })
  const data = auditedStores(
    { catalog: stores.catalog, quarantine: stores.quarantine },
    { unit, audit },
  )
  const projects = createProjects({ ...common, store: stores.projects })
  return {
    stores,
    clock,
    audit,
    access,
    tracking,
    registry,
    governance,
    serving,
    catalog: data.catalog,
    quarantine: data.quarantine,
    projects,
    pipelines: stores.pipelines,
    close: () => stores.close(),
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

function originOf(home: Home): string {
  const file = join(home.root, 'keep', 'log-origin')
  if (!existsSync(file)) writeFileSync(file, `assay/${systemIds('log')}`)
  return readFileSync(file, 'utf8').trim()
}
