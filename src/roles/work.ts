// The role that works: project code, ingestion, training, and the replay of kept-back rows.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemActor, type Access, type ChangeBy } from '../access/index.ts'
import { duckdbParquetRows, duckdbSnapshots, writeParquet } from '../adapters/duckdb/index.ts'
import {
  csvField,
  ingestFile,
  ingestLabels,
  resubmit,
  type DatasetCatalog,
  type IngestPorts,
  type QuarantineStore,
} from '../data/index.ts'
import { directoryDeployments, replayDecision, type DecideRemote } from '../decisions/index.ts'
import type { Governance } from '../governance/index.ts'
import { monotonicUs, systemClock } from '../lib/clock.ts'
import { AssayError } from '../lib/errors.ts'
import { contentHash } from '../lib/hash.ts'
import { nodeFiles, writeFileAtomic } from '../lib/files.ts'
import { systemIds } from '../lib/ids.ts'
import { remote, serveRpc } from '../lib/rpc.ts'
import {
  createReplay,
  learnFlow,
  runPipeline,
  type LiveMaterial,
  type PipelineRun,
  type PipelineRunStore,
  type Replay,
  type ReplayState,
  type WorkRemote,
} from '../pipelines/index.ts'
import {
  codeRevision,
  homeAt,
  loadProject,
  type Home,
  type LoadedProject,
  type Projects,
} from '../projects/index.ts'
import type { Registry } from '../registry/index.ts'
import type { Tracking } from '../tracking/index.ts'
import { deploymentsDirectory } from '../server/decide/index.ts'
import { version, type RoleConfig } from './config.ts'
import type { Deployer } from './deployer.ts'
import { rolesErrors } from './errors.ts'
import { keepReference } from './references.ts'
import type { RunningRole } from './keep.ts'
import { dataFile, identityOfData } from './project-data.ts'
import { tapeOf } from './tape.ts'

export interface WorkMessages {
  /** Every change of the running pipeline. */
  readonly onProgress: (run: PipelineRun) => void
  /** What the pipeline or its absence came to; sent once. */
  readonly onDone: (outcome: { readonly problem: string | null; readonly skipped: boolean }) => void
}

const MEMORY = { memory: '2GB', threads: 2 }

export async function startWork(config: RoleConfig, messages: WorkMessages): Promise<RunningRole> {
  const home = homeAt(config.home)
  const peers = connect(home)
  const ingest = ingestPorts(home, peers)
  const by: ChangeBy = { actor: systemActor, reason: 'Pipeline of the project' }
  let project: LoadedProject | undefined
  let replay: Replay | undefined
  const loaded = () => {
    if (project === undefined)
      throw rolesErrors.project_missing('The project is still being loaded.')
    return project
  }
  const prepare = (namespace: string) => prepareNamespace(home, peers, namespace)

  const startReplay = async (material: LiveMaterial): Promise<Replay | undefined> => {
    if (!config.replay || loaded().compiled.replay === null) return undefined
    await replay?.stop()
    const tape = await tapeOf(loaded().compiled, material, ingest.snapshots)
    const speed = loaded().compiled.replay!.speed
    replay = createReplay(tape, speed === 60 ? '60' : speed > 600 ? 'max' : '600', {
      decide: peers.decide,
      prepare,
      monotonicMs: () => monotonicUs() / 1000,
      sleep: (ms) => new Promise((wake) => setTimeout(wake, ms)),
    })
    await replay.start(await namespaceOnAir(peers))
    return replay
  }

  const service: WorkRemote = {
    replay: async () => replay?.state() ?? idle,
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
    resubmit: (rows, actor) => resubmitRows(rows, actor, loaded(), ingest),
    ingest: async ({ path, source }, actor) => {
      const { compiled } = loaded()
      const known = compiled.sources.find(
        ({ name }) => name === (source ?? compiled.sources[0].name),
      )
      const labels = compiled.labels.find(({ name }) => name === source)
      if (known === undefined && labels === undefined) {
        const names = [...compiled.sources, ...compiled.labels].map(({ name }) => name).join(', ')
        throw rolesErrors.source_unknown(
          `The project declares no source "${source}"; it has ${names}.`,
        )
      }
      const report =
        labels === undefined
          ? await ingestFile(
              {
                path,
                source: known!,
                labels: compiled.labels[0],
                labelsOptional: true,
                by: actor,
                mode: 'append',
              },
              ingest,
            )
          : await ingestLabels({ path, labels, by: actor, mode: 'append' }, ingest)
      const { dataset, read, accepted, quarantined, snapshot } = report
      return {
        dataset,
        read,
        accepted,
        quarantined,
        snapshot: snapshot.hash,
        byRule: report.quarantine.byRule,
      }
    },
  }
  const rpc = await serveRpc(home.socket('work'), { work: service })

  const pipeline = async (): Promise<{ skipped: boolean }> => {
    project = await loadProject(config.project)
    const { compiled, directory } = project
    await peers.projects.apply(compiled, by)
    const revision = codeRevision(directory, version)
    const key = contentHash([compiled.version, revision, identityOfData(config.data, project)])
    const [last] = await peers.pipelines.list(1)
    if (last?.status === 'done' && last.key === key) {
      const material = await readMaterial(home)
      if (material !== undefined) await startReplay(material)
      return { skipped: true }
    }
    const startedUs = monotonicUs()
    const steps = learnFlow(
      {
        project: compiled,
        file: () => dataFile(config.data, loaded(), home.incoming),
        checkpointPath: join(home.checkpoints, `base-${key.slice(0, 16)}.checkpoint`),
        by,
        codeRevision: revision,
      },
      {
        ...peers,
        ingest,
        keepReference: (modelHash, reference) => keepReference(home, modelHash, reference),
        live: {
          decide: peers.decide,
          deploy: (model, number, actor) => peers.deployer.deployVersion(model, number, actor),
          firstDecision: async (material) => {
            await saveMaterial(home, material)
            const playing = await startReplay(material)
            if (playing === undefined) return 'ready for the first event'
            return firstDecision(playing, peers, startedUs)
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
    return { skipped: false }
  }
  const working = pipeline().then(
    ({ skipped }) => messages.onDone({ problem: null, skipped }),
    (error: unknown) => messages.onDone({ problem: problemText(error), skipped: false }),
  )
  return {
    stop: async () => {
      await replay?.stop()
      await rpc.close()
      // A pipeline that is still running ends with the process; its run is marked at the next start.
      await Promise.race([working, Promise.resolve()])
    },
  }
}

type Peers = ReturnType<typeof connect>

function connect(home: Home) {
  const keep = <T extends object>(service: string) => remote<T>(home.socket('keep'), service)
  return {
    access: keep<Access>('access'),
    tracking: keep<Tracking>('tracking'),
    registry: keep<Registry>('registry'),
    governance: keep<Governance>('governance'),
    catalog: keep<DatasetCatalog>('catalog'),
    quarantine: keep<QuarantineStore>('quarantine'),
    pipelines: keep<PipelineRunStore>('pipelines'),
    projects: keep<Projects>('projects'),
    deployer: keep<Deployer>('deployer'),
    decide: remote<DecideRemote>(home.socket('decide'), 'decide'),
  }
}

function ingestPorts(home: Home, peers: Peers): IngestPorts {
  return {
    snapshots: duckdbSnapshots({ directory: home.snapshots, ...MEMORY }),
    catalog: peers.catalog,
    quarantine: peers.quarantine,
    parquet: duckdbParquetRows(MEMORY),
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

async function namespaceOnAir(peers: Peers): Promise<string> {
  const known = await peers.decide.namespaces()
  const numbered = known
    .map(({ namespace }) => namespace)
    .filter((namespace) => namespace.startsWith('replay-'))
    .toSorted((a, b) => Number(a.slice(7)) - Number(b.slice(7)))
  return numbered.at(-1) ?? 'live'
}

async function firstDecision(replay: Replay, peers: Peers, startedUs: number): Promise<string> {
  for (let waited = 0; waited < 600 && replay.state().decisions === 0; waited++) {
    await new Promise((wake) => setTimeout(wake, 50))
  }
  const seconds = (monotonicUs() - startedUs) / 1e6
  const { latency } = await peers.decide.status()
  const took = latency.p50Us === null ? '' : `, answered in ${(latency.p50Us / 1000).toFixed(1)} ms`
  return `first live decision after ${seconds.toFixed(0)} s${took}`
}

const materialFile = (home: Home) => join(home.published, 'live.json')

async function saveMaterial(home: Home, material: LiveMaterial): Promise<void> {
  await writeFileAtomic(materialFile(home), Buffer.from(JSON.stringify(material)))
}

async function readMaterial(home: Home): Promise<LiveMaterial | undefined> {
  try {
    return JSON.parse(await readFile(materialFile(home), 'utf8')) as LiveMaterial
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function resubmitRows(
  rows: Parameters<WorkRemote['resubmit']>[0],
  by: ChangeBy,
  { compiled }: LoadedProject,
  ingest: IngestPorts,
): ReturnType<WorkRemote['resubmit']> {
  const entries = new Map(
    (await ingest.quarantine.get(rows.map(({ id }) => id))).map((entry) => [entry.id, entry]),
  )
  const corrections = rows.map(({ id, fields }) => {
    const header = entries.get(id)?.header ?? []
    return header.length === 0
      ? { id, body: fields }
      : { id, raw: header.map((name) => csvField(fields[name] ?? '')).join(',') }
  })
  const source = compiled.sources.find(
    ({ name }) => name === entries.values().next().value?.dataset,
  )
  const contract = source ?? compiled.sources[0]
  try {
    const report = await resubmit({ corrections, contract, labels: compiled.labels[0], by }, ingest)
    return { accepted: report.accepted, refused: [], snapshot: report.snapshot.hash }
  } catch (error) {
    const failed =
      error instanceof AssayError && error.code === 'resubmission_failed' ? error : undefined
    if (failed === undefined) throw error
    return { accepted: 0, refused: refusedRows(failed), snapshot: null }
  }
}

function refusedRows(error: AssayError) {
  const rows = (error.extra?.['failures'] ?? []) as readonly {
    readonly id: string
    readonly failures: readonly {
      readonly column: string | null
      readonly rule: string
      readonly message: string
    }[]
  }[]
  return rows.flatMap(({ id, failures }) =>
    failures.map(({ column, rule, message }) => ({ id, column, rule, message })),
  )
}

function problemText(error: unknown): string {
  if (error instanceof AssayError) return `${error.title}: ${error.detail}\n${error.action}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const idle: ReplayState = {
  state: 'waiting',
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
