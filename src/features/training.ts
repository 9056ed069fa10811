// Training rows: the features of given entities as of given times, by a replay of the live operator
// over facts in the order in which they became known.
import type { CompiledSource, Frame, FrameColumn, Row } from '../data/index.ts'
import { textAt } from '../data/index.ts'
import type { Matrix } from '../lib/matrix.ts'
import type { CompiledFeatureSet } from './compiled.ts'
import { fail } from './errors.ts'
import { byArrival, type SourceEvents } from './event-stream.ts'
import type { LabelArrivals } from './history.ts'
import { createFeatureState } from './operator/state.ts'
import { KnownFacts, type FactCounts } from './training-facts.ts'

/**
 * What a value as of t rests on. `as-decided`: the facts that had arrived by t, as a decision at t
 * had them. `as-corrected`: every event from its own time on however late it arrived, and every
 * label with the value that it was given last from the time on at which its first value arrived.
 * Neither sees an event or a label before its time.
 */
export const factOrders = ['as-decided', 'as-corrected'] as const
export type FactOrder = (typeof factOrders)[number]

/** What is asked for, in columns of equal length; answers come in the same order. */
export interface EntityRows {
  readonly rows: number
  /**
   * Microseconds UTC. NaN: as of the event that the row names, whose own columns and place among
   * the facts then hold instead of the row's.
   */
  readonly timesUs: Float64Array
  /**
   * Keys and request-time values by the source's column names, in the form of the events' frame;
   * a column that is left out is missing.
   */
  readonly columns: Readonly<Record<string, FrameColumn>>
  /** The event that a row belongs to, for its label; undefined or NaN where there is none. */
  readonly eventIds?: FrameColumn
}

export interface TrainingRequest extends SourceEvents {
  readonly sets: readonly CompiledFeatureSet[]
  /** Events of the further sources that the sets read; those of others are left alone. */
  readonly others?: readonly SourceEvents[]
  readonly labels?: readonly LabelArrivals[]
  readonly rows: EntityRows
  /** Default `as-decided`. */
  readonly order?: FactOrder
}

export interface TrainingRows {
  /** One row an asked row, in their order; columns as the operator names them. NaN is missing. */
  readonly matrix: Matrix
  /** The label of each row's event by labels declaration: the number given last, else NaN. */
  readonly labels: Readonly<Record<string, Float64Array>>
  readonly order: FactOrder
  readonly facts: FactCounts
}

/**
 * The features of each row as of its time. A key without events has counts of zero; a row without
 * the key has missing values. Fails with `training_event_unknown` where a row without a time names
 * an event that is not there, `training_row_timeless` where it names none, and
 * `feature_history_unordered`.
 */
export function trainingRows(request: TrainingRequest): TrainingRows {
  const steps = trainingSteps(request)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/**
 * As `trainingRows`, with a pause for other work of the process every few milliseconds: `turn`
 * resolves when this work may go on.
 */
export async function trainingRowsInTurns(
  request: TrainingRequest,
  turn: () => Promise<void>,
): Promise<TrainingRows> {
  const steps = trainingSteps(request)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    await turn()
  }
}

const FACTS_A_STEP = 2048
const EVENTS_SHOWN = 5

/** The replay, which stops after every few thousand facts or rows. */
function* trainingSteps(request: TrainingRequest): Generator<undefined, TrainingRows> {
  const { source, frame, rows, order = 'as-decided', others = [] } = request
  const state = createFeatureState(
    request.sets,
    source,
    others.map((other) => other.source),
  )
  const answers = new Answers(state.names, rows, source)
  const facts = new KnownFacts(request, order, state, (id, values) => answers.hear(id, values))
  const asked = answers.inOrder()
  for (let next = 0; next < asked.length; next++) {
    const row = asked[next]
    while (facts.applyNext(rows.timesUs[row])) if (facts.steps % FACTS_A_STEP === 0) yield undefined
    answers.set(row, state.valuesAt(answers.rowAt(row)))
    if (next % FACTS_A_STEP === 0) yield undefined
  }
  while (answers.waiting > 0 && facts.applyNext(Infinity)) {
    if (facts.steps % FACTS_A_STEP === 0) yield undefined
  }
  answers.refuseUnknown(source, frame)
  const labels = (request.labels ?? []).map(
    (each) => [each.labels, lastLabels(each, rows)] as const,
  )
  return {
    matrix: answers.matrix,
    labels: Object.fromEntries(labels),
    order,
    facts: facts.counts,
  }
}

/** The asked rows and what is known of them so far. */
class Answers {
  readonly matrix: Matrix
  /** Events that rows wait for, of which nothing has been heard yet. */
  waiting = 0
  private readonly asked: EntityRows
  private readonly columns: readonly (FrameColumn | undefined)[]
  private readonly timePosition: number
  private readonly row: (number | string | undefined)[]
  private readonly rowsOfEvent = new Map<string, number[]>()

  constructor(names: readonly string[], asked: EntityRows, source: CompiledSource) {
    const { rows } = asked
    this.asked = asked
    this.matrix = { names, rows, columns: names.map(() => new Float64Array(rows).fill(NaN)) }
    this.columns = source.columns.map(({ name }) => asked.columns[name])
    this.timePosition = source.columns.findIndex(({ name }) => name === source.eventTime)
    this.row = source.columns.map(() => undefined)
  }

  /** The rows with a time, in its order; the others wait for their events. */
  inOrder(): Uint32Array {
    const { timesUs, eventIds, rows } = this.asked
    const timed: number[] = []
    for (let row = 0; row < rows; row++) {
      if (!Number.isNaN(timesUs[row])) timed.push(row)
      else this.wait(row, eventIds === undefined ? undefined : textAt(eventIds, row))
    }
    return Uint32Array.from(timed.sort((a, b) => timesUs[a] - timesUs[b] || a - b))
  }

  /** The asked row in the source's form; it holds until the next call. */
  rowAt(at: number): Row {
    const { columns, row } = this
    for (let c = 0; c < columns.length; c++) {
      const value = columns[c]?.[at]
      row[c] = typeof value === 'number' && Number.isNaN(value) ? undefined : value
    }
    row[this.timePosition] = this.asked.timesUs[at]
    return row
  }

  set(row: number, values: Float64Array): void {
    const { columns } = this.matrix
    for (let c = 0; c < columns.length; c++) columns[c][row] = values[c]
  }

  /** The values with which an event entered, or that it did not enter. */
  hear(eventId: string | undefined, values: Float64Array): void {
    if (this.waiting === 0 || eventId === undefined) return
    const rows = this.rowsOfEvent.get(eventId)
    if (rows === undefined) return
    for (const row of rows) this.set(row, values)
    this.rowsOfEvent.delete(eventId)
    this.waiting = this.rowsOfEvent.size
  }

  /** Error: `training_event_unknown` where rows still wait for an event after all were heard. */
  refuseUnknown(source: CompiledSource, frame: Frame): void {
    if (this.waiting === 0) return
    const shown = [...this.rowsOfEvent.entries()]
      .slice(0, EVENTS_SHOWN)
      .map(([eventId, [row]]) => `${JSON.stringify(eventId.slice(0, 80))} (row ${row + 1})`)
    const more = this.waiting > shown.length ? `, and ${this.waiting - shown.length} more` : ''
    throw fail.training_event_unknown(
      `Among the ${frame.rows} events of ${source.name} there is no ${source.id} ` +
        `${shown.join(', ')}${more}.`,
    )
  }

  private wait(row: number, eventId: string | undefined): void {
    if (eventId === undefined) {
      throw fail.training_row_timeless(`Row ${row + 1} has neither a time nor an event.`)
    }
    const rows = this.rowsOfEvent.get(eventId)
    if (rows === undefined) this.rowsOfEvent.set(eventId, [row])
    else rows.push(row)
    this.waiting = this.rowsOfEvent.size
  }
}

/** The label that each row's event has in the end, however late it came: what a model learns from. */
function lastLabels(labels: LabelArrivals, { rows, eventIds }: EntityRows): Float64Array {
  const found = new Float64Array(rows).fill(Number.NaN)
  if (eventIds === undefined) return found
  const asked = new Set<string | undefined>()
  for (let row = 0; row < rows; row++) asked.add(textAt(eventIds, row))
  const last = new Map<string, number>()
  for (const row of byArrival(labels.arrivalsUs)) {
    const id = textAt(labels.eventIds, row)!
    if (asked.has(id)) last.set(id, labels.values[row])
  }
  for (let row = 0; row < rows; row++) {
    const id = textAt(eventIds, row)
    if (id !== undefined) found[row] = last.get(id) ?? Number.NaN
  }
  return found
}
