import { formatMinor } from '../lib/decimal.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { CompiledColumn, CompiledLabels, CompiledSource } from './contract.ts'
import { labelsSchema, type FrameSchemaColumn, type FrameType } from './frame.ts'
import { orderColumn } from './ingestion-job.ts'

/**
 * What lies between two versions of a dataset. Rows are compared by the columns that both versions
 * have with the same type. Equal rows cancel out, each against one of the other side; of what is
 * left, rows of the same id are paired in the order of their values and count as changed; the others
 * were added or removed. An event's id is there once; labels may be there many times.
 *
 * Because equal rows cancel, parts that both versions hold may be left unread.
 */
export interface DatasetDifference {
  readonly rows: {
    readonly before: number
    readonly after: number
    readonly added: number
    readonly removed: number
    readonly changed: number
  }
  /** How much had to be looked at: parts that both sides name were skipped. */
  readonly parts: {
    readonly before: number
    readonly after: number
    readonly shared: number
    /** Rows of both sides that were compared. */
    readonly rowsRead: number
  }
  readonly schema: SchemaDifference
  /** The columns that were compared, in the order of the newer contract. */
  readonly compared: readonly FrameSchemaColumn[]
  /** How many of the changed rows differ in each column; columns without change are left out. */
  readonly columns: readonly { readonly column: string; readonly changed: number }[]
  /** At most `rowsMax` of each kind, in order of (time, id). */
  readonly sample: {
    readonly added: readonly RowDifference[]
    readonly removed: readonly RowDifference[]
    readonly changed: readonly RowDifference[]
  }
  /** Null where it was not asked for. */
  readonly profile: readonly ColumnDifference[] | null
}

export interface SchemaDifference {
  /** Versions of the two contracts; equal where nothing was declared anew. */
  readonly contractBefore: string
  readonly contractAfter: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** In words: "money, EUR". */
  readonly retyped: readonly {
    readonly column: string
    readonly before: string
    readonly after: string
  }[]
}

/** In stored units: money in minor units, time in µs UTC, 1 and 0 for true and false. */
export type DifferenceCell = number | string | null

export interface RowDifference {
  readonly id: string | null
  readonly atUs: number | null
  /** Columns in which a changed row differs; empty for others. */
  readonly columns: readonly string[]
  /** Values by column, of those that are compared; null where the side has no such row. */
  readonly before: Readonly<Record<string, DifferenceCell>> | null
  readonly after: Readonly<Record<string, DifferenceCell>> | null
}

/** A column of both versions, before and after. */
export interface ColumnDifference {
  readonly column: string
  readonly type: FrameType
  readonly currency?: string
  readonly exponent?: number
  readonly before: ColumnFigures
  readonly after: ColumnFigures
  /**
   * Population stability index over the deciles of the older version (values that occur in it, as
   * upper edges), or its twenty most frequent texts, with a bin for missing values; null for ids,
   * times, and where one side has no rows.
   */
  readonly psi: number | null
}

export interface ColumnFigures {
  readonly rows: number
  readonly missing: number
  readonly distinct: number
  /** Of numbers; null for text, time, personal columns and where there are none. */
  readonly mean: number | null
  /**
   * Values at 0, 5, 25, 50, 75, 95 and 100 %: of n values the ⌈p·n⌉-th. Empty for text, and for
   * personal columns, of which no value is shown.
   */
  readonly quantiles: readonly number[]
}

export const quantilesShown: readonly number[] = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]

/** Upper edges of the bins that PSI is taken over, but the last. */
export const deciles: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

/** The deciles of sorted numbers, each once: values that occur, so an engine finds the same ones. */
export function decileEdges(sorted: ArrayLike<number>): number[] {
  return [...new Set(deciles.map((p) => sorted[quantilePlace(p, sorted.length)]))]
}

/**
 * Place, from 0, of the ⌈p·n⌉-th of n sorted values. Shares are whole twentieths, so that the product
 * is of whole numbers and never a little too large.
 */
export function quantilePlace(p: number, n: number): number {
  return Math.max(0, Math.ceil((Math.round(p * 20) * n) / 20) - 1)
}

/** One version, as the engine needs it: the newest contract and its snapshots, oldest first. */
export interface DifferenceSide {
  readonly contract: CompiledSource | CompiledLabels
  readonly snapshots: readonly string[]
}

export interface DifferenceRequest {
  readonly before: DifferenceSide
  readonly after: DifferenceSide
  /** Rows of each kind that are given, at most 100. */
  readonly rowsMax: number
  readonly profile: boolean
}

/**
 * Compares versions. Fails with `snapshot_not_found` where a version's files are gone, and
 * `snapshot_damaged` where they cannot be read.
 */
export interface DifferenceEngine {
  compare(request: DifferenceRequest): Promise<DatasetDifference>
}

export const differenceRowsMax = 100

// ---------------------------------------------------------------------------------------------
// Columns

/** A column as a contract stores it. */
export interface ContractColumn extends FrameSchemaColumn {
  /** Its type in words, for people. */
  readonly words: string
  readonly personal: boolean
}

/** The columns of a contract, as its snapshots store them. Ids are text, however they are stored. */
export function contractColumns(contract: CompiledSource | CompiledLabels): ContractColumn[] {
  if (contract.kind === 'labels') {
    const { columns } = labelsSchema({ rows: 0, columns: {} })
    return columns.map((column) => ({ ...column, words: column.type, personal: false }))
  }
  return contract.columns.map(contractColumn)
}

function contractColumn(column: CompiledColumn): ContractColumn {
  const { name, kind, personal } = column
  switch (kind) {
    case 'money': {
      const { currency, exponent } = column
      return { name, type: 'money', currency, exponent, words: `money, ${currency}`, personal }
    }
    case 'eventTime':
    case 'arrivalTime':
      return { name, type: 'time', words: kind, personal }
    case 'key':
      return {
        name,
        type: column.type === 'integer' ? 'integer' : 'text',
        words: `key, ${column.type}`,
        personal,
      }
    case 'integer':
    case 'number':
    case 'boolean':
      return { name, type: kind, words: kind, personal }
    case 'id':
    case 'text':
    case 'category':
      return { name, type: 'text', words: kind, personal }
  }
}

/** What an engine compares of two versions. */
export interface DifferencePlan {
  readonly schema: SchemaDifference
  /** Those of both sides with the same type but the id, in the order of the newer contract. */
  readonly compared: readonly ContractColumn[]
  readonly before: { readonly id: string; readonly time: string }
  readonly after: { readonly id: string; readonly time: string }
  /** Whether ids themselves must not be shown. */
  readonly idPersonal: boolean
  readonly rowsMax: number
}

export function differencePlan({ before, after, rowsMax }: DifferenceRequest): DifferencePlan {
  const old = new Map(contractColumns(before.contract).map((column) => [column.name, column]))
  const now = contractColumns(after.contract)
  const names = new Set(now.map(({ name }) => name))
  const ids = [idColumn(before.contract), idColumn(after.contract)]
  return {
    schema: {
      contractBefore: before.contract.version,
      contractAfter: after.contract.version,
      added: now.filter(({ name }) => !old.has(name)).map(({ name }) => name),
      removed: [...old.keys()].filter((name) => !names.has(name)),
      retyped: now.flatMap(({ name, words }) => {
        const was = old.get(name)?.words ?? words
        return was === words ? [] : [{ column: name, before: was, after: words }]
      }),
    },
    compared: now
      .filter((column) => !ids.includes(column.name) && isSame(old.get(column.name), column))
      // What is personal in either contract is not shown.
      .map((column) => ({
        ...column,
        personal: column.personal || old.get(column.name)!.personal,
      })),
    before: { id: ids[0], time: orderColumn(before.contract) },
    after: { id: ids[1], time: orderColumn(after.contract) },
    idPersonal: [...old.values(), ...now].some(
      ({ name, personal }) => personal && ids.includes(name),
    ),
    rowsMax: Math.min(rowsMax, differenceRowsMax),
  }
}

function isSame(a: ContractColumn | undefined, b: ContractColumn): boolean {
  return a?.type === b.type && a.currency === b.currency && a.exponent === b.exponent
}

export function idColumn(contract: CompiledSource | CompiledLabels): string {
  return contract.kind === 'labels' ? 'event_id' : contract.id
}

/** A stored value as people write it: money in decimals, times ISO 8601, true and false. */
export function cellText(
  cell: NonNullable<DifferenceCell>,
  { type, exponent }: Pick<FrameSchemaColumn, 'type' | 'exponent'>,
): string {
  if (typeof cell === 'string') return cell
  if (type === 'money') return formatMinor(cell, exponent!)
  if (type === 'time') return formatTimestamp(cell)
  if (type === 'boolean') return cell === 1 ? 'true' : 'false'
  return String(cell)
}

/** What a difference says of its columns. */
export function comparedColumns({ compared }: DifferencePlan): FrameSchemaColumn[] {
  return compared.map(({ name, type, currency, exponent }) => ({
    name,
    type,
    ...(currency !== undefined && { currency }),
    ...(exponent !== undefined && { exponent }),
  }))
}

/** Stands for a value that must not be shown. */
export const personalValue = '(personal)'

/** A row's id for people. */
export function shownId({ idPersonal }: DifferencePlan, id: string | null): string | null {
  return idPersonal && id !== null ? personalValue : id
}

/** A row's values for people: personal ones are hidden, but that there is one is not. */
export function shownCells(
  columns: readonly ContractColumn[],
  cell: (column: ContractColumn) => DifferenceCell,
): Record<string, DifferenceCell> {
  return Object.fromEntries(
    columns.map((column) => {
      const value = cell(column)
      return [column.name, column.personal && value !== null ? personalValue : value]
    }),
  )
}

/** Types whose distribution is compared: ids and times only grow. */
export function hasPsi(type: FrameType): boolean {
  return type !== 'time'
}

/** Whether the mean of a column says something, and may be told. */
export function hasMean({ type, personal }: Pick<ContractColumn, 'type' | 'personal'>): boolean {
  return type !== 'time' && type !== 'text' && !personal
}

/** Whether single values of a column, in their order, may be told. */
export function hasQuantiles({
  type,
  personal,
}: Pick<ContractColumn, 'type' | 'personal'>): boolean {
  return type !== 'text' && !personal
}

/** So many of the most frequent texts have a bin of their own. */
export const textBinsMax = 20
