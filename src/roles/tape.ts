// The tape of a replay: the kept-back rows of a snapshot, and the labels that arrive meanwhile.
import { numbersOf, type SnapshotStore } from '../data/index.ts'
import { readOtherEvents, type LiveMaterial, type Tape } from '../pipelines/index.ts'
import type { CompiledProject } from '../projects/index.ts'
import { rolesErrors } from './errors.ts'

export async function tapeOf(
  project: CompiledProject,
  material: LiveMaterial,
  snapshots: SnapshotStore,
): Promise<Tape> {
  const { replay, policies, sources, labels } = project
  if (replay === null) throw rolesErrors.replay_missing('The project declares no replay.')
  const source = sources[0]
  const events = await snapshots.read(material.snapshot)
  const labelArrivals = await snapshots.read(material.labelsSnapshot)
  // As they were when live state was made: what was ingested since is not on the tape.
  const catalog = { current: async (name: string) => [...(material.others?.[name] ?? [])] }
  const others = await readOtherEvents(project, project.featureSets, { catalog, snapshots })
  const times = numbersOf(events, source.eventTime)
  const lastUs = events.rows === 0 ? replay.untilUs : times[events.rows - 1] + 1
  return {
    source,
    policy: policies[0].name,
    labels: labels[0].name,
    labelValues: labels[0].values,
    events,
    ...(others.length > 0 && { others: others.map((other) => other.events) }),
    labelArrivals,
    fromUs: replay.fromUs,
    untilUs: Math.min(replay.untilUs, lastUs),
    firstLabelsUs: replay.fromUs + labels[0].delayUs,
  }
}
