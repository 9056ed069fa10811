import { sql, type RawBuilder } from 'kysely'
import type { Comparison, Filter } from '../../lib/filter.ts'

export type Sql = RawBuilder<unknown>

/**
 * Where a field's values lie. `value` is the expression of one value; where values lie in a table
 * beside, `holds` turns a condition over that expression into one over the row that is searched
 * (some value fulfils it).
 */
export interface FilterColumn {
  readonly value: Sql
  readonly holds?: (condition: Sql) => Sql
}

/**
 * A filter as a WHERE clause, all values as parameters. It means what `matches` of lib/filter means:
 * LIKE becomes GLOB, which minds upper and lower case, and missing values (NULL) fulfil nothing.
 */
export function whereFilter<Field>(
  filter: Filter<Field>,
  columnOf: (field: Field) => FilterColumn,
): Sql {
  if ('all' in filter) return joined(filter.all, columnOf, sql` AND `, sql`TRUE`)
  if ('any' in filter) return joined(filter.any, columnOf, sql` OR `, sql`FALSE`)
  const { value, holds } = columnOf(filter.field)
  if (filter.op === 'is-null') return holds ? sql`NOT ${holds(sql`TRUE`)}` : sql`${value} IS NULL`
  if (filter.op === 'is-not-null') return holds?.(sql`TRUE`) ?? sql`${value} IS NOT NULL`
  const condition = conditionOn(value, filter)
  return holds?.(condition) ?? condition
}

function joined<Field>(
  parts: readonly Filter<Field>[],
  columnOf: (field: Field) => FilterColumn,
  by: Sql,
  empty: Sql,
): Sql {
  if (parts.length === 0) return empty
  return sql`(${sql.join(
    parts.map((part) => whereFilter(part, columnOf)),
    by,
  )})`
}

function conditionOn<Field>(value: Sql, { op, value: operand }: Comparison<Field>): Sql {
  switch (op) {
    case '=':
      return sql`${value} = ${operand}`
    case '!=':
      return sql`${value} <> ${operand}`
    case '<':
      return sql`${value} < ${operand}`
    case '<=':
      return sql`${value} <= ${operand}`
    case '>':
      return sql`${value} > ${operand}`
    case '>=':
      return sql`${value} >= ${operand}`
    case 'like':
      return sql`${value} GLOB ${globOf(String(operand))}`
    case 'ilike':
      return sql`assay_lower(${value}) GLOB ${globOf(String(operand).toLowerCase())}`
    case 'in':
      return sql`${value} IN (SELECT value FROM json_each(${JSON.stringify(operand)}))`
    case 'not-in':
      // NULL is not in an empty list, says SQL; but what has no value fulfils nothing.
      return sql`(${value} IS NOT NULL
        AND ${value} NOT IN (SELECT value FROM json_each(${JSON.stringify(operand)})))`
    case 'is-null':
    case 'is-not-null':
      throw new Error('Presence is asked before values are.')
  }
}

/** A pattern of % and _ as GLOB has it: * and ?, its own signs in brackets. */
function globOf(pattern: string): string {
  return pattern.replaceAll(/[*?[%_]/g, (sign) => {
    if (sign === '%') return '*'
    return sign === '_' ? '?' : `[${sign}]`
  })
}
