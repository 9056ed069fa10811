import { sha256Hex } from '../lib/hash.ts'
import type { Restorable } from '../lib/unit-of-work.ts'
import { isLaterMetric } from './comparison.ts'
import type { ArtifactStore, TrackingStore } from './ports.ts'
import type { Experiment, Metric, Run } from './types.ts'

/** The simplest right store: maps of immutable values that a failed transaction puts back. */
export function createMemoryTrackingStore(): TrackingStore & Restorable {
  let experiments = new Map<string, Experiment>()
  let runs = new Map<string, Run>()
  let histories = new Map<string, readonly Metric[]>()

  function change(id: string, update: (run: Run) => Partial<Run>): void {
    const run = runs.get(id)
    if (run !== undefined) runs.set(id, { ...run, ...update(run) })
  }

  return {
    save() {
      const saved = [new Map(experiments), new Map(runs), new Map(histories)] as const
      return () => {
        ;[experiments, runs, histories] = saved
      }
    },
    async insertExperiment(experiment) {
      experiments.set(experiment.id, experiment)
    },
    experiment: async (id) => experiments.get(id),
    experimentByName: async (name) => [...experiments.values()].find((e) => e.name === name),
    experiments: async () =>
      [...experiments.values()].sort((a, b) => a.createdAtUs - b.createdAtUs || order(a.id, b.id)),

    async insertRun(run) {
      runs.set(run.id, { ...run, params: {}, tags: {}, metrics: {}, artifacts: [] })
    },
    run: async (id) => runs.get(id),
    runs: async ({ experimentId, status, limit = 1000 }) =>
      [...runs.values()]
        .filter((run) => experimentId === undefined || run.experimentId === experimentId)
        .filter((run) => status === undefined || run.status === status)
        .sort((a, b) => b.startedAtUs - a.startedAtUs || order(b.id, a.id))
        .slice(0, limit),
    endRun: async (id, status, endedAtUs) => change(id, () => ({ status, endedAtUs })),
    setParams: async (id, params) =>
      change(id, (run) => ({ params: { ...run.params, ...params } })),
    setTags: async (id, tags) => change(id, (run) => ({ tags: { ...run.tags, ...tags } })),
    async appendMetrics(id, metrics) {
      for (const metric of metrics) {
        const key = `${id}\n${metric.name}`
        histories.set(key, [...(histories.get(key) ?? []), metric])
        change(id, (run) =>
          isLaterMetric(metric, run.metrics[metric.name])
            ? { metrics: { ...run.metrics, [metric.name]: metric } }
            : {},
        )
      }
    },
    metricHistory: async (id, name) =>
      [...(histories.get(`${id}\n${name}`) ?? [])].sort(
        (a, b) => a.step - b.step || a.atUs - b.atUs,
      ),
    putArtifact: async (id, artifact) =>
      change(id, (run) => ({
        artifacts: [...run.artifacts.filter((a) => a.name !== artifact.name), artifact].sort(
          (a, b) => order(a.name, b.name),
        ),
      })),
  }
}

export function createMemoryArtifactStore(): ArtifactStore {
  const files = new Map<string, Uint8Array>()
  return {
    async put(bytes) {
      const sha256 = sha256Hex(bytes)
      files.set(sha256, Uint8Array.from(bytes))
      return { sha256, size: bytes.length }
    },
    get: async (sha256) => files.get(sha256),
    has: async (sha256) => files.has(sha256),
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
