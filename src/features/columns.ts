/** Which columns fit where in a declaration, as types for the editor and as lists for compilation. */
import type {
  ColumnDeclaration,
  ColumnDeclarations,
  ColumnKind,
  NumericKind,
} from '../data/index.ts'

/** Kinds to calculate with. */
export const numericKinds: readonly ColumnKind[] = ['money', 'integer', 'number', 'boolean']

/** Kinds that name an entity. */
export type EntityKind = 'key' | 'category' | 'text'
export const entityKinds: readonly ColumnKind[] = ['key', 'category', 'text']

/** Kinds whose values are told apart and counted. */
export type DistinctKind = EntityKind | 'integer'
export const distinctKinds: readonly ColumnKind[] = [...entityKinds, 'integer']

/** Kinds whose value of one event is a number: that of a category is its index. */
export const readableKinds: readonly ColumnKind[] = [...numericKinds, 'category']

/** Names of the columns of the given kinds. */
export type ColumnsOf<Columns extends ColumnDeclarations, Kind extends ColumnKind> = {
  [Name in keyof Columns & string]: Columns[Name]['kind'] extends Kind ? Name : never
}[keyof Columns & string]

export type NumericColumn<Columns extends ColumnDeclarations> = ColumnsOf<Columns, NumericKind>
export type CategoryColumn<Columns extends ColumnDeclarations> = ColumnsOf<Columns, 'category'>
export type EntityColumn<Columns extends ColumnDeclarations> = ColumnsOf<Columns, EntityKind>
export type DistinctColumn<Columns extends ColumnDeclarations> = ColumnsOf<Columns, DistinctKind>

/** The declared values of a category. */
export type CategoryOf<Column> =
  Column extends ColumnDeclaration<'category', infer Value> ? Extract<Value, string> : never

/** Which of the current event's columns hold the keys of another source's events. */
export type KeyColumns<Other extends ColumnDeclarations, Own extends ColumnDeclarations> = {
  readonly [Name in EntityColumn<Other>]?: EntityColumn<Own>
}
