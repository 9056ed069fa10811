import { parseTimestamp } from '../lib/time.ts'
import { checkJson, checkText, isFailure, type Cell } from './cells.ts'
import type { CompiledColumn, CompiledLabels } from './contract.ts'
import { failure, type Failure } from './failures.ts'
import { didYouMean } from './suggestion.ts'

/** One statement about one event. Times are microseconds UTC. */
export interface Label {
  readonly eventId: string
  /** The number that stands for the label, as the labels declaration gives it. */
  readonly value: number
  /** When the labelled event happened, where the label says so. */
  readonly eventTimeUs: number | undefined
  /** When the label became known, where it says so. */
  readonly arrivalTimeUs: number | undefined
  readonly author: string | undefined
}

export type ParsedLabel =
  | { readonly ok: true; readonly label: Label }
  | { readonly ok: false; readonly failures: readonly Failure[] }

export interface LabelParser {
  readonly labels: CompiledLabels
  /** The five columns of a label, in the order of `fromText`'s fields, with their names in files. */
  readonly columns: readonly CompiledColumn[]
  fromText(fields: readonly string[]): ParsedLabel
  /** Members: event_id, value, and optionally event_time, arrival_time, author. */
  fromJson(body: unknown): ParsedLabel
}

/** Makes the parser of labels that come on their own: from a file or one by one. */
export function createLabelParser(labels: CompiledLabels): LabelParser {
  const columns = labelColumns(labels)
  const names = new Map<string, number>()
  columns.forEach((column, index) => names.set(column.from, index).set(column.name, index))
  return {
    labels,
    columns,
    fromText(fields) {
      return assemble(columns.map((column, index) => cellOf(labels, column, fields[index] ?? '')))
    },
    fromJson(body) {
      if (typeof body !== 'object' || body === null || Array.isArray(body)) {
        const message = 'Send one JSON object with event_id and value.'
        return {
          ok: false,
          failures: [failure(null, 'json', JSON.stringify(body) ?? null, message)],
        }
      }
      const values: unknown[] = []
      const failures: Failure[] = []
      for (const [name, value] of Object.entries(body)) {
        const index = names.get(name)
        if (index === undefined) failures.push(unknownMember(name, [...names.keys()]))
        else values[index] = value
      }
      const cells = columns.map((column, index) =>
        column.name === 'value'
          ? valueFromJson(labels, column, values[index])
          : checkJson(column, values[index], labels.timeZone),
      )
      return assemble([...cells, ...failures])
    },
  }
}

/** A label's number from a file's field, which may hold the number or the label's name. */
export function labelValue(labels: CompiledLabels, column: string, text: string): Cell {
  if (Object.hasOwn(labels.values, text)) return labels.values[text]
  for (const code of Object.values(labels.values)) if (String(code) === text) return code
  const names = Object.entries(labels.values).map(([name, code]) => `${name} (${code})`)
  const near = didYouMean(text, Object.keys(labels.values))
  return failure(
    column,
    'category',
    text,
    `${column} must be one of ${names.join(', ')}.` +
      (near === undefined ? '' : ` Did you mean ${JSON.stringify(near)}?`),
  )
}

function labelColumns(labels: CompiledLabels): CompiledColumn[] {
  const base = { nullable: false, personal: false, description: '' }
  const times = {
    ...base,
    kind: 'eventTime' as const,
    nullable: true,
    min: parseTimestamp('1970-01-01')!,
    max: parseTimestamp('2200-01-01')!,
  }
  const { file } = labels
  return [
    { ...base, kind: 'id', name: 'event_id', from: file.eventId, type: 'text' },
    { ...base, kind: 'text', name: 'value', from: file.value, lengthMax: 256 },
    { ...times, name: 'event_time', from: file.eventTime },
    { ...times, name: 'arrival_time', from: file.arrivalTime },
    { ...base, kind: 'text', name: 'author', from: file.author, nullable: true, lengthMax: 256 },
  ]
}

function cellOf(labels: CompiledLabels, column: CompiledColumn, text: string): Cell {
  const cell = checkText(column, text, labels.timeZone)
  if (column.name !== 'value' || typeof cell !== 'string') return cell
  return labelValue(labels, column.name, cell)
}

function valueFromJson(labels: CompiledLabels, column: CompiledColumn, value: unknown): Cell {
  const text = typeof value === 'number' ? String(value) : value
  const cell = checkJson(column, text, labels.timeZone)
  return typeof cell === 'string' ? labelValue(labels, column.name, cell) : cell
}

function assemble(cells: readonly Cell[]): ParsedLabel {
  const failures = cells.filter(isFailure)
  if (failures.length > 0) return { ok: false, failures }
  const [eventId, value, eventTimeUs, arrivalTimeUs, author] = cells as readonly [
    string,
    number,
    number | undefined,
    number | undefined,
    string | undefined,
  ]
  return { ok: true, label: { eventId, value, eventTimeUs, arrivalTimeUs, author } }
}

function unknownMember(name: string, known: readonly string[]): Failure {
  const near = didYouMean(name, known)
  const remedy = near === undefined ? 'Leave it out.' : `Did you mean ${JSON.stringify(near)}?`
  return failure(name.slice(0, 100), 'unknown_field', null, `Labels have no such field. ${remedy}`)
}
