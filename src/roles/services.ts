// What `keep` offers over local sockets. Commands are typed by whoever owns the machine's home and
// get what they need; `work` runs project code and is offered nothing by which it could speak for
// people: no identities but scripts, no keys, no statuses, no verdicts but those of scripts.
import { systemActor } from '../access/index.ts'
import { recordBackups } from './backup/record.ts'
import type { Deployer } from './deployer.ts'
import { rolesErrors } from './errors.ts'
import type { Metadata } from './metadata.ts'

/** The services that `work` uses, as seen from there. */
export type ServicesForWork = ReturnType<typeof servicesForWork>

export function servicesForWork(metadata: Metadata, deployer: Deployer) {
  const { access, tracking, registry, governance, catalog, quarantine, pipelines } = metadata
  const { begin, beginBackfill, endBackfill } = metadata.pipelineDesk
  const { history, find, retire, keptHashes, recordCleaning } = metadata.versions
  const { registerVersion, version, searchVersions, modelJson, liveHistory } = registry
  const { enrol, examine, standing } = governance
  return {
    access: {
      ensureIdentity: async (...[identity, by]: Parameters<typeof access.ensureIdentity>) => {
        if (identity.kind !== 'script')
          throw rolesErrors.verdict_not_by_script(`${identity.name} is no script.`)
        return access.ensureIdentity(identity, by)
      },
    },
    tracking,
    registry: {
      registerVersion,
      version,
      searchVersions,
      modelJson,
      liveHistory,
    },
    governance: {
      enrol,
      examine,
      standing,
      // Governance accepts a script's verdict in an example alone.
      giveVerdict: async (...[request, identityId]: Parameters<typeof governance.giveVerdict>) => {
        const identity = await access.identity(identityId)
        if (identity?.kind !== 'script') {
          throw rolesErrors.verdict_not_by_script(`${identityId} is no script.`)
        }
        return governance.giveVerdict(request, identityId)
      },
    },
    catalog,
    quarantine,
    // Which versions there are, and cleaning as people have set it; no tags, holds or roll-backs.
    versions: { history, find, retire, keptHashes, recordCleaning },
    pipelines,
    pipelineEngine: engineForWork(metadata.pipelineEngine),
    resultKeeper: metadata.resultKeeper,
    pipelineDesk: { begin, beginBackfill, endBackfill },
    deployer: {
      deployVersion: (model: string, number: number) =>
        deployer.deployVersion(model, number, {
          actor: systemActor,
          reason: 'The pipeline sends what was approved to traffic',
        }),
      reconcile: () => deployer.reconcile(),
    },
  }
}

/** All but what people say: their answers, and that a run is to end. */
function engineForWork(engine: Metadata['pipelineEngine']) {
  const { answer: _answer, cancel: _cancel, ...rest } = engine
  return rest
}

/** The services of commands that run beside a server. */
export function servicesForCommands(metadata: Metadata) {
  const { access, tracking, runViews, registry, pipelines, catalog, quarantine, audit, projects } =
    metadata
  return {
    access: {
      ...access,
      firstStart: async () => {
        const issued = await access.firstStart()
        if (issued !== undefined) await audit.checkpoint()
        return issued
      },
    },
    tracking,
    runViews,
    registry,
    pipelines,
    pipelineEngine: metadata.pipelineEngine,
    pipelineDesk: metadata.pipelineDesk,
    catalog,
    quarantine,
    versions: metadata.versions,
    projects: { at: projects.at },
    backups: recordBackups(metadata),
    auditor: {
      export: async () => {
        const lines: string[] = []
        for await (const line of audit.export()) lines.push(line)
        return { lines, publicKey: audit.publicKey }
      },
    },
  }
}
