import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids, RandomBytes } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { trackingErrors } from './errors.ts'
import type { PartStore } from './file-ports.ts'
import type { ArtifactStore, TrackingStore } from './ports.ts'
import type { Experiment, LoggedModel, Run, RunHead } from './types.ts'

export interface TrackingDependencies {
  readonly store: TrackingStore
  readonly artifacts: ArtifactStore
  /** For uploads in parts. */
  readonly parts: PartStore
  /** For ids that are secrets. */
  readonly random: RandomBytes
  /** The largest file in bytes; `fileLimits.fileBytes` unless told. */
  readonly fileBytesMax?: number | undefined
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
  /** Whether something outside (a registered version) refers to a run or logged model. */
  readonly isKept?: (id: string) => Promise<boolean>
}

export type Context = TrackingDependencies & ReturnType<typeof found> & ReturnType<typeof recorder>

/** What every part of the service needs. */
export function createContext(dependencies: TrackingDependencies): Context {
  return { ...dependencies, ...found(dependencies), ...recorder(dependencies) }
}

function requireNotDeleted(run: RunHead): RunHead {
  if (run.deletedAtUs === undefined) return run
  throw trackingErrors.run_deleted(`Run ${run.name} (${run.id}) is deleted.`)
}

function found({ store }: TrackingDependencies) {
  async function runHead(id: string): Promise<RunHead> {
    const run = await store.runHead(id)
    if (run === undefined) throw trackingErrors.run_not_found(`No run has id ${id}.`)
    return run
  }
  async function experiment(id: string): Promise<Experiment> {
    const known = await store.experiment(id)
    if (known === undefined) {
      throw trackingErrors.experiment_not_found(`No experiment has id ${id}.`)
    }
    return known
  }
  return {
    experimentOrFail: experiment,
    runHeadOrFail: runHead,
    async runOrFail(id: string): Promise<Run> {
      const run = await store.run(id)
      if (run === undefined) throw trackingErrors.run_not_found(`No run has id ${id}.`)
      return run
    },
    /** A run that may be written to. */
    async writableRun(id: string): Promise<RunHead> {
      return requireNotDeleted(await runHead(id))
    },
    /** A client may name a run of elsewhere: what is not known here is taken as it is named. */
    async checkNotDeleted(runId: string): Promise<void> {
      const run = await store.runHead(runId)
      if (run !== undefined) requireNotDeleted(run)
    },
    async writableExperiment(id: string): Promise<Experiment> {
      const known = await experiment(id)
      if (known.deletedAtUs !== undefined) {
        throw trackingErrors.experiment_deleted(`Experiment ${known.name} (${id}) is deleted.`)
      }
      return known
    },
    async loggedModelOrFail(id: string): Promise<LoggedModel> {
      const model = await store.loggedModel(id)
      if (model === undefined || model.deletedAtUs !== undefined) {
        const deleted = model !== undefined && { extra: { deleted: true } }
        throw trackingErrors.logged_model_not_found(`No logged model has id ${id}.`, deleted || {})
      }
      return model
    },
  }
}

function recorder({ audit }: TrackingDependencies) {
  return {
    /** One audit entry of this room, in the running transaction. */
    async record(
      by: ChangeBy,
      action: string,
      object: { readonly kind: 'experiment' | 'run' | 'logged-model'; readonly id: string },
      details: Readonly<Record<string, unknown>> = {},
    ): Promise<void> {
      const reason = requireReason(by)
      await audit.append({
        actor: by.actor.id,
        action: `tracking.${action}`,
        object,
        reason,
        details,
      })
    },
  }
}
