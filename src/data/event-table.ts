import { checkText, isFailure } from './cells.ts'
import { integerReader, numberReader, type ReadNumber } from './cell-bytes.ts'
import { IdColumn, NumberColumn, orderByTime, TextColumn } from './columns.ts'
import { eventConflict } from './conflicts.ts'
import type { CompiledColumn, CompiledLabels, CompiledSource } from './contract.ts'
import { fieldText, isFieldUtf8, type CsvRecord } from './csv.ts'
import { failure, type Failure } from './failures.ts'
import { labelsSchema, sourceSchema, type Frame, type FrameColumn } from './frame.ts'
import { matchHeader, type WantedColumn } from './header.ts'
import { IdSet } from './id-set.ts'
import { labelValue } from './label-parser.ts'
import { createRowParser, type Row } from './row-parser.ts'
import type { FinishedTable, RowTable } from './row-table.ts'

type Builder =
  | { readonly holds: 'numbers'; readonly values: NumberColumn }
  | { readonly holds: 'text'; readonly values: TextColumn }
  | { readonly holds: 'ids'; readonly values: IdColumn }

export interface EventTableOptions {
  /** Labels that stand in a column of the source's own files. */
  readonly labels?: CompiledLabels | undefined
  /** Whether files may lack the labels' column: files to be scored have none. */
  readonly labelsOptional?: boolean | undefined
  /** Ids that are taken already. */
  readonly seen?: IdSet | undefined
  /** Ids of events of which something else was accepted before. */
  readonly conflicting?: ReadonlySet<string> | undefined
}

/**
 * Accepted events of one ingestion, column by column, with their labels where the file carries
 * them. A row is added whole or not at all.
 */
export class EventTable implements RowTable {
  accepted = 0
  private readonly source: CompiledSource
  private readonly labels: CompiledLabels | undefined
  private readonly labelsOptional: boolean
  private readonly columns: readonly CompiledColumn[]
  private readonly builders: readonly Builder[]
  private readonly readers: readonly (ReadNumber | undefined)[]
  private readonly parser: ReturnType<typeof createRowParser>
  private readonly seen: IdSet
  private readonly conflicting: ReadonlySet<string> | undefined
  private readonly labelCodes = new NumberColumn()
  private readonly idAt: number
  /** The row being checked, by column: numbers here, text beside it. NaN and undefined: no value. */
  private readonly numbers: Float64Array
  private readonly texts: (string | undefined)[]
  /** Where each column, and the label after them, stands in the file; −1: nowhere. */
  private positions: readonly number[] = []
  private width = 0

  constructor(source: CompiledSource, options: EventTableOptions = {}) {
    const { columns, timeZone } = source
    this.source = source
    this.columns = columns
    this.labels = options.labels?.from === null ? undefined : options.labels
    this.labelsOptional = options.labelsOptional ?? false
    this.seen = options.seen ?? new IdSet()
    this.conflicting = options.conflicting
    this.builders = columns.map(builderFor)
    this.readers = columns.map((column) =>
      column.kind === 'id' ? plainIdReader : numberReader(column, timeZone),
    )
    this.parser = createRowParser(source)
    this.idAt = columns.findIndex((column) => column.name === source.id)
    this.numbers = new Float64Array(columns.length)
    this.texts = new Array<string | undefined>(columns.length)
  }

  header(names: readonly string[], input: string): void {
    const { source, labels } = this
    const wanted: WantedColumn[] = source.columns.map((column) => ({
      names: [column.from, column.name],
      required: true,
    }))
    if (labels !== undefined) {
      wanted.push({ names: [labels.from!], required: !this.labelsOptional })
    }
    this.positions = matchHeader(names, wanted, source.ignore, {
      input,
      contract: `the contract of source ${JSON.stringify(source.name)}`,
    })
    this.width = names.length
  }

  record(record: CsvRecord, row: number): readonly Failure[] | undefined {
    if (record.count !== this.width) return [wrongFieldCount(record.count, this.width)]
    const { columns, readers, positions, numbers } = this
    const { bytes, starts, ends, doubled } = record
    let failures: Failure[] | undefined
    for (let index = 0; index < columns.length; index++) {
      const field = positions[index]
      const reader = readers[index]
      if (reader !== undefined && doubled[field] === 0) {
        const value = reader(bytes, starts[field], ends[field])
        if (value === value) {
          numbers[index] = value
          this.texts[index] = undefined
          continue
        }
      }
      const text = fieldText(record, field)
      const failed = isFieldUtf8(record, field, text)
        ? this.keep(index, text)
        : notUtf8(columns[index].name, text)
      if (failed !== undefined) (failures ??= []).push(failed)
    }
    return this.finishRow(failures, this.labelOfRecord(record), row)
  }

  fields(fields: readonly string[], row: number): readonly Failure[] | undefined {
    if (fields.length !== this.width) return [wrongFieldCount(fields.length, this.width)]
    let failures: Failure[] | undefined
    for (let index = 0; index < this.columns.length; index++) {
      const failed = this.keep(index, fields[this.positions[index]])
      if (failed !== undefined) (failures ??= []).push(failed)
    }
    const position = this.labels === undefined ? -1 : this.positions[this.columns.length]
    const label = position < 0 ? NaN : this.labelOf(fields[position])
    return this.finishRow(failures, label, row)
  }

  object(body: unknown, row: number): readonly Failure[] | undefined {
    const { event, label } = this.splitLabel(body)
    const parsed = this.parser.fromJson(event)
    if (parsed.ok) parsed.row.forEach((value, index) => this.set(index, value))
    return this.finishRow(parsed.ok ? undefined : [...parsed.failures], label, row)
  }

  /** The accepted rows, in order of (event time, row). */
  finish(): FinishedTable {
    const times = this.timeColumn()
    const order = orderByTime(times)
    const columns: Record<string, FrameColumn> = {}
    this.columns.forEach((column, index) => {
      columns[column.name] = this.builders[index].values.take(order)
    })
    const frame: Frame = { rows: this.accepted, columns }
    const sorted = columns[this.source.eventTime] as Float64Array
    return { frame, schema: sourceSchema(this.source, frame), ...spanOf(sorted) }
  }

  /**
   * The labels of the accepted rows. Bulk files do not say when a label became known: it is assumed
   * to arrive the declared delay after its event, and marked so. Undefined where there are none.
   */
  finishLabels(events: Frame): FinishedTable | undefined {
    const { labels, labelCodes } = this
    if (labels === undefined || labelCodes.length === 0) return undefined
    const codes = labelCodes.take(orderByTime(this.timeColumn()))
    const rows: number[] = []
    for (let row = 0; row < codes.length; row++) if (!Number.isNaN(codes[row])) rows.push(row)
    if (rows.length === 0) return undefined
    const order = Uint32Array.from(rows)
    const ids = events.columns[this.source.id]
    const times = pick(events.columns[this.source.eventTime] as Float64Array, order)
    const frame: Frame = {
      rows: order.length,
      columns: {
        event_id:
          ids instanceof Float64Array ? pick(ids, order) : Array.from(order, (row) => ids[row]),
        value: pick(codes, order),
        event_time: times,
        arrival_time: times.map((us) => us + labels.delayUs),
        arrival_assumed: new Float64Array(order.length).fill(1),
        author: new Array<string | undefined>(order.length).fill(undefined),
      },
    }
    return { frame, schema: labelsSchema(frame), ...spanOf(times) }
  }

  private timeColumn(): NumberColumn {
    const at = this.columns.findIndex((column) => column.name === this.source.eventTime)
    return this.builders[at].values as NumberColumn
  }

  /** Checks a field's text and keeps its value; returns what is wrong with it. */
  private keep(index: number, text: string): Failure | undefined {
    const cell = checkText(this.columns[index], text, this.source.timeZone)
    if (isFailure(cell)) return cell
    this.set(index, cell)
    return undefined
  }

  private set(index: number, value: Row[number]): void {
    this.numbers[index] = typeof value === 'number' ? value : NaN
    this.texts[index] = typeof value === 'string' ? value : undefined
  }

  private labelOfRecord(record: CsvRecord): number | Failure {
    if (this.labels === undefined) return NaN
    const field = this.positions[this.columns.length]
    if (field < 0) return NaN
    // Labels are mostly one digit; only what is not goes through text.
    const start = record.starts[field]
    if (record.ends[field] - start === 1) {
      const digit = record.bytes[start] - 0x30
      if (digit >= 0 && digit <= 9 && this.digitCodes[digit] === 1) return digit
    }
    return this.labelOf(fieldText(record, field))
  }

  /** 1 for each digit that is a label's number. */
  private get digitCodes(): Uint8Array {
    this.digitCodesKnown ??= digitsOf(this.labels)
    return this.digitCodesKnown
  }
  private digitCodesKnown: Uint8Array | undefined

  private labelOf(text: string): number | Failure {
    if (text === '') return NaN
    return labelValue(this.labels!, this.labels!.from!, text) as number | Failure
  }

  private splitLabel(body: unknown): { event: unknown; label: number | Failure } {
    const from = this.labels?.from
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
    if (from === undefined || from === null || !isObject) return { event: body, label: NaN }
    const { [from]: label, ...event } = body as Record<string, unknown>
    if (label === undefined || label === null) {
      if (this.labelsOptional) return { event, label: NaN }
      return { event, label: failure(from, 'missing', null, `${from} is empty; send the label.`) }
    }
    return { event, label: this.labelOf(String(label)) }
  }

  /** Adds the checked row, unless something is wrong or its id was seen before. */
  private finishRow(
    failed: Failure[] | undefined,
    label: number | Failure,
    row: number,
  ): readonly Failure[] | undefined {
    let failures = failed
    if (isFailure(label)) (failures ??= []).push(label)
    if (failures !== undefined) return failures
    const id = this.texts[this.idAt] ?? this.numbers[this.idAt]
    if (this.conflicting?.has(String(id)) === true) {
      return [eventConflict(this.columns[this.idAt], String(id))]
    }
    if (!this.seen.add(id)) return [duplicateId(this.columns[this.idAt], String(id), row)]
    for (let index = 0; index < this.builders.length; index++) {
      const builder = this.builders[index]
      if (builder.holds === 'numbers') builder.values.add(this.numbers[index])
      else if (builder.holds === 'text') builder.values.add(this.texts[index])
      else builder.values.add(id)
    }
    if (this.labels !== undefined) this.labelCodes.add(label as number)
    this.accepted++
    return undefined
  }
}

/** Ids are read as numbers where their text is that of a plain integer. */
const plainIdReader = integerReader(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)

function builderFor(column: CompiledColumn): Builder {
  switch (column.kind) {
    case 'id':
      return { holds: 'ids', values: new IdColumn() }
    case 'text':
    case 'category':
      return { holds: 'text', values: new TextColumn() }
    case 'key':
      return column.type === 'text'
        ? { holds: 'text', values: new TextColumn() }
        : { holds: 'numbers', values: new NumberColumn() }
    case 'eventTime':
    case 'arrivalTime':
    case 'money':
    case 'integer':
    case 'number':
    case 'boolean':
      return { holds: 'numbers', values: new NumberColumn() }
  }
}

function digitsOf(labels: CompiledLabels | undefined): Uint8Array {
  const digits = new Uint8Array(10)
  for (const code of Object.values(labels?.values ?? {}))
    if (code >= 0 && code <= 9) digits[code] = 1
  return digits
}

function pick(values: Float64Array, order: Uint32Array): Float64Array {
  const picked = new Float64Array(order.length)
  for (let row = 0; row < order.length; row++) picked[row] = values[order[row]]!
  return picked
}

/** First and last time of times in order; null where there are no rows. */
export function spanOf(times: Float64Array): { fromUs: number | null; toUs: number | null } {
  return { fromUs: times[0] ?? null, toUs: times[times.length - 1] ?? null }
}

export function wrongFieldCount(given: number, wanted: number): Failure {
  const message = `The row has ${given} fields, but the header has ${wanted}.`
  return failure(null, 'field_count', String(given), message)
}

export function notUtf8(column: string | null, text: string): Failure {
  return failure(
    column,
    'encoding',
    text,
    'The bytes are not valid UTF-8; write the file as UTF-8.',
  )
}

function duplicateId(column: CompiledColumn, id: string, row: number): Failure {
  const message = `An earlier row has the same ${column.name}; row ${row} was set aside.`
  return failure(column.name, 'duplicate_id', id, message)
}
