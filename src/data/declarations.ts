import type { ColumnKind } from './contract.ts'
import type { Granularity } from './versions-parts.ts'

/**
 * How a project declares where its data come from. Declarations are plain, typed objects; they do
 * nothing until `compileSource` or `compileLabels` checks them and turns them into a contract. The
 * names and kinds of the columns stay visible to TypeScript, so that features, rules and policies
 * that name a column are checked while they are written.
 */

export interface ColumnOptions {
  /** The column's name in files, where it differs from the declared name. */
  readonly from?: string
  /** Whether the column may be empty. Default: it may not. */
  readonly nullable?: boolean
  /** Whether the column says something about a person. Default: it does not. */
  readonly personal?: boolean
  readonly description?: string
}

export interface IdOptions {
  readonly from?: string
  readonly personal?: boolean
  readonly description?: string
  /** `integer` refuses ids that are not whole numbers. Default `text`, which takes both. */
  readonly type?: 'text' | 'integer'
}

export interface EventTimeOptions {
  readonly from?: string
  readonly description?: string
  /** Earliest and latest accepted time, inclusive: `2018-01-01` or a full ISO 8601 timestamp. */
  readonly min?: string
  readonly max?: string
}

export interface ArrivalTimeOptions extends EventTimeOptions {
  /** Whether it may be empty: then the row is assumed to have arrived at its event time. */
  readonly nullable?: boolean
}

export interface MoneyOptions extends ColumnOptions {
  /** Decimal text in the currency, inclusive: `'0.00'`. */
  readonly min?: string
  readonly max?: string
  /**
   * Says that whatever wrote the data kept amounts as binary floats, so that `85.64999999999999`
   * means 85.65. Default: more decimal places than the currency has are refused.
   */
  readonly fromFloat?: boolean
}

export interface RangeOptions extends ColumnOptions {
  readonly min?: number
  readonly max?: number
}

export interface TextOptions extends ColumnOptions {
  /** UTF-16 code units; 4,096 unless declared, 65,536 at most. */
  readonly lengthMax?: number
}

/**
 * A declared column. `Value` is the type of its value in a row and exists for TypeScript only.
 */
export interface ColumnDeclaration<Kind extends ColumnKind = ColumnKind, Value = unknown> {
  readonly kind: Kind
  /** What the kind needs beyond the options: currency, key type, categories. */
  readonly argument: string | readonly string[] | undefined
  readonly options: Readonly<Record<string, unknown>>
  /** Never set: carries the type of the column's values. */
  readonly valueType?: Value
}

/** The type of a value that may be missing where its column is nullable. */
type Maybe<Options, Value> = Options extends { readonly nullable: true } ? Value | undefined : Value

/** The one column that names an event. Text or a safe integer in data; text in a row. */
export function id(options: IdOptions = {}): ColumnDeclaration<'id', string> {
  return column('id', undefined, options)
}

/** The one column that says when an event happened. Microseconds UTC in a row. */
export function eventTime(options: EventTimeOptions = {}): ColumnDeclaration<'eventTime', number> {
  return column('eventTime', undefined, options)
}

/**
 * The column that says when a row arrived, where history knows it: what was decided at a time rests
 * on what had arrived by then. Without one, bulk history is assumed to have arrived at its event
 * times. Microseconds UTC in a row.
 */
export function arrivalTime<const Options extends ArrivalTimeOptions = ArrivalTimeOptions>(
  options?: Options,
): ColumnDeclaration<'arrivalTime', Maybe<Options, number>> {
  return column('arrivalTime', undefined, options)
}

/** An entity's key (customer, terminal, account): a safe integer or text, as declared. */
export function key<
  const Type extends 'integer' | 'text',
  const Options extends ColumnOptions = ColumnOptions,
>(
  type: Type,
  options?: Options,
): ColumnDeclaration<'key', Maybe<Options, Type extends 'integer' ? number : string>> {
  return column('key', type, options)
}

/** An amount in one currency. A safe integer of minor units (cents) in a row. */
export function money<const Options extends MoneyOptions = MoneyOptions>(
  currency: string,
  options?: Options,
): ColumnDeclaration<'money', Maybe<Options, number>> {
  return column('money', currency, options)
}

/** A whole number. */
export function integer<const Options extends RangeOptions = RangeOptions>(
  options?: Options,
): ColumnDeclaration<'integer', Maybe<Options, number>> {
  return column('integer', undefined, options)
}

/** A measured number (double precision). For amounts of money use `money`. */
export function number<const Options extends RangeOptions = RangeOptions>(
  options?: Options,
): ColumnDeclaration<'number', Maybe<Options, number>> {
  return column('number', undefined, options)
}

/** Free text. */
export function text<const Options extends TextOptions = TextOptions>(
  options?: Options,
): ColumnDeclaration<'text', Maybe<Options, string>> {
  return column('text', undefined, options)
}

/** One of the listed values. */
export function category<
  const Values extends readonly string[],
  const Options extends ColumnOptions = ColumnOptions,
>(
  values: Values,
  options?: Options,
): ColumnDeclaration<'category', Maybe<Options, Values[number]>> {
  return column('category', values, options)
}

/** True or false; `true`, `false`, `1` and `0` in files. 1 or 0 in a row. */
export function boolean<const Options extends ColumnOptions = ColumnOptions>(
  options?: Options,
): ColumnDeclaration<'boolean', Maybe<Options, number>> {
  return column('boolean', undefined, options)
}

function column<Kind extends ColumnKind, Value>(
  kind: Kind,
  argument: string | readonly string[] | undefined,
  options: object | undefined,
): ColumnDeclaration<Kind, Value> {
  return { kind, argument, options: { ...options } }
}

export type ColumnDeclarations = Readonly<Record<string, ColumnDeclaration>>

export interface SourceOptions<Columns extends ColumnDeclarations> {
  readonly description?: string
  /** IANA zone of timestamps that carry none, and of calendar features. Default UTC. */
  readonly timeZone?: string
  /** In the order in which rows hold their values. */
  readonly columns: Columns
  /** Columns that files may carry and that are left out. */
  readonly ignore?: readonly string[]
  /** Live events that lag more than this behind the source's clock count as late: `'1d'`. */
  readonly late?: string
  /** Live events more than this ahead of the source's clock are refused. Default `'5m'`. */
  readonly future?: string
  /**
   * By what large snapshots are cut into parts, each stored once: `'day'`, `'month'`, `'year'` of
   * event time (UTC), or `'whole'`. By default as the number of rows a day suggests.
   */
  readonly parts?: Granularity
}

export interface SourceDeclaration<Columns extends ColumnDeclarations = ColumnDeclarations> {
  readonly declaration: 'source'
  readonly name: string
  readonly options: SourceOptions<Columns>
}

/**
 * Declares a source of events: its columns, and how they are checked.
 *
 * ```ts
 * const payments = source('payments', {
 *   columns: {
 *     payment_id: id(),
 *     paid_at: eventTime({ from: 'PAID_AT', min: '2018-01-01' }),
 *     customer_id: key('integer', { personal: true }),
 *     amount: money('EUR', { min: '0.00', max: '100000.00' }),
 *   },
 * })
 * ```
 */
export function source<const Columns extends ColumnDeclarations>(
  name: string,
  options: SourceOptions<Columns>,
): SourceDeclaration<Columns> {
  return { declaration: 'source', name, options }
}

export interface LabelsOptions<Values extends Readonly<Record<string, number>>> {
  readonly description?: string
  readonly of: SourceDeclaration
  /** Label names and the whole numbers that stand for them in files. */
  readonly values: Values
  /** The value that models look for. */
  readonly positive: string
  /** How long after its event a label arrives where the data do not say: `'7d'`. */
  readonly delay: string
  /** The column of the source's files that holds the label, where it does. */
  readonly from?: string
  /** Column names in files of labels, where they differ from these. */
  readonly file?: {
    readonly eventId?: string
    readonly value?: string
    readonly eventTime?: string
    readonly arrivalTime?: string
    readonly author?: string
  }
}

export interface LabelsDeclaration<
  Values extends Readonly<Record<string, number>> = Readonly<Record<string, number>>,
> {
  readonly declaration: 'labels'
  readonly name: string
  readonly options: LabelsOptions<Values>
}

/**
 * Declares the labels of a source's events. The latest arrival for an event wins; earlier ones stay
 * in the history.
 *
 * ```ts
 * const fraud = labels('fraud', {
 *   of: payments, values: { genuine: 0, fraud: 1 }, positive: 'fraud', delay: '7d',
 * })
 * ```
 */
export function labels<const Values extends Readonly<Record<string, number>>>(
  name: string,
  options: LabelsOptions<Values> & { readonly positive: keyof Values & string },
): LabelsDeclaration<Values> {
  return { declaration: 'labels', name, options }
}

/** Names of a source's columns, of the given kinds: `ColumnName<typeof payments, 'key'>`. */
export type ColumnName<Source, Kind extends ColumnKind = ColumnKind> =
  Source extends SourceDeclaration<infer Columns>
    ? {
        [Name in keyof Columns & string]: Columns[Name]['kind'] extends Kind ? Name : never
      }[keyof Columns & string]
    : never

/** Kinds whose values are numbers that can be added and compared. */
export type NumericKind = 'money' | 'integer' | 'number' | 'boolean'

/** A source's row by column name, as rows hold it: `RowOf<typeof payments>`. */
export type RowOf<Source> =
  Source extends SourceDeclaration<infer Columns>
    ? {
        readonly [Name in keyof Columns & string]: Columns[Name] extends ColumnDeclaration<
          ColumnKind,
          infer Value
        >
          ? Value
          : never
      }
    : never
