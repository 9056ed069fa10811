// The features of given entities as of given times, as a table that people and programs take away.
import {
  columnOf,
  numbersOf,
  readDataset,
  textAt,
  type CompiledColumn,
  type CompiledLabels,
  type CompiledSource,
  type EntityTable,
  type Frame,
  type FrameColumn,
  type FrameSchemaColumn,
} from '../../data/index.ts'
import {
  featureErrors,
  trainingRowsInTurns,
  type CompiledFeatureSet,
  type FactOrder,
  type LabelArrivals,
  type SourceEvents,
  type TrainingRows,
} from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { eventsOf, readOtherEvents, type DatasetPorts } from './other-sources.ts'
import type { FlowProject } from './plan.ts'
import { labelArrivals } from './table.ts'

/** What is known of a source: its events, and the labels of them. */
export interface SourceFacts {
  readonly source: CompiledSource
  /** In order of (event time, row). */
  readonly events: Frame
  /** When they arrived, where that is not in a column of theirs; NaN where it is not known. */
  readonly arrivalsUs?: Float64Array
  /** Of the further sources that the feature set reads. */
  readonly others: readonly SourceEvents[]
  readonly labels: readonly KnownLabels[]
  /** Hashes of the snapshots that all this was read from. */
  readonly snapshots: readonly string[]
}

/** Labels of one declaration, as a snapshot or as what arrived live, in order of arrival. */
export interface KnownLabels {
  readonly of: CompiledLabels
  readonly arrivals: LabelArrivals
  /** 1 where the arrival is only assumed. */
  readonly assumed: Float64Array
}

export interface EntityFeaturesRequest {
  readonly set: CompiledFeatureSet
  readonly facts: SourceFacts
  /** Keys, times and request-time values; a row may name an event by the source's id. */
  readonly entities: EntityTable
  readonly order: FactOrder
  /** Resolves when this work may go on, after other work of the process. */
  readonly turn: () => Promise<void>
}

export interface EntityFeatures {
  /** The columns of the request, then the features, then the labels of the events named. */
  readonly frame: Frame
  /** `number` of money is in major units; times are microseconds UTC. */
  readonly columns: readonly FrameSchemaColumn[]
  readonly facts: TrainingRows['facts']
}

/** Most values of one table: rows × features. */
export const ENTITY_VALUES_MAX = 4_000_000

/**
 * What the project's datasets hold of the sources of a feature set. Labels and events of further
 * sources that were never ingested are none. Error: `dataset_not_found` where the set's own source
 * has no events.
 */
export async function readSourceFacts(
  { sources, labels }: Pick<FlowProject, 'sources' | 'labels'>,
  set: CompiledFeatureSet,
  ports: DatasetPorts,
): Promise<SourceFacts> {
  const source = sources.find(({ name }) => name === set.source)!
  const { frame: events, parts } = await readDataset(source.name, ports)
  const snapshots = parts.map(({ hash }) => hash)
  const read = async (name: string): Promise<Frame | undefined> => {
    try {
      const found = await readDataset(name, ports)
      snapshots.push(...found.parts.map(({ hash }) => hash))
      return found.frame
    } catch (error) {
      if (isAssayError(error, 'dataset_not_found')) return undefined
      throw error
    }
  }
  const others = await readOtherEvents({ sources }, [set], ports)
  snapshots.push(...others.flatMap(({ parts }) => parts.map(({ hash }) => hash)))
  const known: SourceFacts['labels'][number][] = []
  for (const each of labels.filter(({ of }) => of === source.name)) {
    const frame = await read(each.name)
    if (frame !== undefined) known.push(knownLabels(each, frame))
  }
  return { source, events, others: others.map((each) => each.events), labels: known, snapshots }
}

/** Errors: those of `trainingRows`, and `training_table_too_large`. */
export async function entityFeatures(request: EntityFeaturesRequest): Promise<EntityFeatures> {
  const { set, facts, entities, order, turn } = request
  const { source } = facts
  refuseTooLarge(entities.rows, set)
  const times = entities.columns[source.eventTime] as Float64Array | undefined
  const eventIds = entities.columns[source.id]
  if (times === undefined && eventIds === undefined) {
    throw featureErrors.training_row_timeless(
      `The rows have neither a column ${source.eventTime} nor a column ${source.id}.`,
    )
  }
  const found = await trainingRowsInTurns(
    {
      sets: [set],
      ...ownEvents(facts),
      others: facts.others,
      labels: labelsOf(facts),
      rows: {
        rows: entities.rows,
        timesUs: times ?? new Float64Array(entities.rows).fill(Number.NaN),
        columns: entities.columns,
        ...(eventIds !== undefined && { eventIds }),
      },
      order,
    },
    turn,
  )
  return { ...tableOf(request, found), facts: found.facts }
}

function ownEvents({ source, events, arrivalsUs }: SourceFacts): SourceEvents {
  return arrivalsUs === undefined ? eventsOf(source, events) : { source, frame: events, arrivalsUs }
}

/** The labels of a snapshot. */
export function knownLabels(of: CompiledLabels, frame: Frame): KnownLabels {
  const arrivals = labelArrivals(of.name, frame)
  return { of, arrivals, assumed: numbersOf(frame, 'arrival_assumed') }
}

/**
 * When labels arrived. One of which that is only assumed is not assumed to have come before its
 * event: until then nobody could have known what it was about.
 */
function labelsOf(facts: SourceFacts): LabelArrivals[] {
  const { source, events, labels } = facts
  const { arrivalsUs } = ownEvents(facts)
  if (arrivalsUs === undefined) return labels.map(({ arrivals }) => arrivals)
  const ids = columnOf(events, source.id)
  const arrivalOf = new Map<string, number>()
  for (let row = 0; row < events.rows; row++) {
    if (!Number.isNaN(arrivalsUs[row])) arrivalOf.set(textAt(ids, row)!, arrivalsUs[row])
  }
  return labels.map(({ arrivals, assumed }) => {
    const notBefore = arrivals.arrivalsUs.map((us, row) => {
      const eventUs = arrivalOf.get(textAt(arrivals.eventIds, row)!)
      return assumed[row] === 1 && eventUs !== undefined ? Math.max(us, eventUs + 1) : us
    })
    return { ...arrivals, arrivalsUs: notBefore }
  })
}

function refuseTooLarge(rows: number, { features, name }: CompiledFeatureSet): void {
  if (rows * features.length <= ENTITY_VALUES_MAX) return
  const most = Math.floor(ENTITY_VALUES_MAX / features.length)
  throw featureErrors.training_table_too_large(
    `${rows} rows of the ${features.length} features of ${name} are more than fit into one answer; ` +
      `${most} rows do.`,
  )
}

function tableOf(
  { set, facts, entities }: EntityFeaturesRequest,
  { matrix, labels }: TrainingRows,
): Pick<EntityFeatures, 'frame' | 'columns'> {
  const columns: FrameSchemaColumn[] = []
  const values: Record<string, FrameColumn> = {}
  const add = (column: FrameSchemaColumn, given: FrameColumn) => {
    columns.push(column)
    values[column.name] = given
  }
  const features = new Set(set.features.map(({ name }) => name.toLowerCase()))
  for (const column of facts.source.columns) {
    const given = entities.columns[column.name]
    // A feature that has the name of a column is what was asked for. SQL engines, which will read
    // the table, do not tell names apart by case.
    if (given === undefined || features.has(column.name.toLowerCase())) continue
    add(shownColumn(column), shownValues(column, given))
  }
  for (const { name } of set.features) {
    add({ name, type: 'number' }, matrix.columns[matrix.names.indexOf(name)])
  }
  if (entities.columns[facts.source.id] !== undefined) {
    for (const [name, given] of Object.entries(labels)) {
      if (values[name] === undefined) add({ name, type: 'integer' }, given)
    }
  }
  return { frame: { rows: entities.rows, columns: values }, columns }
}

function shownColumn(column: CompiledColumn): FrameSchemaColumn {
  const { name } = column
  switch (column.kind) {
    case 'eventTime':
    case 'arrivalTime':
      return { name, type: 'time' }
    case 'integer':
    case 'boolean':
      return { name, type: column.kind }
    case 'money':
    case 'number':
      return { name, type: 'number' }
    case 'key':
      return { name, type: column.type === 'integer' ? 'integer' : 'text' }
    case 'id':
    case 'text':
    case 'category':
      return { name, type: 'text' }
  }
}

function shownValues(column: CompiledColumn, given: FrameColumn): FrameColumn {
  if (column.kind !== 'money') return given
  return (given as Float64Array).map((minor) => minor / 10 ** column.exponent)
}
