// What a feature follows from, for the catalogue: sources, columns, labels, entities and windows.
import { canonicalJson } from '../lib/canonical-json.ts'
import { durationInWords } from '../lib/time.ts'
import { WINDOW_MAX_US } from './compile-aggregate.ts'
import type {
  Aggregate,
  CompiledFeature,
  CompiledFeatureSet,
  Expression,
  GraphAggregate,
} from './compiled.ts'
import { childrenOf, columnsOf, visit } from './expressions.ts'

/** What a feature depends on, for the catalogue. */
export interface FeatureLineage {
  readonly source: string
  /** Columns of the source that the value follows from, sorted. */
  readonly columns: readonly string[]
  readonly labels: readonly string[]
  /** Each combination of keys whose past the feature looks at. */
  readonly keys: readonly (readonly string[])[]
  /** Other sources that it follows from, and their columns, sorted. */
  readonly others: readonly { readonly source: string; readonly columns: readonly string[] }[]
  /**
   * The longest window, microseconds; 0 where the feature looks at the event alone, null where it
   * looks at all events ever.
   */
  readonly windowUs: number | null
  /** The longest delay, microseconds. */
  readonly delayUs: number
  /** The windows over which it is declared, each once. */
  readonly windows: readonly FeatureWindow[]
}

/**
 * A window as it was declared. `span`: a length of time. `events`: the newest so many events, within
 * that time where one was declared. `ever`: from the beginning. `fading`: from the beginning, each
 * event weighing half as much after each half-life. `row`: the newest row that is looked up, unless it
 * is stale. `buckets`: trades until so many buckets of volume are full. Lengths in microseconds.
 */
export type FeatureWindow = { readonly delayUs: number } & (
  | { readonly kind: 'span'; readonly windowUs: number }
  | { readonly kind: 'events'; readonly events: number; readonly withinUs: number | null }
  | { readonly kind: 'ever' }
  | { readonly kind: 'fading'; readonly halfLifeUs: number }
  | { readonly kind: 'row'; readonly staleUs: number | null }
  | { readonly kind: 'buckets'; readonly buckets: number; readonly bucketVolume: number }
)

export function lineageOf(feature: CompiledFeature, set: CompiledFeatureSet): FeatureLineage {
  const columns = new Set<string>()
  const labels = new Set<string>()
  const keys = new Map<string, readonly string[]>()
  const others = new Map<string, Set<string>>()
  let windowUs = 0
  let delayUs = 0
  const add = (source: string | null, names: readonly string[]): void => {
    const known = source === null ? columns : (others.get(source) ?? new Set())
    if (source !== null) others.set(source, known)
    for (const name of names) known.add(name)
  }
  visit(feature.expression, (node, source) => {
    add(source, columnsOf(node))
    if (node.op === 'graph') {
      const { graph } = node.graph
      for (const end of [graph.from, graph.to]) keys.set(end, [end])
      windowUs = Math.max(windowUs, node.graph.windowUs)
    }
    if (node.op !== 'aggregate') return
    const { per, by, column, label } = node.aggregate
    const inside = node.aggregate.source ?? source
    // A table without keys is looked up by none.
    const looked = by ?? per
    if (source === null && looked.length > 0) keys.set(looked.join(' '), looked)
    add(source, by ?? [])
    add(inside, column === null ? per : [...per, column])
    if (label !== null) labels.add(label)
    windowUs = Math.max(windowUs, node.aggregate.windowUs ?? Infinity)
    delayUs = Math.max(delayUs, node.aggregate.delayUs)
  })
  return {
    source: set.source,
    columns: [...columns].sort(),
    labels: [...labels].sort(),
    keys: [...keys.values()],
    others: [...others]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([source, names]) => {
        return { source, columns: [...names].sort() }
      }),
    windowUs: windowUs === Infinity ? null : windowUs,
    delayUs,
    windows: windowsOf(feature.expression),
  }
}

/** The figures of graphs that a feature is made of. */
export function graphFiguresOf(feature: CompiledFeature): readonly GraphAggregate[] {
  const figures: GraphAggregate[] = []
  visit(feature.expression, (node) => {
    if (node.op === 'graph') figures.push(node.graph)
  })
  return figures
}

/**
 * The windows in words: `7 days, delayed 7 days`, `last 20 events`, `ever`, `fading, half-life 7 days`;
 * null where a feature looks at the event alone. `write` says how lengths are written.
 */
export function windowsInWords(
  { windows }: Pick<FeatureLineage, 'windows'>,
  write: (us: number) => string = durationInWords,
): string | null {
  if (windows.length === 0) return null
  const words = windows.map((window) => inWords(window, write))
  const last = words.pop()!
  const comma = words.some((each) => each.includes(',')) ? '; ' : ', '
  return words.length === 0 ? last : `${words.join(comma)} and ${last}`
}

function inWords(window: FeatureWindow, write: (us: number) => string): string {
  const late = window.delayUs === 0 ? '' : `, delayed ${write(window.delayUs)}`
  switch (window.kind) {
    case 'span':
      return write(window.windowUs) + late
    case 'events': {
      const many = window.events === 1 ? 'last event' : `last ${window.events} events`
      return many + (window.withinUs === null ? '' : ` within ${write(window.withinUs)}`) + late
    }
    case 'ever':
      return `ever${late}`
    case 'fading':
      return `fading, half-life ${write(window.halfLifeUs)}${late}`
    case 'row':
      return (
        'newest row' + (window.staleUs === null ? '' : `, stale after ${write(window.staleUs)}`)
      )
    case 'buckets':
      return `last ${window.buckets} buckets of ${window.bucketVolume.toLocaleString('en-US')}${late}`
  }
}

function windowsOf(expression: Expression): readonly FeatureWindow[] {
  const found = new Map<string, FeatureWindow>()
  for (const node of pastOf(expression)) {
    const window: FeatureWindow =
      node.op === 'aggregate'
        ? windowOf(node.aggregate)
        : { kind: 'span', windowUs: node.graph.windowUs, delayUs: 0 }
    found.set(canonicalJson(window), window)
  }
  return withoutAges([...found.values()])
}

type PastNode = Extract<Expression, { readonly op: 'aggregate' | 'graph' }>

/**
 * The parts of an expression that look at the past, as seen from the current event: what is within
 * the filter or the figure of each event of such a part is not among them.
 */
export function pastOf(node: Expression): readonly PastNode[] {
  if (node.op === 'aggregate' || node.op === 'graph') return [node]
  return childrenOf(node).flatMap(pastOf)
}

function windowOf(aggregate: Aggregate): FeatureWindow {
  const { windowUs, delayUs, events, halfLifeUs, staleUs } = aggregate
  if (halfLifeUs !== undefined) return { kind: 'fading', halfLifeUs, delayUs }
  if (aggregate.function === 'vpin') {
    const { buckets, bucketVolume } = aggregate
    return { kind: 'buckets', buckets: buckets!, bucketVolume: bucketVolume!, delayUs }
  }
  if (events !== undefined) {
    // The longest window is where events are looked for unless a declaration says otherwise.
    return {
      kind: 'events',
      events,
      withinUs: windowUs === WINDOW_MAX_US ? null : windowUs,
      delayUs,
    }
  }
  if (windowUs !== null) return { kind: 'span', windowUs, delayUs }
  return isRow(aggregate)
    ? { kind: 'row', staleUs: staleUs ?? null, delayUs }
    : { kind: 'ever', delayUs }
}

/** Whether it reads the newest row of a key of another source, or that row's age: a look-up. */
export function isRow({ function: fn, source, windowUs, events, where }: Aggregate): boolean {
  const reads = fn === 'last' || fn === 'timeSinceLast'
  return (
    reads && source !== undefined && windowUs === null && events === undefined && where === null
  )
}

/** Without the age of a row beside the row itself: both are one look-up to those who read it. */
function withoutAges(windows: readonly FeatureWindow[]): FeatureWindow[] {
  const stales = windows.some((window) => window.kind === 'row' && window.staleUs !== null)
  return windows.filter((window) => !(stales && window.kind === 'row' && window.staleUs === null))
}
