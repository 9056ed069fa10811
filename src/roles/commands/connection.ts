// How a command reaches what a home keeps: through the server that runs on it, or else directly,
// as the home's only owner while the command lasts.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemActor, type Access, type ChangeBy } from '../../access/index.ts'
import type { DatasetCatalog, DataVersions, QuarantineStore } from '../../data/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { remote, type Remote } from '../../lib/rpc.ts'
import {
  homeAt,
  homeOwner,
  lockHome,
  openHome,
  serverFile,
  type Home,
  type Projects,
} from '../../projects/index.ts'
import {
  markBrokenOff,
  type PipelineDesk,
  type PipelineEngineStore,
  type PipelineRunStore,
} from '../../pipelines/index.ts'
import type { Registry } from '../../registry/index.ts'
import type { RunViews, Tracking } from '../../tracking/index.ts'
import { version } from '../config.ts'
import { rolesErrors } from '../errors.ts'
import type { Metadata } from '../metadata.ts'
import { isRunnerAlive } from '../pipeline-control.ts'
import { commandErrors } from './errors.ts'

/** The server that runs on a home, as it says itself in `serverFile`. */
export interface RunningServer {
  readonly url: string
  readonly pid: number
}

/** What commands ask of the process that keeps; `keep` offers the same as rpc services. */
export interface Kept {
  readonly home: Home
  readonly access: Remote<Access>
  readonly registry: Remote<Registry>
  readonly catalog: Remote<DatasetCatalog>
  readonly quarantine: Remote<QuarantineStore>
  readonly versions: Remote<DataVersions>
  readonly tracking: Remote<Tracking>
  readonly runViews: Remote<RunViews>
  readonly projects: Pick<Remote<Projects>, 'at'>
  readonly auditor: {
    /** Every entry as its leaf, then the signed checkpoint; and the key that checks it. */
    export(): Promise<{ readonly lines: readonly string[]; readonly publicKey: string }>
  }
}

/** Who a command acts as: whoever may use the machine's home directory may do all of this. */
export function byCommand(command: string): ChangeBy {
  return { actor: systemActor, reason: `\`assay ${command}\`, by hand on the machine itself` }
}

/** Runs work on what an existing home keeps. Errors: `home_missing`, `home_locked`. */
export async function withKept<Result>(
  directory: string,
  work: (kept: Kept) => Promise<Result>,
): Promise<Result> {
  const home = existingHome(directory)
  if (runningServer(home) !== undefined) return work(remotely(home))
  return withMetadata(directory, (metadata, opened) => work(directly(metadata, opened)))
}

/** Where runs, versions and pipelines are kept. */
export type Tracked = {
  readonly tracking: Remote<Tracking>
  readonly registry: Remote<Registry>
  readonly pipelines: Remote<PipelineRunStore>
}

/** Runs work that keeps runs in a home, which is made where there is none. Error: `home_locked`. */
export async function withTracked<Result>(
  directory: string,
  work: (tracked: Tracked) => Promise<Result>,
): Promise<Result> {
  const home = homeAt(directory)
  if (runningServer(home) === undefined) return withMetadata(directory, work)
  const service = <T extends object>(name: string) => remote<T>(home.socket('admin'), name)
  return work({
    tracking: service<Tracking>('tracking'),
    registry: service<Registry>('registry'),
    pipelines: service<PipelineRunStore>('pipelines'),
  })
}

/** What the commands under `assay pipelines` ask of the process that keeps. */
export interface KeptPipelines {
  readonly home: Home
  /** Whether a server runs on the home, so that runs go on without this command. */
  readonly server: boolean
  readonly access: Pick<Remote<Access>, 'authenticate' | 'identities'>
  readonly catalog: Remote<DatasetCatalog>
  readonly runs: Remote<PipelineRunStore>
  readonly engine: Remote<PipelineEngineStore>
  readonly desk: Remote<PipelineDesk>
}

/** Runs work on the pipelines of a home, which is made where there is none. Error: `home_locked`. */
export async function withPipelines<Result>(
  directory: string,
  work: (kept: KeptPipelines) => Promise<Result>,
): Promise<Result> {
  const home = homeAt(directory)
  if (runningServer(home) === undefined) {
    return withMetadata(directory, async ({ access, catalog, pipelines, ...rest }, opened) => {
      // Whoever has the home for itself knows that nothing else runs.
      const { pipelineEngine: engine, pipelineDesk: desk } = rest
      const isAlive = (runner: string) => !runner.startsWith('command')
      await markBrokenOff(pipelines, { store: engine, clock: systemClock, isAlive })
      return work({ home: opened, server: false, access, catalog, runs: pipelines, engine, desk })
    })
  }
  const service = <T extends object>(name: string) => remote<T>(home.socket('admin'), name)
  const runs = service<PipelineRunStore>('pipelines')
  const engine = service<PipelineEngineStore>('pipelineEngine')
  // Other commands may run beside this one; only those whose process is gone will never end.
  await markBrokenOff(runs, { store: engine, clock: systemClock, isAlive: isRunnerAlive })
  return work({
    home,
    server: true,
    access: service<Access>('access'),
    catalog: service<DatasetCatalog>('catalog'),
    runs,
    engine,
    desk: service<PipelineDesk>('pipelineDesk'),
  })
}

/** Opens a home as its only owner, makes it where there is none, and lets go of it afterwards. */
export async function withMetadata<Result>(
  directory: string,
  work: (metadata: Metadata, home: Home) => Promise<Result>,
): Promise<Result> {
  const home = await openHome(directory, version)
  const release = lockHome(home)
  try {
    // Loaded here, because most commands reach a server and need none of the stores behind it.
    const { openMetadata } = await import('../metadata.ts')
    const metadata = await openMetadata(home)
    try {
      const result = await work(metadata, home)
      // What was just done is signed at once: no later command may find it changed unnoticed.
      await metadata.audit.checkpoint()
      return result
    } finally {
      await metadata.close()
    }
  } finally {
    release()
  }
}

/** The home in a directory that must be one. Error: `home_missing`. */
export function existingHome(directory: string): Home {
  const home = homeAt(directory)
  if (existsSync(join(home.root, 'format.json'))) return home
  throw commandErrors.home_missing(`${home.root} is not a home directory of Assay.`)
}

/** The server on a home; undefined where none runs, or it is not up yet. */
export function runningServer(home: Home): RunningServer | undefined {
  const owner = homeOwner(home)
  if (owner === undefined) return undefined
  try {
    const server = JSON.parse(readFileSync(serverFile(home), 'utf8')) as RunningServer
    return server.pid === owner ? server : undefined // Else another command owns the home.
  } catch {
    return undefined
  }
}

/** The server on a home, for commands that need one. Errors: `home_missing`, `server_missing`. */
export function requireServer(directory: string): { home: Home; server: RunningServer } {
  const home = existingHome(directory)
  const server = runningServer(home)
  if (server !== undefined) return { home, server }
  throw rolesErrors.server_missing(`No server is running on ${home.root}.`)
}

function remotely(home: Home): Kept {
  const service = <T extends object>(name: string) => remote<T>(home.socket('admin'), name)
  return {
    home,
    access: service<Access>('access'),
    registry: service<Registry>('registry'),
    catalog: service<DatasetCatalog>('catalog'),
    quarantine: service<QuarantineStore>('quarantine'),
    versions: service<DataVersions>('versions'),
    tracking: service<Tracking>('tracking'),
    runViews: service<RunViews>('runViews'),
    projects: service<Pick<Projects, 'at'>>('projects'),
    auditor: service<Kept['auditor']>('auditor'),
  }
}

function directly(metadata: Metadata, home: Home): Kept {
  const { access, registry, catalog, quarantine, versions, tracking, runViews, projects, audit } =
    metadata
  return {
    home,
    tracking,
    runViews,
    projects,
    access,
    registry,
    catalog,
    quarantine,
    versions,
    auditor: {
      async export() {
        const lines: string[] = []
        for await (const line of audit.export()) lines.push(line)
        return { lines, publicKey: audit.publicKey }
      },
    },
  }
}
