import type { CalendarPart } from '../compiled.ts'

/**
 * How an engine writes what differs between engines. Everything else that the statements use is
 * plain SQL: integers, + − × ÷ √, CASE, and window functions.
 */
export interface SqlDialect {
  readonly name: string
  readonly types: {
    /** Whole numbers of 64 and of 128 bits. */
    readonly integer: string
    readonly wide: string
    /** Doubles. */
    readonly number: string
    readonly text: string
  }
  /** NaN as a constant: how "missing" leaves the engine. */
  readonly missing: string
  /** A value that may be NULL, in something that is not, and out of it again. */
  boxed(sql: string): string
  unboxed(sql: string): string
  /** Before a common table: whether it is to be worked out once, or wherever it is read. */
  common(once: boolean): string
  /** Joins to each row the last row of another table up to a time, where there is one. */
  readonly asOfLeftJoin: string
  /** Text as a constant. */
  literal(text: string): string
  /** A double as a constant that reads back as the same double. */
  number(value: number): string
  /** The double that is nearest to an integer of 128 bits, ties to even. */
  wideToNumber(sql: string): string
  /** Whether a double is neither infinite nor NaN. */
  isFinite(sql: string): string
  /** A part of the calendar as a number (`isWeekend` as a condition); `localUs` is local time. */
  calendar(part: CalendarPart, localUs: string): string
}

/** DuckDB, with `ieee_floating_point_ops` on and no extension. */
export const duckdbDialect: SqlDialect = {
  name: 'DuckDB',
  types: { integer: 'BIGINT', wide: 'HUGEINT', number: 'DOUBLE', text: 'VARCHAR' },
  boxed: (sql) => `struct_pack(held := ${sql})`,
  unboxed: (sql) => `struct_extract(${sql}, 'held')`,
  common: (once) => (once ? 'MATERIALIZED' : 'NOT MATERIALIZED'),
  asOfLeftJoin: 'ASOF LEFT JOIN',
  missing: `CAST('NaN' AS DOUBLE)`,
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
  // With an exponent the constant is a double from the start; without, it would be a decimal.
  number: (value) => (value === 0 ? '0e0' : value.toExponential()),
  // The engine's own cast adds two rounded halves, which may round twice. Its reading of decimal
  // text rounds once, and few figures need it: those beyond 2^53.
  wideToNumber: (sql) => `CAST(CAST(${sql} AS VARCHAR) AS DOUBLE)`,
  isFinite: (sql) => `isfinite(${sql})`,
  calendar(part, localUs) {
    const at = `make_timestamp(${localUs})`
    switch (part) {
      case 'hour':
        return `hour(${at})`
      case 'minuteOfDay':
        return `(epoch_us(${at} - date_trunc('day', ${at})) // 60000000)`
      case 'weekday':
        return `(isodow(${at}) - 1)`
      case 'isWeekend':
        return `(isodow(${at}) >= 6)`
      case 'dayOfMonth':
        return `day(${at})`
      case 'month':
        return `month(${at})`
    }
  },
}
