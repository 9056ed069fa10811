// The filters and orders of the catalogue: one place for the page, the API and exports.
import {
  verdictStatuses,
  type Features,
  type FeaturesQuery,
  type FeatureSummary,
  type FilterChoice,
} from '../../contract/index.ts'

/** A feature with what it is sorted by and does not show. */
export interface Listed {
  readonly summary: FeatureSummary
  /** 0: it looks at the event alone; null: at all events ever. */
  readonly windowUs: number | null
}

/** Stands in filters for "has none". */
const NONE = '-'

/** The features that the filters leave, in the order asked for; what is not known comes last. */
export function select(all: readonly Listed[], query: FeaturesQuery): FeatureSummary[] {
  const kept = all.filter(({ summary }) => matches(summary, query))
  return inOrder(kept, query).map(({ summary }) => summary)
}

function matches(one: FeatureSummary, query: FeaturesQuery): boolean {
  const words = (query.text ?? '').toLowerCase().split(/\s+/)
  const text = `${one.name} ${one.words} ${one.set} ${one.entity ?? ''}`.toLowerCase()
  const is = (wanted: string | undefined, has: string | null) =>
    wanted === undefined || wanted === (has ?? NONE)
  const used = one.usedBy.length === 0 ? [NONE] : one.usedBy
  return (
    is(query.set, one.set) &&
    is(query.source, one.source) &&
    is(query.entity, one.entity) &&
    is(query.unit, one.unit) &&
    is(query.status, one.verdict.status) &&
    (query.usedBy === undefined || used.includes(query.usedBy)) &&
    words.every((word) => text.includes(word))
  )
}

function inOrder(
  items: readonly Listed[],
  { sort = 'declared', descending = 'no' }: FeaturesQuery,
): readonly Listed[] {
  const sign = descending === 'yes' ? -1 : 1
  const by = (of: (one: Listed) => string | number | null) =>
    items.toSorted((a, b) => compare(of(a), of(b), sign))
  switch (sort) {
    case 'declared':
      return sign === 1 ? items : items.toReversed()
    case 'name':
      return by(({ summary }) => summary.name)
    case 'entity':
      return by(({ summary }) => summary.entity)
    case 'window':
      return by(({ windowUs }) => (windowUs === 0 ? null : (windowUs ?? Infinity)))
    case 'importance':
      return by(({ summary }) => summary.importance)
    case 'psi':
      return by(({ summary }) => summary.psi)
  }
}

/** What is not known comes last in either direction. */
function compare(a: string | number | null, b: string | number | null, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return a < b ? -sign : a > b ? sign : 0
}

/** What the filters may be set to, over the whole catalogue. */
export function choicesOf(all: readonly FeatureSummary[]): Features['choices'] {
  const choices = (
    of: (one: FeatureSummary) => readonly (string | null)[],
    none = '',
    title: (value: string) => string = (value) => value,
  ): FilterChoice[] => {
    const counts = new Map<string, number>()
    for (const one of all) {
      for (const value of of(one)) counts.set(value ?? NONE, (counts.get(value ?? NONE) ?? 0) + 1)
    }
    return [...counts].map(([value, count]) => ({
      value,
      title: value === NONE ? none : title(value),
      count,
    }))
  }
  const used = (one: FeatureSummary) => (one.usedBy.length === 0 ? [null] : one.usedBy)
  const statuses = choices(
    ({ verdict: { status } }) => [status],
    '',
    (status) => statusWords[status],
  )
  return {
    set: choices(({ set }) => [set]),
    source: choices(({ source }) => [source]),
    entity: choices(({ entity }) => [entity], 'the event itself'),
    unit: choices(
      ({ unit }) => [unit],
      'no unit',
      (unit) => unitWords[unit] ?? unit,
    ),
    usedBy: choices(used, 'used by nothing', (id) => id.replace(/\/(\d+)$/, ' version $1')),
    status: verdictStatuses.flatMap((status) => statuses.filter(({ value }) => value === status)),
  }
}

const unitWords: Readonly<Record<string, string>> = { '%': 'share', s: 'seconds' }
const statusWords: Readonly<Record<string, string>> = {
  ok: 'as in testing',
  warning: 'has moved',
  alert: 'has moved far',
  'no-data': 'no verdict',
}
