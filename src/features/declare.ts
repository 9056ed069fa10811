import type { ColumnDeclarations, NumericKind, SourceDeclaration } from '../data/index.ts'
import { Group } from './aggregations.ts'
import type { Feature } from './feature.ts'
import { NumberValue, TextValue, TimeValue } from './values.ts'

/** Names of the columns of the given kinds. */
type ColumnsOf<Columns extends ColumnDeclarations, Kind extends string> = {
  [Name in keyof Columns & string]: Columns[Name]['kind'] extends Kind ? Name : never
}[keyof Columns & string]

/** Kinds whose values are told apart, not calculated with. */
type TextKind = 'text' | 'category' | 'key'

/** Kinds that name an entity. */
type EntityKind = 'key' | 'category' | 'text'

type DistinctKind = EntityKind | 'integer'

/**
 * What a declaration sees of one event: its columns, its time, and the events it shares a key with.
 * Column names and kinds come from the source's contract, so a misspelt name is an error in the
 * editor.
 */
export class EventScope<Columns extends ColumnDeclarations = ColumnDeclarations> {
  private readonly columns: Columns

  constructor(columns: Columns) {
    this.columns = columns
  }

  /** A column of the current event: a number (money in major units), or a text to compare. */
  value<Name extends ColumnsOf<Columns, NumericKind>>(name: Name): NumberValue
  value<Name extends ColumnsOf<Columns, TextKind>>(name: Name): TextValue
  value(name: string): NumberValue | TextValue {
    const kind = this.columns[name]?.kind
    if (kind === 'text' || kind === 'category' || kind === 'key') return new TextValue(name)
    return new NumberValue({ op: 'column', column: name })
  }

  /** The event time, in the source's time zone. */
  time(): TimeValue {
    return new TimeValue()
  }

  /** The events that share this event's value of the key, or of all the keys. */
  per<Name extends ColumnsOf<Columns, EntityKind>>(
    ...keys: readonly [Name, ...Name[]]
  ): Group<ColumnsOf<Columns, NumericKind>, ColumnsOf<Columns, DistinctKind>> {
    return new Group(keys)
  }
}

export interface FeatureSetDeclaration {
  readonly declaration: 'featureSet'
  readonly name: string
  readonly description: string
  readonly source: SourceDeclaration
  readonly features: readonly Feature[]
}

export interface FeatureSetOptions {
  readonly description?: string
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
  const features = [...declare(new EventScope(source.options.columns))]
  const description = options.description ?? ''
  return { declaration: 'featureSet', name, description, source, features }
}
