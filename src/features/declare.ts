import type { ColumnDeclarations, SourceDeclaration } from '../data/index.ts'
import type {
  CategoryColumn,
  CategoryOf,
  ColumnsOf,
  EntityColumn,
  KeyColumns,
  NumericColumn,
} from './columns.ts'
import { fail } from './errors.ts'
import type { Feature } from './feature.ts'
import type { Graph, GraphEnds } from './graph/declare.ts'
import { graphOf } from './graph/declare.ts'
import { Group } from './group.ts'
import { Lookup } from './lookup.ts'
import { CategoryValue, DerivedValue, NumberValue, TextValue, TimeValue } from './values.ts'
import type { Condition, DraftOther } from './values.ts'

/**
 * What a declaration sees of one event: its columns, its time, the events it shares a key with, and
 * what other sources know of its keys. Column names and kinds come from the sources' contracts, so
 * a misspelt name is an error in the editor.
 */
export class EventScope<Columns extends ColumnDeclarations = ColumnDeclarations> {
  private readonly columns: Columns

  constructor(columns: Columns) {
    this.columns = columns
  }

  /** A column of the current event: a number (money in major units), or a text to compare. */
  value<Name extends NumericColumn<Columns>>(name: Name): NumberValue
  value<Name extends CategoryColumn<Columns>>(name: Name): CategoryValue<CategoryOf<Columns[Name]>>
  value<Name extends ColumnsOf<Columns, 'text' | 'key'>>(name: Name): TextValue
  value(name: string): NumberValue | TextValue | CategoryValue<never> {
    const column = this.columns[name]
    switch (column?.kind) {
      case 'category':
        return new CategoryValue(name, column.argument as readonly string[])
      case 'text':
      case 'key':
        return new TextValue(name)
      default:
        return new NumberValue({ op: 'column', column: name })
    }
  }

  /** The event time, in the source's time zone. */
  time(): TimeValue {
    return new TimeValue()
  }

  /** The events that share this event's value of the key, or of all the keys. */
  per<Name extends EntityColumn<Columns>>(...keys: readonly [Name, ...Name[]]): Group<Columns> {
    return new Group(this, { keys, filter: null, delay: null, current: 'included', other: null })
  }

  /**
   * A figure of each event, worked out when it arrives, to be summed or averaged like a column:
   * `sum(tx.derive(price.times(size), { decimals: 2 }))`. It may look at the past (`lag`), not at the
   * event's own place in it. With `decimals` it is rounded, half away from zero, and sums are exact.
   */
  derive(value: NumberValue | Condition, options: DeriveOptions = {}): DerivedValue {
    return new DerivedValue(value.node, options.decimals ?? null)
  }

  /**
   * The events of another source whose keys are held by columns of this event:
   * `tx.other(logins, { by: { customer_id: 'customer_id' } })`. Filters and derived figures are then
   * written as functions of such an event: `.where((login) => login.value('failed').equals(1))`.
   */
  other<Other extends ColumnDeclarations>(
    source: SourceDeclaration<Other>,
    options: { readonly by: KeyColumns<Other, Columns> },
  ): Group<Other> {
    const other = otherOf(source, options.by)
    const parts = { filter: null, delay: null, current: 'included', other } as const
    return new Group(new EventScope(source.options.columns), {
      ...parts,
      keys: Object.keys(other.by),
    })
  }

  /**
   * The graph that the source's events are the edges of, from the entity in one column to that in
   * another: `tx.graph({ from: 'sender', to: 'receiver', amount: 'amount' }).within('1d')`.
   */
  graph(ends: GraphEnds<EntityColumn<Columns>, ColumnsOf<Columns, 'money' | 'integer'>>): Graph {
    return graphOf(ends, (graph) => new NumberValue({ op: 'graph', graph }))
  }

  /**
   * A dimension table: the newest row of another source with this event's key, as of its time.
   * `tx.lookup(customers, { by: { customer_id: 'customer_id' } }).value('limit')`. Without `by` it is
   * the newest row of a table that has no keys: one that speaks of everybody, such as a rate of
   * exchange or a graph as a whole.
   */
  lookup<Other extends ColumnDeclarations>(
    source: SourceDeclaration<Other>,
    options: { readonly by?: KeyColumns<Other, Columns> } = {},
  ): Lookup<Other> {
    return new Lookup(otherOf(source, options.by ?? {}))
  }
}

export interface DeriveOptions {
  /** 0 to 15. Without, sums are added in the order of events and may round. */
  readonly decimals?: number
}

export interface FeatureSetDeclaration {
  readonly declaration: 'featureSet'
  readonly name: string
  readonly description: string
  readonly owner: string | null
  readonly source: SourceDeclaration
  readonly features: readonly Feature[]
}

export interface FeatureSetOptions {
  readonly description?: string
  /** Who answers for these features, where that is not the project's owner. */
  readonly owner?: string
}

/**
 * Declares a set of features of a source's events.
 *
 * ```ts
 * export const velocity = featureSet('velocity', payments, (tx) => [
 *   tx.value('amount').as('AMOUNT'),
 *   ...tx.per('customer_id').count().over('1h', '1d').as((w) => `CUSTOMER_COUNT_${w.hours}H`),
 * ])
 * ```
 *
 * The declaration is checked when it is compiled; every mistake then names its feature.
 */
export function featureSet<const Columns extends ColumnDeclarations>(
  name: string,
  source: SourceDeclaration<Columns>,
  declare: (event: EventScope<Columns>) => Iterable<Feature>,
  options: FeatureSetOptions = {},
): FeatureSetDeclaration {
  const declared: unknown = declare(new EventScope(source.options.columns))
  if (!isIterable(declared)) {
    throw fail.feature_set_invalid(
      `Feature set "${name}": its function returns no list; write (tx) => [ … ] or a return.`,
    )
  }
  const features = [...(declared as Iterable<Feature>)]
  const { description = '', owner = null } = options
  return { declaration: 'featureSet', name, description, owner, source, features }
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

function otherOf(
  source: SourceDeclaration,
  by: Readonly<Record<string, string | undefined>>,
): DraftOther {
  const named = Object.entries(by).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return { source, by: Object.fromEntries(named) }
}
