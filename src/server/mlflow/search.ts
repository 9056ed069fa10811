// MLflow's words for what can be searched (mlflow/utils/search_utils.py), as vocabularies of our filter
// language: its units and its names of statuses become ours, its several names of one thing one field.
import { matches, type ComparisonOperator, type Filter } from '../../lib/filter.ts'
import {
  FilterError,
  parseFilter,
  parseOrder,
  type FilterKey,
  type Vocabulary,
} from '../../lib/filter-text.ts'
import { own } from '../../lib/records.ts'
import {
  artifactUri,
  trackingErrors,
  type ExperimentField,
  type LoggedModelField,
  type RunField,
  type SearchOrder,
} from '../../tracking/index.ts'
import { runNameTag, runStatusNames, statusOf, toUs, userTag } from './encode.ts'

export const orders: readonly ComparisonOperator[] = ['=', '!=', '<', '<=', '>', '>=']
export const patterns: readonly ComparisonOperator[] = ['=', '!=', 'like', 'ilike']
const nullable: readonly ComparisonOperator[] = [...patterns, 'is-null', 'is-not-null']
export const listed: readonly ComparisonOperator[] = [...patterns, 'in', 'not-in']

const ms = (value: string | number) => (typeof value === 'number' ? toUs(value) : undefined)

export type Attributes<Field> = Readonly<Record<string, FilterKey<Field>>>

/** An attribute that is a text, and one that is a time, sent in milliseconds. */
export const textKey = <const Name extends string>(
  name: Name,
  operators: readonly ComparisonOperator[],
) => ({ field: { of: 'attribute', name }, type: 'text', operators }) as const
export const timeKey = <const Name extends string>(name: Name) =>
  ({
    field: { of: 'attribute', name },
    type: 'number',
    operators: orders,
    convert: ms,
  }) as const

const runAttributes: Attributes<RunField> = withAliases<RunField>(
  {
    run_id: textKey('id', listed),
    run_name: textKey('name', listed),
    status: textKey('status', listed),
    user_id: { field: { of: 'tag', name: userTag }, type: 'text', operators: listed },
    artifact_uri: {
      field: { of: 'attribute', name: 'artifactUri' },
      type: 'text',
      // The address is made of what is kept, so patterns of it cannot be looked up.
      operators: ['=', '!=', 'in', 'not-in'],
      convert: (value) => {
        const run = /\/([^/]+)\/artifacts$/.exec(String(value))?.[1]
        return run === undefined ? value : artifactUri(run)
      },
    },
    start_time: timeKey('startedAtUs'),
    end_time: timeKey('endedAtUs'),
  },
  {
    start_time: ['created', 'Created'],
    run_name: ['run name', 'Run name', 'Run Name'],
  },
)

const datasetNames = ['name', 'digest', 'context'] as const

const runs: Vocabulary<RunField> = {
  known:
    'Keys are metrics.<key>, params.<key>, tags.<key>, datasets.name, .digest and .context, and the attributes ' +
    Object.keys(runAttributes).join(', '),
  keyOf(entity = 'attribute', name) {
    switch (singular(entity)) {
      case 'metric':
        return {
          field: { of: 'metric', name },
          type: 'number',
          operators: [...orders, 'is-null', 'is-not-null'],
        }
      case 'param':
        return { field: { of: 'param', name }, type: 'text', operators: nullable }
      case 'tag':
        return { field: tagField(name), type: 'text', operators: nullable }
      case 'dataset': {
        const known = datasetNames.find((each) => each === name)
        return known && { field: { of: 'dataset', name: known }, type: 'text', operators: listed }
      }
      case 'attribute':
        return own(runAttributes, name)
      default:
        return undefined
    }
  },
}

/** A run's name is not kept as a tag. */
function tagField(name: string): RunField {
  return name === runNameTag ? { of: 'attribute', name: 'name' } : { of: 'tag', name }
}

const experimentAttributes: Attributes<ExperimentField> = {
  name: textKey('name', patterns),
  experiment_id: textKey('id', listed),
  creation_time: timeKey('createdAtUs'),
  last_update_time: timeKey('updatedAtUs'),
}

const experiments = tagsAnd(experimentAttributes, nullable)

/** The vocabulary of things that have tags and these attributes. */
export function tagsAnd<Field>(
  attributes: Attributes<Field>,
  operators: readonly ComparisonOperator[],
): Vocabulary<Field | { readonly of: 'tag'; readonly name: string }> {
  return {
    known: `Keys are tags.<key>, and the attributes ${Object.keys(attributes).join(', ')}`,
    keyOf(entity = 'attribute', name) {
      const kind = singular(entity)
      if (kind === 'tag') return { field: { of: 'tag', name }, type: 'text', operators }
      return kind === 'attribute' ? own(attributes, name) : undefined
    },
  }
}

/** The vocabulary of an order that knows these attributes alone. */
export function onlyKeys<Field>(fields: Readonly<Record<string, Field>>): Vocabulary<Field> {
  return {
    known: `Valid keys are ${Object.keys(fields).join(', ')}`,
    keyOf(entity = 'attribute', name) {
      const field = singular(entity) === 'attribute' ? own(fields, name) : undefined
      return field === undefined ? undefined : { field, type: 'text' }
    },
  }
}

const modelAttributes: Attributes<LoggedModelField> = withAliases<LoggedModelField>(
  {
    name: textKey('name', listed),
    model_id: textKey('id', listed),
    model_type: textKey('modelType', listed),
    source_run_id: textKey('sourceRunId', listed),
    status: {
      ...textKey('status', listed),
      convert: (value) => own(modelStatusWords, String(value)) ?? value,
    },
    creation_timestamp_ms: timeKey('createdAtUs'),
    last_updated_timestamp_ms: timeKey('updatedAtUs'),
  },
  {
    creation_timestamp_ms: ['creation_time', 'creation_timestamp'],
    last_updated_timestamp_ms: ['last_updated_timestamp', 'last_updated_time'],
  },
)

const modelStatusWords: Readonly<Record<string, string>> = {
  PENDING: 'pending',
  READY: 'ready',
  FAILED: 'failed',
  LOGGED_MODEL_PENDING: 'pending',
  LOGGED_MODEL_READY: 'ready',
  LOGGED_MODEL_UPLOAD_FAILED: 'failed',
}

const loggedModels: Vocabulary<LoggedModelField> = {
  known: `Keys are metrics.<key>, params.<key>, tags.<key>, and the attributes ${Object.keys(modelAttributes).join(', ')}`,
  keyOf(entity = 'attribute', name) {
    switch (singular(entity)) {
      case 'metric':
        return { field: { of: 'metric', name }, type: 'number', operators: orders }
      case 'param':
        return { field: { of: 'param', name }, type: 'text', operators: listed }
      case 'tag':
        return { field: { of: 'tag', name }, type: 'text', operators: listed }
      case 'attribute':
        return own(modelAttributes, name)
      default:
        return undefined
    }
  },
}

interface SearchTexts {
  readonly filter: string | undefined
  readonly orderBy: readonly string[]
}

interface ReadSearch<Field> {
  readonly filter: Filter<Field>
  readonly order: readonly SearchOrder<Field>[]
}

export function readRunSearch(texts: SearchTexts): ReadSearch<RunField> {
  const { filter, order } = readSearch(runs, texts)
  return { filter: withOurStatuses(filter), order }
}

/** Statuses have other names here, so a comparison with theirs becomes a list of those it means. */
function withOurStatuses(filter: Filter<RunField>): Filter<RunField> {
  if ('all' in filter) return { all: filter.all.map(withOurStatuses) }
  if ('any' in filter) return { any: filter.any.map(withOurStatuses) }
  const { field } = filter
  if (field.of !== 'attribute' || field.name !== 'status') return filter
  const meant = runStatusNames.filter((name) => matches({ ...filter, field: name }, () => name))
  return { field, op: 'in', value: meant.map(statusOf) }
}

export const readExperimentSearch = (texts: SearchTexts) => readSearch(experiments, texts)
export const readLoggedModelSearch = (texts: SearchTexts) => readSearch(loggedModels, texts)

const ORDERS_MAX = 20

/** Both texts of a search. Errors: `filter_invalid`. */
export function readSearch<Field>(
  vocabulary: Vocabulary<Field>,
  { filter, orderBy }: SearchTexts,
): ReadSearch<Field> {
  if (orderBy.length > ORDERS_MAX) {
    throw trackingErrors.filter_invalid(
      `order_by has ${orderBy.length} fields; at most ${ORDERS_MAX} are read.`,
    )
  }
  return {
    filter: explained('filter', filter ?? '', (text) => parseFilter(text, vocabulary)),
    order: orderBy.map((clause) =>
      explained('order_by clause', clause, (text) => parseOrder(text, vocabulary)),
    ),
  }
}

function explained<T>(what: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    const { message, position } = error
    throw trackingErrors.filter_invalid(
      `Invalid ${what} '${text.slice(0, 500)}': ${message} (at character ${position + 1})`,
      { extra: { position } },
    )
  }
}

const kinds: Readonly<Record<string, string>> = {
  metrics: 'metric',
  parameter: 'param',
  parameters: 'param',
  params: 'param',
  tags: 'tag',
  attr: 'attribute',
  attributes: 'attribute',
  run: 'attribute',
  datasets: 'dataset',
}

const singular = (entity: string): string => own(kinds, entity) ?? entity

function withAliases<Field>(
  attributes: Attributes<Field>,
  aliases: Readonly<Record<string, readonly string[]>>,
): Attributes<Field> {
  const more = Object.entries(aliases).flatMap(([name, others]) =>
    others.map((other) => [other, attributes[name]] as const),
  )
  return { ...attributes, ...Object.fromEntries(more) }
}
