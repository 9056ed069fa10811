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
  enginesOfRows,
  featureErrors,
  trainingRowsInTurns,
  type CompiledFeatureSet,
  type EngineUse,
  type FactOrder,
  type LabelArrivals,
  type SourceEvents,
  type TrainingRows,
} from '../../features/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { KnownEvents } from './live-facts.ts'
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
  /** When the event in a row was accepted, µs UTC. Default: before everything live. */
  readonly acceptedUs?: (row: number) => number
  /** Of the further sources that the feature set reads. */
  readonly others: readonly KnownEvents[]
  readonly labels: readonly KnownLabels[]
  /** Hashes of the snapshots that all this was read from. */
  readonly snapshots: readonly string[]
  /** Events of which a dataset and a journal say different things; what was accepted first counts. */
  readonly conflicting?: number
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
  readonly facts: EntityFactCounts
  /** Which engine gave the values, and why. */
  readonly engines: readonly EngineUse[]
}

export type EntityFactCounts = TrainingRows['facts'] & Pick<Required<SourceFacts>, 'conflicting'>

/** Most values of one table: rows × features. */
export const ENTITY_VALUES_MAX = 4_000_000

/**
 * What the project's datasets hold of the sources of a feature set: the columns that it reads, and
 * labels where it reads them or `withLabels` says so. Labels and events of further sources that were
 * never ingested are none. Error: `dataset_not_found` where the set's own source has no events.
 */
export async function readSourceFacts(
  { sources, labels }: Pick<FlowProject, 'sources' | 'labels'>,
  set: CompiledFeatureSet,
  ports: DatasetPorts,
  withLabels = true,
): Promise<SourceFacts> {
  const source = sources.find(({ name }) => name === set.source)!
  const own = await readDataset(source.name, ports, columnsRead(set, source))
  const snapshots = own.parts.map(({ hash }) => hash)
  const others = await readOtherEvents({ sources }, [set], ports, (of) => columnsRead(set, of))
  snapshots.push(...others.flatMap(({ parts }) => parts.map(({ hash }) => hash)))
  const used = labels.filter(({ of, name }) => {
    return of === source.name && (withLabels || set.labels.some((each) => each.name === name))
  })
  const known: KnownLabels[] = []
  for (const each of used) {
    const found = await readLabels(each.name, ports)
    if (found === undefined) continue
    known.push(knownLabels(each, found.frame))
    snapshots.push(...found.parts.map(({ hash }) => hash))
  }
  return {
    source,
    events: own.frame,
    acceptedUs: own.acceptedUs,
    others: others.map((each) => each.events),
    labels: known,
    snapshots,
  }
}

const labelColumns = new Set(['value', 'arrival_assumed'])

async function readLabels(name: string, ports: DatasetPorts) {
  try {
    return await readDataset(name, ports, labelColumns)
  } catch (error) {
    if (isAssayError(error, 'dataset_not_found')) return undefined
    throw error
  }
}

/** The columns of a source that a set's values follow from. */
function columnsRead(set: CompiledFeatureSet, source: CompiledSource): ReadonlySet<string> {
  const side = set.sources?.find((each) => each.source === source.name)
  const inputs = source.name === set.source ? set.inputs : (side?.inputs ?? [])
  const { id, eventTime, arrivalTime } = source
  const columns = [...inputs.map(({ column }) => column), id, eventTime]
  return new Set(arrivalTime === undefined ? columns : [...columns, arrivalTime])
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
  const counted = { ...found.facts, conflicting: facts.conflicting ?? 0 }
  return { ...tableOf(request, found), facts: counted, engines: enginesOfRows(set) }
}

function ownEvents({ source, events, arrivalsUs }: SourceFacts): SourceEvents {
  return arrivalsUs === undefined ? eventsOf(source, events) : { source, frame: events, arrivalsUs }
}

/** The labels of a snapshot. */
export function knownLabels(of: CompiledLabels, frame: Frame): KnownLabels {
  const arrivals = labelArrivals(of.name, frame)
  return { of, arrivals, assumed: numbersOf(frame, 'arrival_assumed') }
}

function labelsOf(facts: SourceFacts): LabelArrivals[] {
  return labelsNotBeforeEvents(ownEvents(facts), facts.labels)
}

/**
 * When labels arrived. One of which that is only assumed is not assumed to have come before its
 * event: until then nobody could have known what it was about.
 */
export function labelsNotBeforeEvents(
  { source, frame, arrivalsUs }: SourceEvents,
  labels: readonly KnownLabels[],
): LabelArrivals[] {
  if (arrivalsUs === undefined) return labels.map(({ arrivals }) => arrivals)
  const times = numbersOf(frame, source.eventTime)
  const ids = columnOf(frame, source.id)
  return labels.map(({ of, arrivals, assumed }) => {
    // Assumed arrivals are the declared delay after the event: most events came before that.
    const arrivalOf = new Map<string, number>()
    for (let row = 0; row < frame.rows; row++) {
      if (arrivalsUs[row] >= times[row] + of.delayUs) {
        arrivalOf.set(textAt(ids, row)!, arrivalsUs[row])
      }
    }
    if (arrivalOf.size === 0) return arrivals
    const notBefore = arrivals.arrivalsUs.map((us, row) => {
      if (assumed[row] !== 1) return us
      const eventUs = arrivalOf.get(textAt(arrivals.eventIds, row)!)
      return eventUs === undefined ? us : Math.max(us, eventUs + 1)
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
