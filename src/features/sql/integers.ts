import type { SqlDialect } from './dialect.ts'

/** Integers of 64 and of 128 bits end below these; a little is left for intermediate results. */
const INTEGER_LIMIT = 2 ** 62
const WIDE_LIMIT = 2 ** 125

/**
 * How whole numbers of up to some size are held, so that sums of them are exact in any order:
 * doubles, which engines add up fastest, as far as they hold every integer, and wider types beyond.
 */
export interface WholeNumbers {
  readonly type: string
  /** The nearest double. */
  toNumber(sql: string): string
  /** The same as an integer of 128 bits. */
  toWide(sql: string): string
}

/** Undefined where no type of the engine is wide enough. */
export function wholeNumbers(dialect: SqlDialect, size: number): WholeNumbers | undefined {
  const { number, integer, wide } = dialect.types
  const widened = (sql: string): string => `CAST(CAST(${sql} AS ${integer}) AS ${wide})`
  if (size <= Number.MAX_SAFE_INTEGER) {
    return { type: number, toNumber: (sql) => sql, toWide: widened }
  }
  if (size < INTEGER_LIMIT) {
    return { type: integer, toNumber: (sql) => `CAST(${sql} AS ${number})`, toWide: widened }
  }
  if (size >= WIDE_LIMIT) return undefined
  return { type: wide, toNumber: (sql) => dialect.wideToNumber(sql), toWide: (sql) => sql }
}
