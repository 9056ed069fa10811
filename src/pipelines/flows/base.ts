// A base of live state: the state in which history ends, written for `decide`. It says what it was made
// of, so that one that was lost can be made again, and is the same or is refused.
import {
  HELD_VALUES_BYTES_MAX,
  writeBaseCheckpoint,
  type BaseRecord,
  type JournalReading,
} from '../../decisions/index.ts'
import type { CompiledSource } from '../../data/index.ts'
import { historyWithState } from '../../features/index.ts'
import { pipelineErrors } from '../errors.ts'
import { eventsOfBase, type EndedHistory } from './base-events.ts'
import { knownLabels, labelsNotBeforeEvents } from './entity-features.ts'
import { endedHistory, type LearningData } from './history-table.ts'
import { withLiveFacts } from './live-facts.ts'
import { eventsOf, lastArrivalUs, otherSources } from './other-sources.ts'
import type { FlowProject } from './plan.ts'
import { readLearningData, type LearningDataPorts } from './reproduce.ts'

/** The namespace that takes the bank's own events. */
export const LIVE = 'live'

export interface BasePorts {
  /** Where history ends without a journal; asked only where that counts. */
  readonly ended: () => EndedHistory
  /** What the journal of `live` holds of sources. */
  readonly readLive: (sources: readonly CompiledSource[]) => Promise<JournalReading>
}

/** Writes the base of a project over its data and what came in live since. Returns its hash. */
export async function writeBase(
  file: string,
  project: FlowProject,
  data: LearningData,
  ports: BasePorts,
): Promise<string> {
  const others = otherSources(project, project.featureSets)
  const { ended, through } = await historyWithLive(project, data, ports)
  const { state } = ended
  return await writeBaseCheckpoint(file, {
    featureSets: project.featureSets,
    source: project.sources[0],
    ...(others.length > 0 && { others }),
    state: state.snapshot(),
    lastSequence: state.lastSequence,
    newestEventTimeUs: Number.isFinite(state.newestUs) ? state.newestUs : null,
    events: eventsOfBase(ended),
    ...(through > 0 && { journal: { namespace: LIVE, through } }),
    madeOf: { project: project.version, snapshots: data.parts },
  })
}

/**
 * History to its end, with what came in live since, each event once: decide goes on after the last
 * sequence that is in its state. What a replay plays is not known before.
 */
async function historyWithLive(
  project: FlowProject,
  data: LearningData,
  { ended, readLive }: BasePorts,
): Promise<{ ended: EndedHistory; through: number }> {
  const [source] = project.sources
  if (project.replay !== null) return { ended: ended(), through: 0 }
  const sources = [source, ...data.others.map((other) => other.source)]
  const { facts: told, through } = await readLive(sources)
  if (through === 0) return { ended: ended(), through }
  const facts = withLiveFacts(
    {
      source,
      events: data.frame,
      // It was read just now, after all that the journal holds.
      acceptedUs: () => Infinity,
      others: data.others,
      labels: [knownLabels(project.labels[0], data.labels)],
      snapshots: [],
    },
    told,
    project.labels,
  )
  const { arrivalsUs, others } = facts
  const own = { ...eventsOf(source, facts.events), ...(arrivalsUs && { arrivalsUs }) }
  const labelled = [...told.values()].flatMap((each) => [...each.labels.values()])
  const arrivals = labelled.flatMap((each) => each.arrivalsUs)
  const last = [own, ...others].map(lastArrivalUs)
  const { state, tail } = historyWithState({
    sets: project.featureSets,
    ...own,
    others,
    labels: labelsNotBeforeEvents(own, facts.labels),
    fromUs: Infinity,
    tailBytesMax: HELD_VALUES_BYTES_MAX,
    untilUs: arrivals.reduce((latest, us) => Math.max(latest, us), Math.max(...last)),
  })
  return { ended: { state, own, others, tail }, through }
}

export interface RebuildBasePorts extends LearningDataPorts {
  /** The projects that were in force, from an instant on back, newest first. */
  readonly projectsBefore: (atUs: number) => AsyncIterable<FlowProject>
  /** What the journal of `live` holds of sources up to a sequence. */
  readonly readLive: (
    sources: readonly CompiledSource[],
    through: number,
  ) => Promise<JournalReading>
}

/**
 * Makes the base of a record again from what the record names, and writes it to a file of its own.
 * Resolves once it is, by its hash, the recorded one. Errors: `base_not_rebuilt`, where what it was made
 * of is not there any more or leads elsewhere.
 */
export async function rebuildBase(
  record: BaseRecord,
  file: string,
  ports: RebuildBasePorts,
  onProgress: (rows: number, all: number) => void,
): Promise<void> {
  const { madeOf, checkpoint, journal } = record
  const refuse = (why: string) =>
    pipelineErrors.base_not_rebuilt(`The base ${checkpoint.slice(0, 16)}: ${why}`)
  if (madeOf === undefined) {
    throw refuse('its record is of an earlier version, which did not note what it was made of.')
  }
  let project: FlowProject | undefined
  for await (const each of ports.projectsBefore(record.receivedAtUs)) {
    if (each.version === madeOf.project) project = each
    if (project !== undefined) break
  }
  if (project === undefined) {
    throw refuse(`the declarations of project version ${madeOf.project} are not in this home.`)
  }
  const data = await readLearningData(project, madeOf.snapshots, ports)
  const made = await writeBase(file, project, data, {
    ended: () => endedHistory(project, data, onProgress),
    readLive: async (sources) => {
      if (journal === undefined) return { facts: new Map(), through: 0 }
      return await ports.readLive(sources, journal.through)
    },
  })
  if (made === checkpoint) return
  const parts = madeOf.snapshots.map(({ dataset, hash }) => `${dataset} ${hash.slice(0, 12)}`)
  const records = journal === undefined ? '' : ` and ${journal.through} records of the journal`
  throw refuse(
    `what is there (${parts.join(', ')}${records}) leads to ${made.slice(0, 16)}, which is another state ` +
      'and is not used: another version of Assay made it, perhaps.',
  )
}
