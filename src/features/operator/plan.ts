/**
 * The plan of an operator: what a compiled set needs kept, worked out once. Equal aggregates are
 * calculated once however many features use them; all windows of an entity share its ring, and
 * windows of one length and delay share their cursors and sums.
 */
import type { CompiledColumn, CompiledSource } from '../../data/index.ts'
import { columnPosition } from '../../data/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { DAY_US } from '../../lib/time.ts'
import type { Aggregate, CompiledFeatureSet, CompiledInput, Expression } from '../compiled.ts'
import { fail } from '../errors.ts'
import type { Bindings, Evaluator } from './evaluate.ts'
import { evaluatorOf } from './evaluate.ts'
import { NARROW_MAX } from './exact.ts'
import type { FigureOp } from './figures.ts'
import { lanesOf } from './figures.ts'
import { FIELDS_BEFORE } from './rings.ts'

/** Flags are bits of one 32-bit integer that stays positive. */
const FLAGS_MAX = 31
const INT32_MAX = 2 ** 31 - 1

/** How late an event may be where the source declares nothing. */
const LATE_DEFAULT_US = DAY_US

export interface NumberInput {
  readonly column: string
  /** In rows. */
  readonly position: number
  /** Divides a row's value into major units: 100 for EUR, 1 for plain numbers. */
  readonly scale: number
  /** Whether sums are exact: every kind but measured numbers. */
  readonly whole: boolean
  readonly nullable: boolean
  readonly absMax: number
}

export interface KeyPart {
  readonly column: string
  readonly position: number
}

/** A number that events keep, because an aggregate needs it. */
export interface StoredNumber {
  readonly input: number
  readonly scale: number
  readonly compact: boolean
}

/** A running figure over the events of a window; `slot` is its first lane. */
export interface Accumulator {
  readonly op: FigureOp
  /** Position among the stored numbers; −1 for `count`. */
  readonly number: number
  /** Field of a ring's entry that holds the number too; 0 where none does. */
  readonly field: number
  /** Only events with all these flags. */
  readonly mask: number
  readonly slot: number
}

/** The windows of one length and delay. */
export interface Span {
  readonly windowUs: number
  readonly delayUs: number
  readonly accumulators: Accumulator[]
  /** Whether any accumulator looks at flags. */
  flagged: boolean
}

/** How an aggregate is read off its span. Slots are −1 where the reading has no such part. */
export interface Reading {
  readonly op:
    | 'count'
    | 'sum'
    | 'mean'
    | 'std'
    | 'wideStd'
    | 'min'
    | 'max'
    | 'share'
    | 'distinct'
    | 'timeSinceLast'
    | 'scanSum'
    | 'scanMean'
    | 'scanStd'
  /** Position in `EventValues.aggregates`. */
  readonly to: number
  readonly span: number
  /** Slot of the count of events (or of present values); −1: every event of the window counts. */
  readonly count: number
  /** Slot of the sum, the extreme, or the numerator. */
  readonly main: number
  readonly squares: number
  readonly number: number
  readonly mask: number
  readonly scale: number
  /** Field of a ring's entry that holds the number or code; 0 where none does. */
  readonly field: number
  /** Of `distinct`: which dictionary tells the values apart. */
  readonly dictionary: number
  readonly aggregate: Aggregate
}

/** Everything about one combination of keys. */
export interface KindPlan {
  readonly keys: readonly string[]
  readonly dictionary: number
  readonly spans: Span[]
  /** Lanes an entity, over all spans. */
  lanes: number
  /** Read before the current event counts, and after. */
  readonly before: Reading[]
  readonly after: Reading[]
  /** Positions of this kind's aggregates, which are missing where the key is. */
  readonly aggregates: number[]
  /** Whether a label changes any figure. */
  labelled: boolean
  /** Field of a ring's entry that holds the event's flags; 0 where no figure looks at them. */
  flagField: number
  /** What a ring's entry repeats of its event, in the order of its fields from `FIELDS_BEFORE`. */
  readonly fields: EntryField[]
}

/** Flags, a stored number that fits 32-bit integers, or the code of a key in a dictionary. */
export interface EntryField {
  readonly holds: 'flags' | 'number' | 'code'
  readonly index: number
}

export interface LabelPlan {
  readonly name: string
  readonly positive: number
  readonly mask: number
}

export interface Plan {
  readonly set: CompiledFeatureSet
  readonly names: readonly string[]
  readonly timePosition: number
  readonly idPosition: number
  readonly numbers: readonly NumberInput[]
  readonly texts: readonly KeyPart[]
  readonly stored: readonly StoredNumber[]
  readonly dictionaries: readonly (readonly KeyPart[])[]
  readonly kinds: readonly KindPlan[]
  readonly filters: readonly { readonly holds: Evaluator; readonly mask: number }[]
  readonly labels: readonly LabelPlan[]
  readonly outputs: readonly Evaluator[]
  readonly aggregates: readonly Aggregate[]
  /** The longest window with its delay: how far back from an event its values reach. */
  readonly horizonUs: number
  /** How far behind the newest event another may come in and still be exact. */
  readonly toleranceUs: number
}

/** Works out the plan; fails with `feature_source_mismatch` where source and set do not fit. */
export function planOf(set: CompiledFeatureSet, source: CompiledSource): Plan {
  return new Planner(set, source).plan()
}

class Planner {
  private readonly set: CompiledFeatureSet
  private readonly source: CompiledSource
  private readonly numbers: NumberInput[] = []
  private readonly texts: KeyPart[] = []
  private readonly stored: StoredNumber[] = []
  private readonly dictionaries: KeyPart[][] = []
  private readonly kinds: KindPlan[] = []
  private readonly flags = new Map<string, { mask: number; holds: Evaluator | undefined }>()
  private readonly aggregates = new Map<string, { at: number; aggregate: Aggregate }>()
  private readonly bindings: Bindings = {
    number: (column) => {
      const at = this.numberAt(column)
      return { at, scale: this.numbers[at].scale }
    },
    text: (column) => this.textAt(column),
    aggregate: (aggregate) => this.aggregateAt(aggregate),
  }

  constructor(set: CompiledFeatureSet, source: CompiledSource) {
    this.set = set
    this.source = source
    checkSource(set, source)
  }

  plan(): Plan {
    const { set, source } = this
    const labels = set.labels.map(({ name, positive }) => ({
      name,
      positive,
      mask: this.labelMask(name),
    }))
    const outputs = set.features.map(({ expression }) => evaluatorOf(expression, this.bindings))
    const aggregates = [...this.aggregates.values()].map(({ aggregate }) => aggregate)
    const filters = [...this.flags.values()].flatMap(({ mask, holds }) =>
      holds === undefined ? [] : [{ mask, holds }],
    )
    return {
      set,
      names: set.features.map((feature) => feature.name),
      timePosition: columnPosition(source, source.eventTime),
      idPosition: columnPosition(source, source.id),
      numbers: this.numbers,
      texts: this.texts,
      stored: this.stored,
      dictionaries: this.dictionaries,
      kinds: this.kinds,
      filters,
      labels,
      outputs,
      aggregates,
      horizonUs: Math.max(0, ...aggregates.map(({ windowUs, delayUs }) => windowUs + delayUs)),
      toleranceUs: (source.lateUs ?? LATE_DEFAULT_US) + source.futureUs,
    }
  }

  private numberAt(name: string): number {
    const known = this.numbers.findIndex((input) => input.column === name)
    if (known >= 0) return known
    const column = this.columnNamed(name)
    const bounds = column as { min?: number | null; max?: number | null }
    const [low, high] = column.kind === 'boolean' ? [0, 1] : [bounds.min, bounds.max]
    this.numbers.push({
      column: name,
      position: columnPosition(this.source, name),
      scale: column.kind === 'money' ? 10 ** column.exponent : 1,
      whole: column.kind !== 'number',
      nullable: column.nullable,
      absMax: Math.max(Math.abs(low ?? Infinity), Math.abs(high ?? Infinity)),
    })
    return this.numbers.length - 1
  }

  private textAt(name: string): number {
    const known = this.texts.findIndex((input) => input.column === name)
    if (known >= 0) return known
    this.texts.push({ column: name, position: columnPosition(this.source, name) })
    return this.texts.length - 1
  }

  private storedAt(name: string): number {
    const input = this.numberAt(name)
    const known = this.stored.findIndex((stored) => stored.input === input)
    if (known >= 0) return known
    const { whole, nullable, absMax, scale } = this.numbers[input]
    this.stored.push({ input, scale, compact: whole && !nullable && absMax <= INT32_MAX })
    return this.stored.length - 1
  }

  private dictionaryOf(columns: readonly string[]): number {
    const known = this.dictionaries.findIndex(
      (parts) => parts.map((part) => part.column).join('\0') === columns.join('\0'),
    )
    if (known >= 0) return known
    this.dictionaries.push(
      columns.map((column) => ({ column, position: columnPosition(this.source, column) })),
    )
    return this.dictionaries.length - 1
  }

  private kindOf(keys: readonly string[]): KindPlan {
    const dictionary = this.dictionaryOf(keys)
    const known = this.kinds.find((kind) => kind.dictionary === dictionary)
    if (known !== undefined) return known
    const kind: KindPlan = {
      keys,
      dictionary,
      spans: [],
      lanes: 0,
      before: [],
      after: [],
      aggregates: [],
      labelled: false,
      flagField: 0,
      fields: [],
    }
    this.kinds.push(kind)
    return kind
  }

  private labelMask(name: string): number {
    return this.flag(`label ${name}`, () => undefined)
  }

  private filterMask(filter: Expression | null): number {
    if (filter === null) return 0
    return this.flag(canonicalJson(filter), () => evaluatorOf(filter, this.bindings))
  }

  private flag(key: string, holds: () => Evaluator | undefined): number {
    const known = this.flags.get(key)
    if (known !== undefined) return known.mask
    if (this.flags.size === FLAGS_MAX) {
      throw fail.feature_set_invalid(
        `Feature set "${this.set.name}" has more than ${FLAGS_MAX} different filters and labels; ` +
          'split it into two sets.',
      )
    }
    const mask = 2 ** this.flags.size
    this.flags.set(key, { mask, holds: holds() })
    return mask
  }

  private aggregateAt(aggregate: Aggregate): number {
    const key = canonicalJson(aggregate)
    const known = this.aggregates.get(key)
    if (known !== undefined) return known.at
    const at = this.aggregates.size
    this.aggregates.set(key, { at, aggregate })
    const kind = this.kindOf(aggregate.per)
    kind.aggregates.push(at)
    const after = aggregate.delayUs === 0 && aggregate.current === 'included'
    const readings = after && aggregate.function !== 'timeSinceLast' ? kind.after : kind.before
    readings.push(this.reading(aggregate, at, kind))
    return at
  }

  private reading(aggregate: Aggregate, to: number, kind: KindPlan): Reading {
    const { windowUs, delayUs, label } = aggregate
    const share = aggregate.function === 'share'
    const where = this.filterMask(aggregate.where)
    const part = label === null ? this.filterMask(aggregate.condition) : this.labelMask(label)
    const mask = share ? where : where | part
    if (label !== null) kind.labelled = true
    let span = kind.spans.findIndex((s) => s.windowUs === windowUs && s.delayUs === delayUs)
    if (span < 0)
      span = kind.spans.push({ windowUs, delayUs, accumulators: [], flagged: false }) - 1
    const add = (op: FigureOp, number = -1, only = mask): number => {
      if (only !== 0) kind.flagField = fieldOf(kind, 'flags', 0)
      return accumulate(kind, span, {
        op,
        number,
        field: this.numberField(kind, number),
        mask: only,
      })
    }
    if (mask !== 0) kind.flagField = fieldOf(kind, 'flags', 0)
    const base = { to, span, mask, aggregate, count: -1, main: -1, squares: -1 }
    const count = (only: number): number => (only === 0 ? -1 : add('count', -1, only))
    const plain = { ...base, number: -1, scale: 1, field: 0, dictionary: -1 }
    switch (aggregate.function) {
      case 'count':
        return { ...plain, op: 'count', count: count(mask) }
      case 'share':
        return { ...plain, op: 'share', count: count(where), main: count(where | part) }
      case 'timeSinceLast':
        return { ...plain, op: 'timeSinceLast' }
      case 'distinct': {
        const dictionary = this.dictionaryOf([aggregate.column!])
        return { ...plain, op: 'distinct', dictionary, field: fieldOf(kind, 'code', dictionary) }
      }
      default:
        return this.numeric(aggregate, kind, plain, add)
    }
  }

  private numberField(kind: KindPlan, number: number): number {
    return number >= 0 && this.stored[number].compact ? fieldOf(kind, 'number', number) : 0
  }

  private numeric(
    aggregate: Aggregate,
    kind: KindPlan,
    base: Omit<Reading, 'op'>,
    add: (op: FigureOp, number?: number) => number,
  ): Reading {
    const number = this.storedAt(aggregate.column!)
    const input = this.numbers[this.stored[number].input]
    const { scale } = input
    const common = { ...base, number, scale, field: this.numberField(kind, number) }
    const fn = aggregate.function
    if (fn === 'min' || fn === 'max') return { ...common, op: fn, main: add(fn, number) }
    if (!input.whole) {
      const op = fn === 'sum' ? 'scanSum' : fn === 'mean' ? 'scanMean' : 'scanStd'
      return { ...common, op }
    }
    const main = add('sum', number)
    if (fn === 'sum') return { ...common, op: 'sum', main }
    const every = base.mask === 0 && !input.nullable
    const count = every
      ? -1
      : add(input.nullable ? 'present' : 'count', input.nullable ? number : -1)
    if (fn === 'mean') return { ...common, op: 'mean', main, count }
    const wide = input.absMax > NARROW_MAX
    const squares = add(wide ? 'wideSquares' : 'squares', number)
    return { ...common, op: wide ? 'wideStd' : 'std', main, count, squares }
  }

  private columnNamed(name: string): CompiledColumn {
    return this.source.columns.find((column) => column.name === name)!
  }
}

/** The slot of the accumulator, which is added where the span has none like it yet. */
function accumulate(kind: KindPlan, span: number, figure: Omit<Accumulator, 'slot'>): number {
  const { accumulators } = kind.spans[span]
  const { op, number, mask } = figure
  if (mask !== 0) kind.spans[span].flagged = true
  const known = accumulators.find((a) => a.op === op && a.number === number && a.mask === mask)
  if (known !== undefined) return known.slot
  const slot = kind.lanes
  kind.lanes += lanesOf[op]
  accumulators.push({ ...figure, slot })
  return slot
}

/** The entry's field for something, which is added where there is none yet. */
function fieldOf(kind: KindPlan, holds: EntryField['holds'], index: number): number {
  const known = kind.fields.findIndex((field) => field.holds === holds && field.index === index)
  if (known >= 0) return FIELDS_BEFORE + known
  return FIELDS_BEFORE + kind.fields.push({ holds, index }) - 1
}

function checkSource(set: CompiledFeatureSet, source: CompiledSource): void {
  const mistakes: string[] = []
  if (set.source !== source.name) {
    mistakes.push(`the set reads "${set.source}" and the source is "${source.name}"`)
  }
  if (set.timeZone !== source.timeZone) {
    mistakes.push(`its calendar is ${set.timeZone} and the source's is ${source.timeZone}`)
  }
  for (const input of set.inputs) {
    const column = source.columns.find((candidate) => candidate.name === input.column)
    if (column === undefined) mistakes.push(`the source has no column "${input.column}"`)
    else if (!sameMeaning(input, column)) {
      mistakes.push(`column "${input.column}" has another kind or unit`)
    }
  }
  if (mistakes.length === 0) return
  const what = mistakes.join('; ')
  throw fail.feature_source_mismatch(`Feature set "${set.name}" does not fit: ${what}.`)
}

function sameMeaning(input: CompiledInput, column: CompiledColumn): boolean {
  if (input.kind !== column.kind) return false
  if (column.kind === 'key') return input.type === column.type
  if (column.kind !== 'money') return true
  return input.currency === column.currency && input.exponent === column.exponent
}
