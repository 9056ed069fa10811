import type { CompiledSource } from '../data/index.ts'
import { compileSource } from '../data/index.ts'
import { DAY_US, durationInWords } from '../lib/time.ts'
import { distinctKinds, entityKinds, numericKinds, readableKinds } from './columns.ts'
import type { ExpressionChecker } from './compile-expression.ts'
import { compileMeasure, compileParameters } from './compile-measure.ts'
import type { Aggregate, AggregateFunction, Expression } from './compiled.ts'
import type { Draft, DraftAggregate } from './values.ts'
import { durationUs } from './window.ts'

/** Windows and delays are bounded, because every event within them is kept. */
export const WINDOW_MAX_US = 90 * DAY_US
const DELAY_MAX_US = 90 * DAY_US
/** A window of the last events finds them by walking, or keeps them apart. */
const EVENTS_MAX = 10_000

/** What a function takes and what its windows may be. */
interface FunctionRule {
  readonly kinds: readonly string[]
  /** The argument in words; null where the function takes none. */
  readonly takes: string | null
  /** Whether all events ever can be counted without keeping them. */
  readonly ever: boolean
  readonly delayed: boolean
  readonly lastEvents: boolean
}

const plain = { kinds: [], takes: null, ever: true, delayed: true, lastEvents: true }
const figure = { ...plain, kinds: numericKinds, takes: 'a number' }
const reading = { ...plain, kinds: readableKinds, takes: 'a number or a category' }
const frequency = { ...plain, kinds: distinctKinds, takes: 'something to tell apart' }
const decayed = { delayed: false, lastEvents: false }

const rules: Readonly<Record<AggregateFunction, FunctionRule>> = {
  count: plain,
  share: plain,
  sum: figure,
  mean: figure,
  std: figure,
  variance: figure,
  min: figure,
  max: figure,
  percentile: { ...figure, ever: false },
  approximatePercentile: { ...figure, ever: false },
  first: reading,
  last: reading,
  lag: { ...reading, ever: false, delayed: false, lastEvents: false },
  timeSinceLast: { ...plain, delayed: false, lastEvents: false },
  timeSinceFirst: { ...plain, delayed: false },
  distinct: frequency,
  entropy: { ...frequency, ever: false },
  topShare: { ...frequency, ever: false },
  top: { ...frequency, kinds: ['category'], takes: 'a category', ever: false },
  decayedCount: { ...plain, ...decayed },
  decayedSum: { ...figure, ...decayed },
  decayedMean: { ...figure, ...decayed },
  vpin: { ...figure, ever: false, kinds: ['integer'], takes: 'a whole number' },
}

/** The checked aggregate, or undefined where something in it was reported. */
export function compileAggregate(
  draft: DraftAggregate,
  checker: ExpressionChecker,
): Aggregate | undefined {
  if (!fitsItsPlace(draft, checker)) return undefined
  const source = sourceOf(draft, checker)
  if (source === undefined) return undefined
  const keys = keysOf(draft, source, checker)
  const rule = rules[draft.function]
  const measure = compileMeasure(draft, checker.inside(source, 'kept'), rule)
  const parameters = compileParameters(draft, checker)
  const label = labelOf(draft, checker)
  const where = filter(draft.where, source, checker)
  const condition = filter(draft.condition, source, checker)
  const timing = timingOf(draft, rule, checker)
  if (keys === undefined || measure === undefined || parameters === undefined) return undefined
  if (label === undefined || where === undefined || condition === undefined) return undefined
  if (timing === undefined) return undefined
  const aggregate: Aggregate = {
    function: draft.function,
    label,
    condition,
    where,
    ...keys,
    ...measure,
    ...timing,
    ...parameters,
  }
  return exactEver(aggregate, source, checker)
}

/** Filters hold no aggregates, and what is kept of an event never counts the event itself. */
function fitsItsPlace(draft: DraftAggregate, checker: ExpressionChecker): boolean {
  if (checker.purpose === 'filter') {
    checker.refuse(
      'a filter looks at one event’s own columns and time; it cannot hold another aggregate.',
    )
    return false
  }
  if (checker.purpose === 'value' || draft.other !== null || draft.delay !== null) return true
  if (draft.current === 'excluded') return true
  checker.refuse(
    `a derived figure is worked out before its event counts, so its ${draft.function} must look ` +
      'at the past; add .excludingCurrent().',
  )
  return false
}

function sourceOf(draft: DraftAggregate, checker: ExpressionChecker): CompiledSource | undefined {
  if (draft.other === null) return checker.source
  const { name } = draft.other.source
  if (checker.aside) {
    return checker.refuse(
      `what is derived from events of ${quote(checker.source.name)} looks at them alone; ` +
        `take the figure over ${quote(name)} out of it.`,
    )
  }
  if (name === checker.source.name) {
    return checker.refuse(`${quote(name)} is the set’s own source; group its events with per().`)
  }
  const source = compileSource(draft.other.source)
  const known = checker.gathered.sources.get(name)
  if (known !== undefined && known.version !== source.version) {
    return checker.refuse(`two sources are named ${quote(name)}; rename one.`)
  }
  checker.gathered.sources.set(name, known ?? source)
  return known ?? source
}

function keysOf(
  draft: DraftAggregate,
  source: CompiledSource,
  checker: ExpressionChecker,
): Pick<Aggregate, 'per' | 'source' | 'by'> | undefined {
  const inside = checker.inside(source, 'value')
  const known = draft.per.map((name) => inside.column(name, entityKinds, 'a key'))
  if (known.includes(undefined)) return undefined
  const per = [...new Set(draft.per)].sort()
  if (draft.other === null) {
    if (per.length === draft.per.length && per.length > 0) return { per }
    return checker.refuse('per() names a key twice or none at all; name each key once.')
  }
  // A table without keys speaks of everybody: its newest row is looked up by none.
  if (per.length === 0 && source.columns.some(({ kind }) => entityKinds.includes(kind))) {
    return checker.refuse(
      `by names no key of ${quote(source.name)}; write { by: { its_key: 'our_column' } }.`,
    )
  }
  const by = per.map((key) => draft.other!.by[key])
  const matching = per.map((key, i) => matches(key, by[i], source, checker))
  return matching.includes(false) ? undefined : { per, source: source.name, by }
}

/** Whether a key of the other source and the column that holds it can ever be equal. */
function matches(
  key: string,
  by: string,
  source: CompiledSource,
  checker: ExpressionChecker,
): boolean {
  const own = checker.column(by, entityKinds, 'a key')
  if (own === undefined) return false
  const theirs = source.columns.find((column) => column.name === key)!
  const typeOf = (column: typeof own): string => (column.kind === 'key' ? column.type : 'text')
  if (typeOf(own) === typeOf(theirs)) return true
  checker.refuse(
    `${quote(key)} of ${quote(source.name)} is ${typeOf(theirs)} and ${quote(by)} is ` +
      `${typeOf(own)}, so they are never equal; declare both keys alike.`,
  )
  return false
}

function labelOf(draft: DraftAggregate, checker: ExpressionChecker): string | null | undefined {
  const declaration = draft.label
  if (declaration === null) return null
  const of = declaration.options.of.name
  if (draft.other !== null) {
    return checker.refuse(
      `labels are counted over the set’s own events; ${quote(declaration.name)} cannot be counted ` +
        `over those of ${quote(draft.other.source.name)}.`,
    )
  }
  if (of !== checker.source.name) {
    return checker.refuse(
      `the labels ${quote(declaration.name)} belong to the source ${quote(of)}, not to ` +
        `${quote(checker.source.name)}; use labels of this source.`,
    )
  }
  const { labels } = checker.gathered
  const known = labels.get(declaration.name)
  if (known !== undefined && known !== declaration) {
    return checker.refuse(`two declarations are named ${quote(declaration.name)}; rename one.`)
  }
  labels.set(declaration.name, declaration)
  return declaration.name
}

function filter(
  node: Draft | null,
  source: CompiledSource,
  checker: ExpressionChecker,
): Expression | null | undefined {
  return node === null ? null : checker.inside(source, 'filter').expression(node)
}

type Timing = Pick<Aggregate, 'windowUs' | 'delayUs' | 'current' | 'events'>

function timingOf(
  draft: DraftAggregate,
  rule: FunctionRule,
  checker: ExpressionChecker,
): Timing | undefined {
  const { function: fn, delay } = draft
  const windowUs = windowOf(draft, rule, checker)
  const delayUs = delay === null ? 0 : checker.duration(delay, 'delay', DELAY_MAX_US)
  const events = eventsOf(draft, rule, checker)
  if (windowUs === undefined || delayUs === undefined || events === undefined) return undefined
  if (delayUs > 0 && !rule.delayed) {
    return checker.refuse(`${fn} looks back from the event itself; leave out delayed().`)
  }
  if (delayUs > 0 && windowUs === null) {
    return checker.refuse("'ever' ends with the event itself; leave out delayed().")
  }
  if (!labelsArriveWithin(draft, windowUs, delayUs, checker)) return undefined
  // A delayed window ends before the current event, and other sources never hold it, so both
  // spellings mean the same.
  const apart = delayUs > 0 || draft.other !== null
  const current = apart ? 'included' : draft.current
  return { windowUs, delayUs, current, ...(events === null ? {} : { events }) }
}

function windowOf(
  draft: DraftAggregate,
  rule: FunctionRule,
  checker: ExpressionChecker,
): number | null | undefined {
  if (draft.window !== 'ever') return checker.duration(draft.window, 'window', WINDOW_MAX_US)
  const { function: fn, events, label } = draft
  if (rule.ever && events === null && label === null) return null
  const what = label === null ? fn : `labels ${quote(label.name)}`
  return checker.refuse(
    `${what} cannot be followed over 'ever', because every event would have to be kept; choose a ` +
      `window of at most ${durationInWords(WINDOW_MAX_US)}.`,
  )
}

function eventsOf(
  draft: DraftAggregate,
  rule: FunctionRule,
  checker: ExpressionChecker,
): number | null | undefined {
  const { events, function: fn } = draft
  if (events === null) return null
  if (!rule.lastEvents) {
    return checker.refuse(`${fn} picks its own event; write over('30d') instead of overLast().`)
  }
  if (Number.isSafeInteger(events) && events >= 1 && events <= EVENTS_MAX) return events
  return checker.refuse(
    `overLast(${events}) is not possible; choose a whole number of events from 1 to ` +
      `${EVENTS_MAX.toLocaleString('en-GB')}.`,
  )
}

function labelsArriveWithin(
  { label }: DraftAggregate,
  windowUs: number | null,
  delayUs: number,
  checker: ExpressionChecker,
): boolean {
  if (label === null) return true
  // A delay that is no duration is told of when the labels themselves are compiled.
  const known = durationUs(label.options.delay)
  if (known === undefined || windowUs === null || windowUs + delayUs > known) return true
  checker.refuse(
    `the labels ${quote(label.name)} arrive ${durationInWords(known)} after their event, so none ` +
      `is ever known in this window; add .delayed('${label.options.delay}').`,
  )
  return false
}

const sums: readonly AggregateFunction[] = ['sum', 'mean', 'std', 'variance']

/** Floating sums are added up anew in the order of the events, which over all time are gone. */
function exactEver(
  aggregate: Aggregate,
  source: CompiledSource,
  checker: ExpressionChecker,
): Aggregate | undefined {
  const { function: fn, column, decimals, windowUs } = aggregate
  if (windowUs !== null || !sums.includes(fn)) return aggregate
  const kind = source.columns.find(({ name }) => name === column)?.kind
  if (decimals !== undefined || (kind !== undefined && kind !== 'number')) return aggregate
  return checker.refuse(
    `${fn} over 'ever' needs exact values; round them: derive(value, { decimals: 4 }).`,
  )
}

function quote(text: string): string {
  return JSON.stringify(text)
}
