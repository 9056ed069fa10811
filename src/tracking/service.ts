import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import { contentHash } from '../lib/hash.ts'
import type { Ids } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { compareRuns } from './comparison.ts'
import { trackingErrors } from './errors.ts'
import type { ArtifactStore, RunFilter, TrackingStore } from './ports.ts'
import type {
  Artifact,
  Experiment,
  Metric,
  NewMetric,
  ParamValue,
  Run,
  RunComparison,
  RunStatus,
} from './types.ts'

/** MLflow's limits (mlflow/utils/validation.py), so that its client will fit the same store. */
const limits = { name: 250, paramValue: 6000, tagValue: 8000, artifactBytes: 64 * 1024 * 1024 }

/**
 * Experiments and their runs. Starting and ending a run is audited, the end with the content hash
 * of all that was logged; single values are not, because the hash covers them.
 */
export interface Tracking {
  /** The experiment of that name, made if it is not there yet. */
  ensureExperiment(name: string, by: ChangeBy): Promise<Experiment>
  experiments(): Promise<Experiment[]>
  startRun(
    run: { experimentId: string; name: string; params?: Params; tags?: Tags },
    by: ChangeBy,
  ): Promise<Run>
  logParams(runId: string, params: Params): Promise<void>
  logTags(runId: string, tags: Tags): Promise<void>
  /** At most 1000 values a call. NaN and infinities are refused. */
  logMetrics(runId: string, metrics: readonly NewMetric[]): Promise<void>
  /** Keeps a file of the run; the same name replaces the earlier while the run is running. */
  logArtifact(runId: string, artifact: NewArtifact): Promise<Artifact>
  endRun(runId: string, status: Exclude<RunStatus, 'running'>, by: ChangeBy): Promise<Run>
  run(id: string): Promise<Run>
  /** Newest first. */
  runs(filter?: RunFilter): Promise<Run[]>
  metricHistory(runId: string, name: string): Promise<Metric[]>
  /** The bytes of an artifact, checked against their hash. */
  artifact(runId: string, name: string): Promise<Artifact & { readonly bytes: Uint8Array }>
  compare(runIds: readonly string[]): Promise<RunComparison>
}

type Params = Readonly<Record<string, ParamValue>>
type Tags = Readonly<Record<string, string>>

export interface NewArtifact {
  readonly name: string
  readonly contentType: string
  /** The content: bytes, or text that is kept as UTF-8. */
  readonly content: Uint8Array | string
}

export interface TrackingDependencies {
  readonly store: TrackingStore
  readonly artifacts: ArtifactStore
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
}

export function createTracking(dependencies: TrackingDependencies): Tracking {
  const { store, artifacts, unit, audit, clock, ids } = dependencies

  async function runOrFail(id: string): Promise<Run> {
    const run = await store.run(id)
    if (run === undefined) throw trackingErrors.run_not_found(`No run has id ${id}.`)
    return run
  }

  /** Runs a write in a transaction in which the run is known to be running. */
  function whileRunning<T>(runId: string, write: () => Promise<T>): Promise<T> {
    return unit.transaction(async () => {
      const run = await runOrFail(runId)
      if (run.status !== 'running') {
        throw trackingErrors.run_ended(`Run ${run.name} (${run.id}) is ${run.status}.`)
      }
      return write()
    })
  }

  const tracking: Tracking = {
    async ensureExperiment(name, by) {
      checkName(name)
      const reason = requireReason(by)
      return unit.transaction(async () => {
        const known = await store.experimentByName(name)
        if (known !== undefined) return known
        const experiment: Experiment = {
          id: ids('experiment'),
          name,
          createdAtUs: clock.nowUs(),
          createdBy: by.actor.id,
        }
        await store.insertExperiment(experiment)
        await audit.append({
          actor: by.actor.id,
          action: 'tracking.experiment-created',
          object: { kind: 'experiment', id: experiment.id },
          reason,
          details: { name },
        })
        return experiment
      })
    },

    experiments: () => store.experiments(),

    async startRun({ experimentId, name, params = {}, tags = {} }, by) {
      checkName(name)
      checkParams(params)
      checkTags(tags)
      const reason = requireReason(by)
      return unit.transaction(async () => {
        if ((await store.experiment(experimentId)) === undefined) {
          throw trackingErrors.experiment_not_found(`No experiment has id ${experimentId}.`)
        }
        const id = ids('run')
        const startedAtUs = clock.nowUs()
        const startedBy = by.actor.id
        await store.insertRun({ id, experimentId, name, status: 'running', startedAtUs, startedBy })
        await store.setParams(id, params)
        await store.setTags(id, tags)
        await audit.append({
          actor: by.actor.id,
          action: 'tracking.run-started',
          object: { kind: 'run', id },
          reason,
          details: { experiment: experimentId, name },
        })
        return runOrFail(id)
      })
    },

    async logParams(runId, params) {
      checkParams(params)
      await whileRunning(runId, () => store.setParams(runId, params))
    },

    async logTags(runId, tags) {
      checkTags(tags)
      await whileRunning(runId, () => store.setTags(runId, tags))
    },

    async logMetrics(runId, metrics) {
      if (metrics.length > 1000) {
        throw trackingErrors.tracking_value_invalid(
          `${metrics.length} metrics came at once; at most 1000 are taken.`,
        )
      }
      const nowUs = clock.nowUs()
      const values = metrics.map((metric) => checkedMetric(metric, nowUs))
      await whileRunning(runId, () => store.appendMetrics(runId, values))
    },

    async logArtifact(runId, { name, contentType, content }) {
      checkName(name)
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
      if (bytes.length > limits.artifactBytes) {
        throw trackingErrors.tracking_value_invalid(
          `Artifact ${name} has ${bytes.length} bytes; at most ${limits.artifactBytes} are kept.`,
        )
      }
      // The file comes first: content nobody refers to is harmless, a reference to nothing is not.
      const stored = await artifacts.put(bytes)
      const artifact: Artifact = { name, contentType, ...stored }
      await whileRunning(runId, () => store.putArtifact(runId, artifact))
      return artifact
    },

    async endRun(runId, status, by) {
      const reason = requireReason(by)
      return whileRunning(runId, async () => {
        await store.endRun(runId, status, clock.nowUs())
        const run = await runOrFail(runId)
        await audit.append({
          actor: by.actor.id,
          action: 'tracking.run-ended',
          object: { kind: 'run', id: runId },
          reason,
          details: { status, contentHash: contentHash(run) },
        })
        return run
      })
    },

    run: runOrFail,
    runs: (filter = {}) => store.runs(filter),
    metricHistory: (runId, name) => store.metricHistory(runId, name),

    async artifact(runId, name) {
      const run = await runOrFail(runId)
      const artifact = run.artifacts.find((a) => a.name === name)
      if (artifact === undefined) {
        throw trackingErrors.artifact_not_found(`Run ${runId} has no artifact ${name}.`)
      }
      const bytes = await artifacts.get(artifact.sha256)
      if (bytes === undefined) {
        throw trackingErrors.artifact_damaged(`The file of artifact ${name} is not there any more.`)
      }
      return { ...artifact, bytes }
    },

    async compare(runIds) {
      return compareRuns(await Promise.all(runIds.map(runOrFail)))
    },
  }
  return tracking
}

function checkName(name: string): void {
  if (name.trim() === '' || name.length > limits.name) {
    throw trackingErrors.tracking_value_invalid(
      `A name must have 1 to ${limits.name} characters, not ${name.length}.`,
    )
  }
}

function checkParams(params: Params): void {
  for (const [name, value] of Object.entries(params)) {
    checkName(name)
    const fits =
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isFinite(value)) ||
      (typeof value === 'string' && value.length <= limits.paramValue)
    if (!fits) {
      throw trackingErrors.tracking_value_invalid(
        `Parameter ${name} must be a finite number, a boolean or a text of at most ` +
          `${limits.paramValue} characters.`,
      )
    }
  }
}

function checkTags(tags: Tags): void {
  for (const [name, value] of Object.entries(tags)) {
    checkName(name)
    if (typeof value !== 'string' || value.length > limits.tagValue) {
      throw trackingErrors.tracking_value_invalid(
        `Tag ${name} must be a text of at most ${limits.tagValue} characters.`,
      )
    }
  }
}

function checkedMetric(metric: NewMetric, nowUs: number): Metric {
  const { name, value, low, high, n, step = 0, atUs = nowUs } = metric
  checkName(name)
  const numbers = [value, low ?? 0, high ?? 0, n ?? 0]
  if (!numbers.every(Number.isFinite) || ![step, atUs].every(Number.isSafeInteger)) {
    throw trackingErrors.tracking_value_invalid(
      `Metric ${name} must be finite, with a whole step and time.`,
    )
  }
  return {
    name,
    value,
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
    ...(n === undefined ? {} : { n }),
    step,
    atUs,
  }
}
