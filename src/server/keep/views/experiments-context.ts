// Who is behind runs, what their experiments are called, and what became of them.
import type { Access, ChangeBy, Identity } from '../../../access/index.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Remote } from '../../../lib/rpc.ts'
import type { Registry } from '../../../registry/index.ts'
import type { Run, RunHead, RunViews, Tracking } from '../../../tracking/index.ts'
import type { RunModel, RunSummary } from '../../contract/index.ts'
import { identityView, metricView, time, versionRef } from '../present.ts'
import type { Rooms } from '../rooms.ts'

/** What these views ask of other rooms: little enough that a command asks it too. */
export interface ExperimentRooms {
  readonly tracking: Remote<Tracking>
  readonly runViews: Remote<RunViews>
  readonly access: Pick<Remote<Access>, 'identities' | 'createIdentity' | 'issueKey'>
  readonly registry: Pick<Remote<Registry>, 'registeredFrom'>
  readonly learning: Pick<Rooms['learning'], 'pairs'>
  readonly clock: Clock
  /** The models that a run logged, which are read from its files; a command goes without. */
  readonly models?: (run: Run) => Promise<RunModel[]>
}

export type RunContext = Awaited<ReturnType<typeof runContext>>

/** Of these runs alone: a bank may have thousands of experiments and versions. */
export async function runContext(
  rooms: ExperimentRooms,
  runs: readonly Pick<RunHead, 'id' | 'experimentId'>[],
) {
  const [identities, experiments, versions] = await Promise.all([
    rooms.access.identities(),
    experimentsOf(rooms, [...new Set(runs.map(({ experimentId }) => experimentId))]),
    runs.length === 0 ? [] : rooms.registry.registeredFrom(runs.map(({ id }) => id)),
  ])
  return {
    people: new Map(identities.map((each) => [each.id, each])),
    experiments: new Map(experiments.map((each) => [each.id, each.name])),
    registered: new Map(versions.map((version) => [version.runId, version])),
  }
}

async function experimentsOf({ tracking }: ExperimentRooms, ids: readonly string[]) {
  if (ids.length === 0) return []
  const { experiments } = await tracking.searchExperiments({
    filter: { field: { of: 'attribute', name: 'id' }, op: 'in', value: ids },
    deleted: 'with',
    order: [],
    limit: ids.length,
  })
  return experiments
}

export const changeBy = (identity: Identity, reason: string): ChangeBy => ({
  actor: identity,
  reason,
})

export function registeredRef(known: RunContext, runId: string) {
  const version = known.registered.get(runId)
  return version === undefined ? null : versionRef(version.model, version.version)
}

export function durationMs({ startedAtUs, endedAtUs }: RunHead): number | null {
  return endedAtUs === undefined ? null : (endedAtUs - startedAtUs) / 1000
}

export function summaryOf(run: Run, known: RunContext): RunSummary {
  return {
    id: run.id,
    name: run.name,
    experiment: known.experiments.get(run.experimentId) ?? run.experimentId,
    learner: String(run.params['learner'] ?? run.name),
    status: run.status,
    startedAt: time(run.startedAtUs),
    durationMs: durationMs(run),
    by: identityView(known.people.get(run.startedBy), run.startedBy),
    metrics: Object.entries(run.metrics).map(([name, metric]) => {
      const view = metricView(name, metric)
      const { estimate } = view
      return { ...view, estimate: { ...estimate, value: finite(metric.value) } }
    }),
    registeredAs: registeredRef(known, run.id),
  }
}

/** JSON has neither NaN nor infinity; both are no value to compare with. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
