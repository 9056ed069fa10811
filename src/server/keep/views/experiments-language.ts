// The words in which runs are asked for: the vocabulary of filters, and the columns of the table with
// the fields behind them. A column's key is what a filter and an order call it.
import type { Identity } from '../../../access/index.ts'
import type { Filter } from '../../../lib/filter.ts'
import { FilterError, parseFilter, type Vocabulary } from '../../../lib/filter-text.ts'
import { parseTimestamp } from '../../../lib/time.ts'
import {
  trackingErrors,
  type NameCount,
  type RunAttribute,
  type RunField,
  type RunParts,
  type SearchOrder,
} from '../../../tracking/index.ts'
import { runColumnKinds, type RunColumn } from '../../contract/index.ts'

interface AttributeColumn {
  readonly name: string
  readonly title: string
  /** What is kept of a run; without it the column is worked out and has no order. */
  readonly field?: RunAttribute
}

/** The names that MLflow's clients use, so that what works there works here. */
const attributes: readonly AttributeColumn[] = [
  { name: 'run_name', title: 'Run', field: 'name' },
  { name: 'status', title: 'Status', field: 'status' },
  { name: 'start_time', title: 'Started', field: 'startedAtUs' },
  { name: 'end_time', title: 'Ended', field: 'endedAtUs' },
  { name: 'duration', title: 'Took' },
  { name: 'user_id', title: 'By', field: 'startedBy' },
  { name: 'experiment', title: 'Experiment' },
  { name: 'version', title: 'Version' },
  { name: 'run_id', title: 'Run id', field: 'id' },
]

/** Other names of the same things. */
const aliases: Readonly<Record<string, string>> = {
  id: 'run_id',
  name: 'run_name',
  by: 'user_id',
  started: 'start_time',
  ended: 'end_time',
  created: 'start_time',
}

/** MLflow's words for a status that ours are not in small letters. */
const statusWords: Readonly<Record<string, string>> = { killed: 'cancelled' }

const attributeOf = (name: string): AttributeColumn | undefined =>
  attributes.find((each) => each.name === (aliases[name] ?? name))

export function vocabularyOf(people: readonly Identity[]): Vocabulary<RunField> {
  const known = attributes.filter(({ field }) => field !== undefined).map(({ name }) => name)
  return {
    known: `There are metrics.NAME, params.NAME, tags.NAME, datasets.name, .digest and .context, and ${known.join(', ')}.`,
    keyOf(entity = 'attributes', name) {
      switch (entity.toLowerCase().replace(/s$/, '')) {
        case 'metric':
          return { field: { of: 'metric', name }, type: 'number' }
        case 'param':
        case 'parameter':
          return { field: { of: 'param', name }, type: 'text' }
        case 'tag':
          return { field: { of: 'tag', name }, type: 'text' }
        case 'dataset':
          return name === 'name' || name === 'digest' || name === 'context'
            ? { field: { of: 'dataset', name }, type: 'text' }
            : undefined
        case 'attribute':
        case 'attr':
        case 'run':
          return attributeKey(name, people)
        default:
          return undefined
      }
    },
  }
}

const orders = ['=', '!=', '<', '<=', '>', '>='] as const

function attributeKey(name: string, people: readonly Identity[]) {
  const field = attributeOf(name)?.field
  if (field === undefined) return undefined
  const plain = { field: { of: 'attribute', name: field } as const, type: 'text' as const }
  switch (field) {
    case 'status':
      return { ...plain, convert: (value: string | number) => statusOf(String(value)) }
    case 'startedBy':
      return { ...plain, convert: (value: string | number) => personOf(String(value), people) }
    case 'startedAtUs':
    case 'endedAtUs':
      return { ...plain, type: 'number' as const, operators: orders, convert: instantToUs }
    default:
      return plain
  }
}

function statusOf(word: string): string {
  const small = word.toLowerCase()
  return statusWords[small] ?? small
}

/** People are written by their name; what is kept is their id. */
function personOf(word: string, people: readonly Identity[]): string {
  return people.find(({ name }) => name === word)?.id ?? word
}

/**
 * MLflow's clients give milliseconds; people write a day or an instant, in quotes. Undefined, which
 * the reader of filters refuses, where it is no time.
 */
function instantToUs(value: string | number): number | undefined {
  if (typeof value === 'number') return Math.round(value * 1000)
  return parseTimestamp(value)
}

/** Reads a filter. Error: `filter_invalid`, with the `position` at which reading came to an end. */
export function filterOf(text: string, people: readonly Identity[]): Filter<RunField> {
  try {
    return parseFilter(text, vocabularyOf(people))
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    const { message, position } = error
    throw trackingErrors.filter_invalid(message, { extra: { position } })
  }
}

/** `metrics.auc desc, attributes.run_name`; error: `filter_invalid`. */
export function orderOf(text: string | undefined): SearchOrder<RunField>[] {
  return keysIn(text).map((item) => {
    const [, key = '', direction = 'asc'] = /^(.*?)(?:\s+(asc|desc))?$/is.exec(item) ?? []
    const column = columnOf(key)
    const field = column && fieldOf(column)
    if (field === undefined) {
      throw trackingErrors.filter_invalid(`Runs cannot be put in the order of "${key}".`)
    }
    return { field, descending: direction.toLowerCase() === 'desc' }
  })
}

/** The parts of a list of keys; a comma or per cent sign within a name is per-cent encoded. */
export function keysIn(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((part) => decoded(part.trim()))
    .filter((part) => part !== '')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const namedKinds = runColumnKinds.filter((kind) => kind !== 'attribute')

/** The column of a key; undefined where no run could have one. */
export function columnOf(key: string): RunColumn | undefined {
  const kind = namedKinds.find((each) => key.startsWith(`${each}s.`))
  if (kind !== undefined) {
    const name = key.slice(kind.length + 2)
    return { key, kind, name, title: name, sortable: true }
  }
  const attribute = attributeOf(key.replace(/^attributes?\./, ''))
  return attribute && attributeColumn(attribute)
}

function attributeColumn({ name, title, field }: AttributeColumn): RunColumn {
  return {
    key: `attributes.${name}`,
    kind: 'attribute',
    name,
    title,
    sortable: field !== undefined,
  }
}

function fieldOf({ kind, name }: RunColumn): RunField | undefined {
  if (kind !== 'attribute') return { of: kind, name }
  const field = attributeOf(name)?.field
  return field && { of: 'attribute', name: field }
}

/** Every column there is, attributes first, with the number of runs that have it. */
export function allColumns(names: {
  readonly metrics: readonly NameCount[]
  readonly params: readonly NameCount[]
  readonly tags: readonly NameCount[]
}): (RunColumn & { runs: number })[] {
  const named = (kind: 'metric' | 'param' | 'tag', counts: readonly NameCount[]) =>
    counts.map(({ name, runs }) => ({
      key: `${kind}s.${name}`,
      kind,
      name,
      title: name,
      sortable: true,
      runs,
    }))
  return [
    ...attributes.map((attribute) => ({ ...attributeColumn(attribute), runs: 0 })),
    ...named('metric', names.metrics),
    ...named('param', names.params),
    ...named('tag', names.tags),
  ]
}

/** What must be read of runs to show these columns, and no more. */
export function partsOf(columns: readonly RunColumn[]): RunParts {
  const names = (kind: RunColumn['kind']) => {
    const wanted = columns.filter((column) => column.kind === kind).map(({ name }) => name)
    return wanted.length === 0 ? ('none' as const) : wanted
  }
  return { metrics: names('metric'), params: names('param'), tags: names('tag'), files: 'none' }
}
