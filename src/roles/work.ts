// The role that works: project code, ingestion, training, and the replay of kept-back rows.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemActor, type ChangeBy } from '../access/index.ts'
import {
  duckdbDifferences,
  duckdbParquetRows,
  duckdbSnapshots,
  writeParquet,
} from '../adapters/duckdb/index.ts'
import { cleanSnapshots, compareVersions, type ResubmitPorts } from '../data/index.ts'
import {
  acceptedEvents,
  auditFeatures,
  directoryDeployments,
  readJournalFacts,
  replayDecision,
  type DecideRemote,
} from '../decisions/index.ts'
import { monotonicUs, systemClock } from '../lib/clock.ts'
import { AssayError, isAssayError } from '../lib/errors.ts'
import { createLogStreams, type PlayingProject } from '../logs/index.ts'
import { contentHash } from '../lib/hash.ts'
import { nodeFiles } from '../lib/files.ts'
import { systemIds } from '../lib/ids.ts'
import { remote, serveRpc } from '../lib/rpc.ts'
import {
  createReplay,
  learnFlow,
  markInterrupted,
  otherSnapshots,
  runPipeline,
  writeGraphTables,
  type LiveMaterial,
  type PipelineRun,
  type Replay,
  type ReplayState,
  type WorkRemote,
} from '../pipelines/index.ts'
import {
  codeEnvironment,
  codeRevision,
  homeAt,
  loadDeclarations,
  lockRole,
  type Home,
  type LoadedDeclarations,
  type LoadedProject,
  type Projects,
  basePath,
} from '../projects/index.ts'
import { deploymentsDirectory } from '../server/decide/index.ts'
import type { StartOutcome } from '../cli/index.ts'
import { version, type RoleConfig } from './config.ts'
import type { ServicesForWork } from './services.ts'
import { rolesErrors } from './errors.ts'
import { openBacktestFiles } from './backtest-asked.ts'
import { backtestFiles } from './backtest-files.ts'
import { backtestsInThreads, createBacktests } from './backtests.ts'
import { createFeatureHistory } from './feature-history.ts'
import { createFeaturePresence } from './feature-presence.ts'
import { liveEventsOf } from './graph-tables.ts'
import { startGraphsThread, type GraphsThread } from './graphs-thread.ts'
import { ingestInto } from './ingestion.ts'
import type { RunningRole } from './keep.ts'
import { housekeepingOfWork, keepHouse } from './housekeeping.ts'
import { createLearning } from './learning.ts'
import { pipelineService, startPipelines, type RunningPipelines } from './pipeline-host.ts'
import { readMaterial, saveMaterial } from './live-material.ts'
import { roleLog } from './log.ts'
import { scoreOutside } from './outside-adoption.ts'
import { allowsPrivate } from './outside-runtimes.ts'
import { dataFile, identityOfData } from './project-data.ts'
import { keepReference } from './references.ts'
import { resubmitRows } from './resubmission.ts'
import { tapeOf } from './tape.ts'

export interface WorkMessages {
  /** Every change of the running pipeline. */
  readonly onProgress: (run: PipelineRun) => void
  /** What the pipeline or its absence came to; sent once. */
  readonly onDone: (outcome: StartOutcome) => void
}

const LIVE = 'live'
const MEMORY = { memory: '2GB', threads: 2 }

export async function startWork(config: RoleConfig, messages: WorkMessages): Promise<RunningRole> {
  const home = homeAt(config.home)
  const log = roleLog('work', config)
  const release = await lockRole(home, 'work', sleep)
  const peers = connect(home)
  const ingest = ingestPorts(home, peers)
  const by: ChangeBy = { actor: systemActor, reason: 'Pipeline of the project' }
  let project: LoadedProject | LoadedDeclarations | undefined
  let pipelines: RunningPipelines | undefined
  let replay: Replay | undefined
  const loaded = () => {
    if (project === undefined)
      throw rolesErrors.project_missing('The project is still being loaded.')
    return project
  }
  const prepare = (namespace: string) => prepareNamespace(home, peers, namespace)

  const mayPlay = () => config.replay && project?.compiled.replay !== null
  const startReplay = async (material: LiveMaterial): Promise<Replay | undefined> => {
    const playable = loaded()
    if (!config.replay || !isWhole(playable) || playable.compiled.replay === null) return undefined
    await replay?.stop()
    replay = undefined
    const tape = await tapeOf(playable.compiled, material, ingest.snapshots)
    const { speed } = playable.compiled.replay
    const playing = createReplay(tape, speed === 60 ? '60' : speed > 600 ? 'max' : '600', {
      decide: peers.decide,
      prepare,
      monotonicMs: () => monotonicUs() / 1000,
      sleep: sleep,
    })
    const { namespace, base } = await namespaceOnAir(peers)
    // A namespace that was just being made when its maker fell is made ready first.
    if (namespace !== LIVE && base === null) await prepare(namespace)
    await playing.start(namespace)
    replay = playing
    return playing
  }

  const featureHistory = createFeatureHistory({
    ...ingest,
    journal: join(home.decide, LIVE),
    incoming: home.incoming,
    limits: MEMORY,
  })

  const graphEvents = liveEventsOf(home, ingest)
  let liveGraphs: GraphsThread | undefined
  // What a replay needs of graphs is on its tape; the clock of a bank goes on by itself.
  const startGraphs = () => {
    if (project === undefined || project.compiled.replay !== null) return
    const { sources, graphs, featureSets } = project.compiled
    if (graphs === undefined) return
    const task = { home: home.root, project: { sources, graphs, featureSets } }
    liveGraphs = startGraphsThread(task, (graph, error) =>
      log.warn({ error, graph }, 'A graph was not worked out'),
    )
  }

  const featurePresence = createFeaturePresence({ ...ingest, journal: join(home.decide, LIVE) })

  const learning = createLearning({
    home: home.root,
    ...peers,
    clock: systemClock,
    ids: systemIds,
    codeRevision: () => codeRevision(project?.directory ?? '.', version),
    environment: () => codeEnvironment(project?.directory ?? '.'),
    onDefect: (error) => log.error({ error }, 'Learning from a file failed'),
  })

  const logStreams = createLogStreams({
    directory: home.logStreams,
    files: nodeFiles,
    nowUs: systemClock.nowUs,
    monotonicUs,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
    onTrouble: (error, stream) => log.error({ error, stream }, 'A log stream failed'),
  })

  const backtests = createBacktests({
    files: backtestFiles(home),
    open: openBacktestFiles(home),
    run: backtestsInThreads(home.root),
    clock: systemClock,
    ids: systemIds,
    onDefect: (error) => log.error({ error }, 'A back-test failed'),
  })
  await backtests.resume()

  const differences = duckdbDifferences({ directory: home.snapshots, ...MEMORY })

  const service: WorkRemote = {
    replay: async () => replay?.state() ?? (mayPlay() ? waiting : noReplay),
    commandReplay: async (command) => {
      if (replay === undefined) throw rolesErrors.replay_missing('No replay was started.')
      return replay.command(command)
    },
    parquet: (names, rows) => writeParquet(names, rows, MEMORY),
    recompute: ({ namespace, sequence }) =>
      replayDecision({
        directory: join(home.decide, namespace),
        files: nodeFiles,
        deployments: directoryDeployments(deploymentsDirectory(home)),
        sequence,
      }),
    featureHistory: async (request) => featureHistory(request, loaded().compiled),
    featurePresence: async (question) => featurePresence(question, loaded().compiled),
    auditFeatures: ({ namespace, features, ...period }) =>
      auditFeatures({
        directory: join(home.decide, namespace),
        files: nodeFiles,
        deployments: directoryDeployments(deploymentsDirectory(home)),
        ...(features !== undefined && { features: new Set(features) }),
        ...period,
      }),
    resubmit: (rows, actor) => resubmitRows(rows, actor, loaded().compiled, ingest),
    ingest: async (wanted, actor) => {
      const { dataset, read, accepted, quarantined, snapshot, quarantine } = await ingestInto(
        loaded().compiled,
        wanted,
        actor,
        ingest,
      )
      const { byRule } = quarantine
      return { dataset, read, accepted, quarantined, snapshot: snapshot.hash, byRule }
    },
    compareVersions: (request) =>
      compareVersions(request, { versions: peers.versions, differences }),
    cleanData: (options, actor) =>
      cleanSnapshots({ ...ingest, versions: peers.versions }, options, actor),
    writeGraphs: (names, actor) =>
      writeGraphTables({ project: loaded().compiled, by: actor, names, read: graphEvents }, ingest),
  }
  const house = keepHouse(
    (options) => housekeepingOfWork({ ...peers, home, snapshots: ingest.snapshots }, options),
    config.housekeeping,
    {
      clock: systemClock,
      log,
      sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
    },
  )
  const rpc = await serveRpc(
    home.socket('work'),
    {
      work: service,
      housekeeping: { run: house.run },
      learning: learning.remote,
      backtests: backtests.remote,
      logs: logStreams,
      pipelines: pipelineService(() => pipelines),
    },
    {
      onDefect: (error, call) => log.error({ error, call }, 'A call failed'),
    },
  )

  const pipeline = async (): Promise<Omit<StartOutcome, 'problem'>> => {
    const declared = await loadDeclarations(config.project)
    project = declared
    await peers.projects.apply(declared.compiled, by)
    pipelines ??= await startPipelines(declared, home, peers, log)
    await learning.markFallen()
    await logStreams.start(declared.compiled.logs ?? [], playingProject(declared))
    const readsLogs = (declared.compiled.logs ?? []).length > 0
    if (!isWhole(declared)) return { skipped: false, decides: false, readsLogs }
    const { compiled, directory } = declared
    const revision = codeRevision(directory, version)
    const others = await otherSnapshots(compiled, peers.catalog)
    const data = [identityOfData(config.data, declared), ...others]
    const key = contentHash([compiled.version, revision, ...data])
    // A command may have run the pipeline in between under a key of its own; it deploys nothing.
    const known = (await peers.pipelines.list(20, 'learn')).find((each) => each.key === key)
    if (known?.status === 'done') return { skipped: true, decides: true, readsLogs }
    await markInterrupted(peers.pipelines, systemClock)
    const startedUs = monotonicUs()
    const steps = learnFlow(
      {
        project: compiled,
        file: () => dataFile(config.data, declared, home.incoming),
        checkpointPath: basePath(home, compiled.policies[0].featureSets),
        by,
        codeRevision: revision,
        environment: codeEnvironment(directory),
      },
      {
        ...peers,
        scoreOutside: scoreOutside(home, { allowPrivate: allowsPrivate() }),
        ingest,
        keepReference: (modelHash, reference) => keepReference(home, modelHash, reference),
        live: {
          decide: peers.decide,
          readLive: (sources) => readJournalFacts(join(home.decide, LIVE), sources, nodeFiles),
          deploy: (model, number) => peers.deployer.deployVersion(model, number),
          firstDecision: async (material) => {
            await saveMaterial(home, material)
            const playing = await startReplay(material)
            if (playing === undefined) return 'ready for the first event'
            return firstDecision(playing, peers, startedUs)
          },
          onceDeployed: async (material) => {
            await saveMaterial(home, material)
            await startReplay(material)
          },
        },
      },
    )
    const run = { name: 'learn', key, actor: by.actor.id }
    await runPipeline(run, steps, {
      store: peers.pipelines,
      clock: systemClock,
      ids: systemIds,
      onProgress: messages.onProgress,
    })
    return { skipped: false, decides: true, readsLogs }
  }
  // Whatever became of the pipeline, what was live before goes on.
  const resume = async () => {
    const material = await readMaterial(home)
    if (material !== undefined && replay === undefined && project !== undefined) {
      await startReplay(material)
    }
  }
  const working = untilPeersStay(pipeline)
    .then(
      (outcome) => ({ problem: null, ...outcome }),
      (error: unknown) => ({
        problem: problemText(error),
        skipped: false,
        decides: true,
        readsLogs: false,
      }),
    )
    .then(async (outcome) => {
      const problem = await resume().then(() => null, problemText)
      startGraphs()
      messages.onDone({ ...outcome, problem: outcome.problem ?? problem })
    })
  return {
    stop: async () => {
      await house.stop()
      await replay?.stop()
      await liveGraphs?.stop()
      await learning.stop()
      await backtests.stop()
      await logStreams.stop()
      await pipelines?.stop()
      await rpc.close()
      // A pipeline that is still running ends with the process; its run is marked at the next start.
      await Promise.race([working, Promise.resolve()])
      release()
    },
  }
}

/** What a project's log streams need of it beyond data. */
function playingProject({ directory, declaration }: LoadedDeclarations): PlayingProject {
  const logs = declaration.kind === 'stream-project' ? declaration.logs : []
  return {
    directory,
    played(name, fromUs) {
      const from = logs.find((each) => each.name === name)?.from
      return from !== undefined && 'played' in from ? from.played(fromUs) : []
    },
  }
}

/** Whether a project learns and decides, and is more than features or pipelines. */
function isWhole(project: LoadedProject | LoadedDeclarations): project is LoadedProject {
  return project.declaration.kind === 'project'
}

const PEER_LOSSES_MAX = 3
const PEER_RETURN_MS = 1000

/**
 * Runs again what failed because another role fell meanwhile: the supervisor starts that role again,
 * and what earlier steps kept is there. A role that keeps falling ends it.
 */
async function untilPeersStay<T>(work: () => Promise<T>): Promise<T> {
  for (let losses = 0; ; losses++) {
    try {
      return await work()
    } catch (error) {
      if (!isAssayError(error, 'peer_unavailable') || losses === PEER_LOSSES_MAX) throw error
      await sleep(PEER_RETURN_MS * 2 ** losses)
    }
  }
}

type Peers = ReturnType<typeof connect>

function connect(home: Home) {
  const keep = <Name extends keyof ServicesForWork>(service: Name) =>
    remote<ServicesForWork[Name]>(home.socket('keep'), service)
  return {
    access: keep('access'),
    tracking: keep('tracking'),
    registry: keep('registry'),
    governance: keep('governance'),
    catalog: keep('catalog'),
    quarantine: keep('quarantine'),
    versions: keep('versions'),
    pipelines: keep('pipelines'),
    pipelineEngine: keep('pipelineEngine'),
    resultKeeper: keep('resultKeeper'),
    pipelineDesk: keep('pipelineDesk'),
    deployer: keep('deployer'),
    projects: remote<Pick<Projects, 'apply'>>(home.socket('keep'), 'projects'),
    decide: remote<DecideRemote>(home.socket('decide'), 'decide'),
  }
}

function ingestPorts(home: Home, peers: Peers): ResubmitPorts {
  return {
    snapshots: duckdbSnapshots({ directory: home.snapshots, ...MEMORY }),
    catalog: peers.catalog,
    quarantine: peers.quarantine,
    parquet: duckdbParquetRows(MEMORY),
    accepted: (source) => acceptedEvents(join(home.decide, LIVE), source, nodeFiles),
    clock: systemClock,
    ids: systemIds,
  }
}

/** A namespace of a replay of its own: base state of history, then what is deployed now. */
async function prepareNamespace(home: Home, peers: Peers, namespace: string): Promise<void> {
  const material = await readMaterial(home)
  if (material === undefined) throw rolesErrors.replay_missing('Nothing was deployed yet.')
  await peers.decide.openNamespace({ namespace, clock: 'replay' })
  await peers.decide.loadBase({ namespace, path: material.checkpointPath })
  await peers.deployer.reconcile()
}

/** The replay that was started last, else the live namespace. */
async function namespaceOnAir(
  peers: Peers,
): Promise<{ readonly namespace: string; readonly base: string | null }> {
  const numbered = (await peers.decide.namespaces())
    .filter(({ namespace }) => namespace.startsWith('replay-'))
    .toSorted((a, b) => Number(a.namespace.slice(7)) - Number(b.namespace.slice(7)))
  return numbered.at(-1) ?? { namespace: LIVE, base: null }
}

const FIRST_DECISION_LOOKS = 600

async function firstDecision(replay: Replay, peers: Peers, startedUs: number): Promise<string> {
  for (let looks = 0; replay.state().decisions === 0; looks++) {
    if (looks === FIRST_DECISION_LOOKS) return 'ready; the first event has not come yet'
    await sleep(50)
  }
  const seconds = (monotonicUs() - startedUs) / 1e6
  const { latency } = await peers.decide.status()
  const took = latency.p50Us === null ? '' : `, answered in ${(latency.p50Us / 1000).toFixed(1)} ms`
  return `first live decision after ${seconds.toFixed(0)} s${took}`
}

function problemText(error: unknown): string {
  if (error instanceof AssayError) return `${error.title}: ${error.detail}\n${error.action}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const noReplay: ReplayState = {
  state: 'none',
  namespace: null,
  simulatedNowUs: null,
  fromUs: null,
  untilUs: null,
  speed: '600',
  progress: 0,
  decisions: 0,
  labels: 0,
  firstLabelsUs: null,
  problem: null,
}

const waiting: ReplayState = { ...noReplay, state: 'waiting' }
