import type { Granularity } from './versions-parts.ts'

/**
 * Compiled contracts: what a declared source or labels declaration becomes. They are plain JSON with
 * no closures, so that any process can load one by its version, and the version is the hash of the
 * content: two contracts with the same version are the same contract.
 */

/** The kinds of column a contract can declare. One word each, used alike in code, JSON and page. */
export type ColumnKind =
  | 'id'
  | 'eventTime'
  | 'arrivalTime'
  | 'key'
  | 'money'
  | 'integer'
  | 'number'
  | 'text'
  | 'category'
  | 'boolean'

interface CompiledColumnBase {
  /** The declared name: used in live JSON, in snapshots and everywhere inside. */
  readonly name: string
  /** The column's name in files; equal to `name` where nothing else was declared. */
  readonly from: string
  readonly nullable: boolean
  /** Personal data: masked where it is not needed, never written to the audit log. */
  readonly personal: boolean
  readonly description: string
}

export interface CompiledIdColumn extends CompiledColumnBase {
  readonly kind: 'id'
  /** `integer` refuses ids that are not whole numbers; `text` takes any text. Both are text in rows. */
  readonly type: 'text' | 'integer'
}
export interface CompiledEventTimeColumn extends CompiledColumnBase {
  readonly kind: 'eventTime'
  /** Microseconds UTC, inclusive. */
  readonly min: number
  /** Microseconds UTC, inclusive. */
  readonly max: number
}
export interface CompiledArrivalTimeColumn extends CompiledColumnBase {
  readonly kind: 'arrivalTime'
  /** Microseconds UTC, inclusive. */
  readonly min: number
  /** Microseconds UTC, inclusive. */
  readonly max: number
}
export interface CompiledKeyColumn extends CompiledColumnBase {
  readonly kind: 'key'
  readonly type: 'text' | 'integer'
}
export interface CompiledMoneyColumn extends CompiledColumnBase {
  readonly kind: 'money'
  /** ISO 4217 code. */
  readonly currency: string
  /** Number of decimal places of the minor unit: 2 for EUR, 0 for JPY. */
  readonly exponent: number
  /** Whether decimals may carry the noise of binary floats: `85.64999999999999` is 85.65. */
  readonly fromFloat: boolean
  /** Minor units, inclusive. */
  readonly min: number
  /** Minor units, inclusive. */
  readonly max: number
}
export interface CompiledIntegerColumn extends CompiledColumnBase {
  readonly kind: 'integer'
  readonly min: number
  readonly max: number
}
export interface CompiledNumberColumn extends CompiledColumnBase {
  readonly kind: 'number'
  /** Inclusive; null where the contract sets no bound. */
  readonly min: number | null
  readonly max: number | null
}
export interface CompiledTextColumn extends CompiledColumnBase {
  readonly kind: 'text'
  /** UTF-16 code units. */
  readonly lengthMax: number
}
export interface CompiledCategoryColumn extends CompiledColumnBase {
  readonly kind: 'category'
  readonly values: readonly string[]
}
export interface CompiledBooleanColumn extends CompiledColumnBase {
  readonly kind: 'boolean'
}

export type CompiledColumn =
  | CompiledIdColumn
  | CompiledEventTimeColumn
  | CompiledArrivalTimeColumn
  | CompiledKeyColumn
  | CompiledMoneyColumn
  | CompiledIntegerColumn
  | CompiledNumberColumn
  | CompiledTextColumn
  | CompiledCategoryColumn
  | CompiledBooleanColumn

export interface CompiledSource {
  readonly kind: 'source'
  readonly name: string
  /** SHA-256 (hex) of the canonical JSON of everything else in this object. */
  readonly version: string
  readonly description: string
  /** IANA zone of timestamps that carry none, and of calendar features. */
  readonly timeZone: string
  /** In contract order: the order of values in a `Row`. */
  readonly columns: readonly CompiledColumn[]
  /** Name of the one id column. */
  readonly id: string
  /** Name of the one event-time column. */
  readonly eventTime: string
  /** Name of the column that says when a row arrived; absent where none is declared. */
  readonly arrivalTime?: string
  /** Columns that files may carry and that are left out on purpose. */
  readonly ignore: readonly string[]
  /** Live events older than this behind the source's clock count as late; null: never. */
  readonly lateUs: number | null
  /** Live events further than this ahead of the source's clock are refused. */
  readonly futureUs: number
  /** By what large snapshots are cut into parts; absent where none is declared. */
  readonly parts?: Granularity
}

export interface CompiledLabels {
  readonly kind: 'labels'
  readonly name: string
  /** SHA-256 (hex) of the canonical JSON of everything else in this object. */
  readonly version: string
  readonly description: string
  /** Name of the source whose events are labelled. */
  readonly of: string
  /** Zone of timestamps that carry none: the source's. */
  readonly timeZone: string
  /** Label names and the safe integers that stand for them in files and frames. */
  readonly values: Readonly<Record<string, number>>
  /** The name of the value that models look for. */
  readonly positive: string
  /** How long after its event a label arrives where the data do not say (microseconds). */
  readonly delayUs: number
  /** Column of the source's own files that holds the label; null where labels come on their own. */
  readonly from: string | null
  /** Column names in files of labels. */
  readonly file: {
    readonly eventId: string
    readonly value: string
    readonly eventTime: string
    readonly arrivalTime: string
    readonly author: string
  }
}
