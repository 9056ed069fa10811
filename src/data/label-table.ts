import { IdColumn, NumberColumn, orderByTime, TextColumn } from './columns.ts'
import type { CompiledLabels } from './contract.ts'
import { fieldText, isFieldUtf8, type CsvRecord } from './csv.ts'
import { notUtf8, spanOf, wrongFieldCount } from './event-table.ts'
import { failure, type Failure } from './failures.ts'
import { labelsSchema, type Frame } from './frame.ts'
import { matchHeader } from './header.ts'
import { createLabelParser, type LabelParser, type ParsedLabel } from './label-parser.ts'
import type { FinishedTable, RowTable } from './row-table.ts'

/**
 * Accepted labels of one ingestion. An event may be labelled many times: all are kept, and the
 * latest arrival wins when labels are read.
 */
export class LabelTable implements RowTable {
  accepted = 0
  private readonly labels: CompiledLabels
  private readonly parser: LabelParser
  private readonly ids = new IdColumn()
  private readonly values = new NumberColumn()
  private readonly eventTimes = new NumberColumn()
  private readonly arrivalTimes = new NumberColumn()
  private readonly assumed = new NumberColumn()
  private readonly authors = new TextColumn()
  private positions: readonly number[] = []
  private width = 0

  constructor(labels: CompiledLabels) {
    this.labels = labels
    this.parser = createLabelParser(labels)
  }

  header(names: readonly string[], input: string): void {
    const wanted = this.parser.columns.map((column) => ({
      names: [column.from, column.name],
      required: !column.nullable,
    }))
    this.positions = matchHeader(names, wanted, [], {
      input,
      contract: `the contract of labels ${JSON.stringify(this.labels.name)}`,
    })
    this.width = names.length
  }

  record(record: CsvRecord): readonly Failure[] | undefined {
    if (record.count !== this.width) return [wrongFieldCount(record.count, this.width)]
    const texts = this.positions.map((field) => (field < 0 ? '' : fieldText(record, field)))
    const wrong = texts.findIndex(
      (text, index) => text !== '' && !isFieldUtf8(record, this.positions[index], text),
    )
    if (wrong >= 0) return [notUtf8(this.parser.columns[wrong].name, texts[wrong])]
    return this.take(this.parser.fromText(texts))
  }

  fields(fields: readonly string[]): readonly Failure[] | undefined {
    if (fields.length !== this.width) return [wrongFieldCount(fields.length, this.width)]
    return this.take(
      this.parser.fromText(this.positions.map((field) => (field < 0 ? '' : fields[field]))),
    )
  }

  object(body: unknown): readonly Failure[] | undefined {
    return this.take(this.parser.fromJson(body))
  }

  /** The accepted labels, in order of (arrival time, row). */
  finish(): FinishedTable {
    const order = orderByTime(this.arrivalTimes)
    const eventTimes = this.eventTimes.take(order)
    const frame: Frame = {
      rows: this.accepted,
      columns: {
        event_id: this.ids.take(order),
        value: this.values.take(order),
        event_time: eventTimes,
        arrival_time: this.arrivalTimes.take(order),
        arrival_assumed: this.assumed.take(order),
        author: this.authors.take(order),
      },
    }
    return { frame, schema: labelsSchema(frame), ...spanOf(this.arrivalTimes.take(order)) }
  }

  private take(parsed: ParsedLabel): readonly Failure[] | undefined {
    if (!parsed.ok) return parsed.failures
    const { eventId, value, eventTimeUs, arrivalTimeUs, author } = parsed.label
    if (eventTimeUs === undefined && arrivalTimeUs === undefined) {
      const message = 'Give event_time or arrival_time: without one the label has no place in time.'
      return [failure(null, 'no_time', null, message)]
    }
    this.ids.add(eventId)
    this.values.add(value)
    this.eventTimes.add(eventTimeUs ?? NaN)
    this.arrivalTimes.add(arrivalTimeUs ?? eventTimeUs! + this.labels.delayUs)
    this.assumed.add(arrivalTimeUs === undefined ? 1 : 0)
    this.authors.add(author)
    this.accepted++
    return undefined
  }
}
