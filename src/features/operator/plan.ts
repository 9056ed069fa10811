/**
 * The plan of an operator: what compiled sets need kept, worked out once by `planOf`. Equal aggregates
 * are calculated once however many features use them; all windows of an entity share its ring, and
 * windows of one length and delay share their cursors and figures.
 */
import type { Aggregate, CompiledFeatureSet } from '../compiled.ts'
import type { Evaluator } from './evaluate.ts'
import type { GraphPart } from './graphs.ts'

export interface NumberInput {
  readonly column: string
  /** In rows. */
  readonly position: number
  /** Divides a row's value into major units: 100 for EUR, 1 for plain numbers. */
  readonly scale: number
  /** Whether values are whole, so that sums are exact: every kind but measured numbers. */
  readonly whole: boolean
  readonly nullable: boolean
  readonly absMax: number
}

export interface KeyPart {
  readonly column: string
  readonly position: number
}

/** A number that entries keep, because an aggregate needs it. */
export interface StoredNumber {
  /** Works the number out once what the event may know of its past is there; NaN for none. */
  readonly value: Evaluator
  /** Divides what is kept into the value's own unit. */
  readonly scale: number
  /** Whether values are whole, so that their sums are exact. */
  readonly whole: boolean
  readonly nullable: boolean
  readonly absMax: number
}

/**
 * What an event of one source brings and looks at. The first of a plan's sources is that of the
 * features; events of the others are counted, and only their stored numbers are worked out.
 */
export interface SourcePlan {
  readonly name: string
  readonly timeZone: string
  readonly timePosition: number
  readonly idPosition: number
  readonly numbers: NumberInput[]
  readonly texts: KeyPart[]
  readonly stored: StoredNumber[]
  readonly filters: { readonly holds: Evaluator; readonly mask: number }[]
  /** Which dictionaries its events' keys belong to: positions in `Plan.dictionaries`. */
  readonly dictionaries: number[]
  /** What its events look at of each kind. */
  readonly views: View[]
  /** In the order of `EventValues.aggregates`. */
  readonly aggregates: Aggregate[]
  /** The graphs that its events are edges of. */
  readonly graphs: readonly GraphPart[]
  /** How far behind the newest event another may come in and still be exact. */
  readonly toleranceUs: number
}

/** What events of a source look at of one kind, by which of their keys. */
export interface View {
  readonly kind: number
  /** Whether the events are of the kind themselves. */
  readonly own: boolean
  /** In rows of the looking source. */
  readonly keys: readonly KeyPart[]
  /** Read before the current event counts, and after. */
  readonly before: Reading[]
  readonly after: Reading[]
  /** Positions of the view's aggregates, which are missing where the key is. */
  readonly aggregates: number[]
}

/** The values of a key of a source, or of several together, that codes stand for. */
export interface DictionaryPlan {
  readonly source: number
  readonly parts: readonly KeyPart[]
}

/** Something that an entry holds beside its time; `at` counts the integers before it, the time's too. */
export interface EntryField {
  readonly holds: 'event' | 'flags' | 'integer' | 'double' | 'code' | 'link'
  /** Which stored number or dictionary. */
  readonly index: number
  /** In integers: 1, or 2 for a double. */
  readonly width: number
  readonly at: number
}

/** How equal values or lower (higher) ones find each other within a ring; see `links.ts`. */
export interface LinkPlan {
  readonly op: 'distinct' | 'min' | 'max'
  readonly mask: number
  /** Of `distinct`; −1 otherwise. */
  readonly dictionary: number
  /** Of `min` and `max`: the stored number. */
  readonly number: number
  /** Of `distinct`: the field of the code. */
  readonly at: number
  /** Of `distinct`: whether values are remembered for ever. */
  ever: boolean
}

/**
 * Running figures over the events of a span that have all flags of `mask`. Members are slots among the
 * entity's lanes, −1 where nobody needs the figure.
 */
export interface FigureGroup {
  readonly mask: number
  /** Stored number; −1 where the group only counts. */
  readonly number: number
  /** Events, whether they have a value or not. */
  count: number
  /** Events that have a value. */
  present: number
  /** One lane where it cannot overflow, else two. */
  sum: number
  readonly sumLanes: 1 | 2
  squares: number
  readonly squareLanes: 2 | 3
  /** Two lanes each: the extreme, and that of what has left the ring. */
  min: number
  minLink: number
  max: number
  maxLink: number
}

export interface DistinctFigure {
  readonly mask: number
  readonly link: number
  readonly slot: number
}

/**
 * A sum whose parts fade: S ← S · 2^(−Δt/halfLife) + x. Four lanes: S and its time, and both as of
 * what has left the ring.
 */
export interface Fold {
  readonly mask: number
  /** Stored number whose events count; −1 for every event. */
  readonly number: number
  /** Whether events add 1 each instead of their number. */
  readonly ones: boolean
  readonly halfLifeUs: number
  readonly slot: number
}

/**
 * The oldest or newest event that has left the ring of an endless span: three lanes, its time (NaN:
 * none), and its value.
 */
export interface Edge {
  readonly end: 'first' | 'last'
  readonly mask: number
  readonly number: number
  readonly slot: number
}

/** The windows of one length and delay. */
export interface Span {
  /** Infinity: ever. */
  readonly windowUs: number
  readonly delayUs: number
  readonly groups: FigureGroup[]
  readonly distincts: DistinctFigure[]
  readonly folds: Fold[]
  readonly edges: Edge[]
}

/** How an aggregate is read off its span. Slots and positions are −1 where there is no such part. */
export interface Reading {
  readonly op:
    | 'count'
    | 'sum'
    | 'mean'
    | 'std'
    | 'variance'
    | 'extreme'
    | 'share'
    | 'distinct'
    | 'decayedSum'
    | 'decayedMean'
    | 'walk'
  /** Position in `EventValues.aggregates`. */
  readonly to: number
  readonly span: number
  readonly group: FigureGroup | null
  /** Slot of the number of events or values; −1: every event of the window counts. */
  readonly count: number
  /** Slot of the sum, the extreme, the numerator, or the fold. */
  readonly main: number
  /** Slot of the fold that is divided by. */
  readonly second: number
  /** Divides what is kept into the value's own unit. */
  readonly scale: number
  /** What a walk looks at: a stored number, the side of a trade, a code, flags. */
  readonly number: number
  readonly side: number
  readonly dictionary: number
  readonly mask: number
  readonly partMask: number
  /** Of walks over all time: what has left the ring. */
  readonly edge: Edge | null
  readonly aggregate: Aggregate
}

/** Everything about one combination of keys of one source. */
export interface KindPlan {
  readonly source: number
  readonly keys: readonly string[]
  readonly dictionary: number
  readonly spans: Span[]
  /** Lanes an entity, over all spans. */
  lanes: number
  /** Whether a label changes any figure. */
  labelled: boolean
  /** What an entry holds beside its time. */
  readonly fields: EntryField[]
  readonly links: LinkPlan[]
  /** How far back its windows reach, delays included; those without end count their delay. */
  horizonUs: number
  /** Whether any figure covers all time, so that its entities are never forgotten. */
  ever: boolean
}

/** How a feature follows from what was read: it is an aggregate itself (its position), or made of some. */
export interface Output {
  readonly aggregate: number
  readonly evaluate: Evaluator
}

export interface LabelPlan {
  readonly name: string
  readonly positive: number
  readonly mask: number
}

export interface Plan {
  readonly set: CompiledFeatureSet
  readonly names: readonly string[]
  readonly sources: readonly SourcePlan[]
  readonly dictionaries: readonly DictionaryPlan[]
  readonly kinds: readonly KindPlan[]
  readonly labels: readonly LabelPlan[]
  readonly outputs: readonly Output[]
  /** The longest window with its delay: how far back from an event its values reach. */
  readonly horizonUs: number
}
