// The role that keeps: page and API, metadata, audit log, and the read model of decisions.
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Access, AccessSnapshot, Identity } from '../access/index.ts'
import { createFolderArtifacts } from '../adapters/folder/index.ts'
import { isOnnxRuntimeInstalled } from '../adapters/onnx/index.ts'
import {
  createCaseDesk,
  createCaseWork,
  createArrivals,
  createProjector,
  createSetAsideDesk,
  createSetAsideSink,
  directoryDeployments,
  type DecideRemote,
} from '../decisions/index.ts'
import { writeFileAtomic } from '../lib/files.ts'
import { systemIds } from '../lib/ids.ts'
import { listenLocally, remote, serveRpc } from '../lib/rpc.ts'
import type { LogStreams } from '../logs/index.ts'
import { createChallengerTests, createDriftSink } from '../monitoring/index.ts'
import {
  markBrokenOff,
  markInterrupted,
  openLogs,
  type BacktestsRemote,
  type LearningRemote,
  type WorkRemote,
  type PipelineRemote,
} from '../pipelines/index.ts'
import {
  basePath,
  homeAt,
  learnsAndDecides,
  lockRole,
  type DeclaredProject,
  type Home,
} from '../projects/index.ts'
import { deploymentsDirectory, type ModelsRemote } from '../server/decide/index.ts'
import {
  createDiskWatch,
  createKeepApp,
  keepHandlers,
  onAir,
  placeOf,
  sessionView,
  type ParquetWriter,
  type Rooms,
} from '../server/keep/index.ts'
import { openActions } from './actions.ts'
import { version, type RoleConfig } from './config.ts'
import { createCanary } from './canary.ts'
import { createDeployer, type DeployerPorts } from './deployer.ts'
import { rolesErrors } from './errors.ts'
import { housekeepingOfKeep, keepHouse } from './housekeeping.ts'
import { backtestFiles } from './backtest-files.ts'
import { createJournalRetention } from './journal-retention.ts'
import { createLearningFiles } from './learning-files.ts'
import { isRunnerAlive, wakingDesk } from './pipeline-control.ts'
import { openPolicies } from './policies.ts'
import { pipelineFolders } from './pipeline-folders.ts'
import { roleLog, troubleTeller } from './log.ts'
import { openMetadata, type Metadata, type MetadataEvents } from './metadata.ts'
import { createModelReader } from './model-reader.ts'
import { openReferences } from './references.ts'
import { createSealRecorder } from './seals.ts'
import { modelsReady, partakers } from './outside-deployed.ts'
import { createServedPublisher, type ServedPublisher } from './served-publisher.ts'
import { servicesForCommands, servicesForWork } from './services.ts'

export interface RunningRole {
  /** What the supervisor passes on to the terminal. */
  readonly detail?: unknown
  stop(): Promise<void>
}

/** Between two looks at what is to be told of decisions. */
const ACTIONS_EVERY_MS = 250
/** Between two looks at what is due: labels of verdicts, sealed segments, deployments. */
const CHORES_EVERY_MS = 1000
const RETENTION_TIMEOUT_MS = 3_600_000
/** Between two looks at how challengers do. */
const CHALLENGERS_EVERY_MS = 10_000

export interface KeptHome {
  readonly home: Home
  readonly log: ReturnType<typeof roleLog>
  /** Folder of the built page. */
  readonly page: string
  readonly onAccessChanged?: MetadataEvents['onAccessChanged']
  readonly onVersion?: MetadataEvents['onVersion']
  /** Who asks where a request names nobody; without it such a request is refused. */
  readonly openTo?: (metadata: Metadata) => Promise<Identity>
  readonly modelsReady?: DeployerPorts['modelsReady']
  /** Writes exports; `work` does so where nothing else is named. */
  readonly parquet?: ParquetWriter
}

/** Opens what a home keeps, and the app over it, which listens on nothing yet. */
export async function openKeep(kept: KeptHome) {
  const { home, log, page, onAccessChanged, onVersion, openTo, parquet, modelsReady } = kept
  const metadata = await openMetadata(home, {
    ...(onAccessChanged && { onAccessChanged }),
    ...(onVersion && { onVersion }),
    onLineageError: troubleTeller(log)('Telling of lineage'),
  })
  const decide = remote<DecideRemote>(home.socket('decide'), 'decide')
  const work = remote<WorkRemote>(home.socket('work'), 'work')
  const learning = remote<LearningRemote>(home.socket('work'), 'learning')
  let project: DeclaredProject | undefined = (await metadata.projects.current())?.project
  const { stores } = metadata
  const documents = directoryDeployments(deploymentsDirectory(home))
  const policies = openPolicies({
    metadata,
    decide,
    documents,
    deployPolicy: (policy, by) => deployer.deployPolicy(policy, by),
    runShadow: (...shadow) => deployer.runShadow(...shadow),
    namespace: async () => (await onAir({ decide, clock: metadata.clock })).namespace,
    backtestOf: (version) => backtestFiles(home).newestOf(version),
  })
  const deployer = createDeployer({
    ...metadata,
    directory: deploymentsDirectory(home),
    project: () => (project && learnsAndDecides(project) ? project : undefined),
    decide,
    keptPolicy: (policy) => policies.drafts.keptPolicy(policy),
    ...(modelsReady && { modelsReady }),
    baseOf: async (document) => {
      const published = await documents.read(document)
      if (published === undefined)
        throw rolesErrors.document_missing(`${document} is not published.`)
      return basePath(home, published.policy.featureSets)
    },
  })
  const caseDesk = createCaseDesk({
    store: stores.decisions,
    decide,
    clock: metadata.clock,
    labelsOf: () => verdictLabels(project),
  })
  const cases = createCaseWork({
    store: stores.decisions,
    desk: caseDesk,
    unit: stores.unit,
    audit: metadata.audit,
    clock: metadata.clock,
    settingsOf: policies.caseSettings,
  })
  const pipelineWork = remote<PipelineRemote>(home.socket('work'), 'pipelines')
  const models = createModelReader()
  const hasOnnxRuntime = isOnnxRuntimeInstalled()
  const onError = troubleTeller(log)('Telling of decisions')
  const actions = openActions({ home, metadata, decide, onError })
  const disk = createDiskWatch({
    decide: home.decide,
    database: home.database,
    decisions: () =>
      decide.namespaces().then(
        (all) => all.reduce((sum, { decisions }) => sum + decisions, 0),
        () => null,
      ),
    clock: metadata.clock,
    onError: troubleTeller(log)('Measuring the disk'),
  })
  const arrivals = createArrivals({ store: stores.decisions })
  const rooms: Rooms = {
    ...metadata,
    disk,
    ...deployer,
    ...policies,
    decisions: stores.decisions,
    challengerTests: createChallengerTests({ ...metadata, decisions: stores.decisions }),
    arrivals,
    cases,
    actions,
    setAside: createSetAsideDesk({
      ...metadata,
      store: stores.setAside,
      unit: stores.unit,
      decide,
    }),
    drift: stores.drift,
    references: openReferences(home),
    decide,
    work,
    logs: remote<LogStreams>(home.socket('work'), 'logs'),
    pipelineWork,
    pipelineDesk: wakingDesk(
      metadata.pipelineDesk,
      pipelineWork,
      troubleTeller(log)('Waking a pipeline run'),
    ),
    pipelineLogs: openLogs(pipelineFolders(home).logs),
    backtests: remote<BacktestsRemote>(home.socket('work'), 'backtests'),
    learning,
    learningFiles: createLearningFiles({
      home,
      describe: learning.describe,
      ids: systemIds,
      clock: metadata.clock,
    }),
    describeLogged: (files) => models.describe(files, { hasOnnxRuntime }),
    project: () => project,
  }
  await markInterrupted(metadata.pipelines, metadata.clock)
  const { pipelineEngine: store, clock } = metadata
  await markBrokenOff(metadata.pipelines, { store, clock, isAlive: isRunnerAlive })
  const nobody = await openTo?.(metadata)
  const app = await createKeepApp({
    access: nobody === undefined ? metadata.access : openAccess(metadata.access, nobody),
    handlers: keepHandlers(rooms),
    session: async (identity) => {
      const view = await sessionView(rooms, identity, version)
      return nobody === undefined ? view : { ...view, ephemeral: true }
    },
    artifact: (runId, name) => {
      const { owner, path } = placeOf(runId, name)
      return metadata.tracking.files.open(owner, path)
    },
    pageDirectory: page,
    version,
    arrivals,
    parquet: parquet ?? ((names, rows) => work.parquet(names, rows)),
    mlflow: { rooms: metadata, openTo: nobody },
    onDefect: (error, { method, url }) => log.error({ error, method, url }, 'A request failed'),
  })
  const withWebhooks = troubleTeller(log)('Telling webhooks')
  const stopping = new AbortController()
  const telling = every(CHORES_EVERY_MS, async () => {
    await metadata.webhooks.deliverDue(stopping.signal).catch(withWebhooks)
  })
  app.addHook('onClose', async () => {
    disk.stop()
    stopping.abort()
    await telling.stop()
    await models.close()
  })
  await app.ready()
  return {
    metadata,
    deployer,
    policies,
    actions,
    rooms,
    app,
    caseDesk,
    apply: async (...[applied, by]: Parameters<Metadata['projects']['apply']>) => {
      await metadata.projects.apply(applied, by)
      project = applied
    },
  }
}

export async function startKeep(config: RoleConfig): Promise<RunningRole> {
  const home = homeAt(config.home)
  const log = roleLog('keep', config)
  const trouble = troubleTeller(log)
  const release = await lockRole(home, 'keep', sleep)
  const publishAccess = accessPublisher(home, trouble('Publishing keys'))
  let versionsMoved = true
  const { metadata, deployer, policies, actions, rooms, app, caseDesk, apply } = await openKeep({
    home,
    log,
    page: config.page,
    onAccessChanged: () => publishAccess(() => metadata.access.snapshot()),
    onVersion: () => {
      versionsMoved = true
    },
    modelsReady: (document) => modelsReady(document, served, models),
  })
  const { stores } = metadata
  await publishAccess(() => metadata.access.snapshot())

  const onDefect = (error: unknown, call: string) => log.error({ error, call }, 'A call failed')
  const ofWork = { ...servicesForWork(metadata, deployer), projects: { apply } }
  const forWork = await serveRpc(home.socket('keep'), ofWork, { onDefect })
  const { pipelineDesk } = rooms
  const sinks = [
    stores.decisions,
    createSetAsideSink(stores.setAside),
    createDriftSink({ store: stores.drift, referenceOf: rooms.references.ofDeployment }),
  ] as const
  const seals = createSealRecorder({ decide: rooms.decide, audit: metadata.audit })
  const retention = createJournalRetention({
    ...metadata,
    // Reading what is to go may take long.
    decide: remote(home.socket('decide'), 'decide', { timeoutMs: RETENTION_TIMEOUT_MS }),
    followers: [
      { name: 'the list of decisions', position: (of) => sinks[0].position(of) },
      { name: 'the list of set-aside messages', position: (of) => sinks[1].position(of) },
      { name: 'drift', position: (of) => sinks[2].position(of) },
    ],
    actions,
    actionStore: stores.actions,
    recordSeals: () => seals.record(),
  })
  const swept: Pick<ServedPublisher, 'sweep'> = { sweep: (options) => served.sweep(options) }
  const kept = { ...metadata, retention, served: swept }
  const house = keepHouse((options) => housekeepingOfKeep(kept, options), config.housekeeping, {
    clock: metadata.clock,
    log,
    sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
  })
  const ofCommands = {
    ...servicesForCommands({ ...metadata, pipelineDesk }),
    actions,
    setAside: rooms.setAside,
    housekeeping: { run: house.run },
    retention,
  }
  const forCommands = await serveRpc(home.socket('admin'), ofCommands, { onDefect })
  // The front door bounds how long a request may take to arrive; large files may take longer than
  // Node would give them here.
  const door = createServer({ requestTimeout: 0 }, (request, response) =>
    app.routing(request, response),
  )
  await listenLocally(door, home.socket('page'))

  const projector = createProjector({
    decide: rooms.decide,
    sinks,
    onApplied: () => rooms.arrivals.moved(),
    onError: trouble('Reading the journal'),
  })
  projector.start()
  const stopping = new AbortController()
  let told: Promise<unknown> = Promise.resolve()
  const withActions = trouble('Telling of decisions')
  const telling = every(ACTIONS_EVERY_MS, async () => {
    const begun = await actions.begin(stopping.signal).catch(withActions)
    if (begun !== undefined) told = Promise.all([told, begun.ended])
  })
  const withCases = trouble('Putting alerts into cases')
  const withLabels = trouble('Sending labels of verdicts')
  const withDeployments = trouble('Bringing decide to what is deployed')
  const withPolicies = trouble('Carrying out changes of policies')
  const served = createServedPublisher({
    directory: home.published,
    haveMoved: () => {
      const moved = versionsMoved
      versionsMoved = false
      return moved
    },
    registry: metadata.registry,
    sources: {
      modelJson: (model, number) => metadata.registry.modelJson(model, number),
      file: createFolderArtifacts({ directory: home.artifacts }).get,
    },
    deployed: async () => partakers(await metadata.serving.history()),
  })
  const models = remote<ModelsRemote>(home.socket('decide'), 'models')
  const withServed = trouble('Publishing served models')
  const withSeals = trouble('Recording sealed segments')
  const canary = createCanary({
    ...metadata,
    decisions: stores.decisions,
    deployer,
    namespace: async () => (await onAir(rooms)).namespace,
  })
  const withChallengers = trouble('Looking after challengers')
  const watch = every(CHALLENGERS_EVERY_MS, () => canary.look().catch(withChallengers))
  const chores = every(CHORES_EVERY_MS, async () => {
    // One that fails must not hold up the others.
    await rooms.cases.gather().catch(withCases)
    await caseDesk.sendDueLabels().catch(withLabels)
    await deployer.reconcile().catch(withDeployments)
    await policies.chores().catch(withPolicies)
    await seals.record().catch(withSeals)
    await served.publish().catch(withServed)
  })
  return {
    stop: async () => {
      stopping.abort()
      await house.stop()
      await telling.stop()
      await told
      await chores.stop()
      await watch.stop()
      await projector.stop()
      door.closeAllConnections()
      door.close()
      await app.close()
      await forWork.close()
      await forCommands.close()
      await metadata.audit.checkpoint()
      await metadata.close()
      release()
    },
  }
}

/** Access in which whoever proves nothing, or something unknown, is one identity that may ask. */
function openAccess(access: Access, nobody: Identity): Access {
  return {
    ...access,
    authenticate: async (credentials) => (await access.authenticate(credentials)) ?? nobody,
  }
}

/** Writes the snapshot of hashes that `decide` authenticates with; writes follow one another. */
function accessPublisher(home: Home, tell: (error: unknown) => void) {
  const file = join(home.published, 'access.json')
  let last: Promise<void> = Promise.resolve()
  return (snapshot: () => Promise<AccessSnapshot>): Promise<void> => {
    last = last
      .then(async () => writeFileAtomic(file, Buffer.from(JSON.stringify(await snapshot()))))
      .catch(tell)
    return last
  }
}

function verdictLabels(project: DeclaredProject | undefined) {
  const labels = project?.labels[0]
  if (labels === undefined) return undefined
  const other = Object.keys(labels.values).find((value) => value !== labels.positive)
  return { labels: labels.name, fraud: labels.positive, genuine: other ?? labels.positive }
}

/** Repeats an act, which must not fail, with a pause after each time. */
function every(pauseMs: number, act: () => Promise<void>): { stop(): Promise<void> } {
  let stopped = false
  let wake: () => void = () => {}
  const loop = (async () => {
    while (!stopped) {
      await act()
      if (stopped) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  })()
  return {
    stop: () => {
      stopped = true
      wake()
      return loop
    },
  }
}
