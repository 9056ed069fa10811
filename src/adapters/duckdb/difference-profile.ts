import type { DuckDBConnection } from '@duckdb/node-api'
import {
  deciles,
  hasMean,
  hasPsi,
  hasQuantiles,
  quantilePlace,
  quantilesShown,
  textBinsMax,
  type ColumnDifference,
  type ColumnFigures,
  type ContractColumn,
} from '../../data/index.ts'
import { psiOfCounts } from '../../lib/statistics.ts'
import { literal, rowsOf } from './database.ts'
import { storage } from './frame-table.ts'

/** SQL of the two sides' tables, whose columns are c0, c1, … in the order of the plan. */
interface Sides {
  readonly before: string
  readonly after: string
}

/** Every column of both sides, one after the other, so that memory holds one column at a time. */
export async function profileColumns(
  connection: DuckDBConnection,
  columns: readonly ContractColumn[],
  sides: Sides,
): Promise<ColumnDifference[]> {
  const found: ColumnDifference[] = []
  for (const [at, { name, type, currency, exponent, personal }] of columns.entries()) {
    const column = { name: `c${at}`, type, personal }
    const before = await figuresOf(connection, column, sides.before)
    const after = await figuresOf(connection, column, sides.after)
    found.push({
      column: name,
      type,
      ...(currency !== undefined && { currency }),
      ...(exponent !== undefined && { exponent }),
      before,
      after,
      psi: hasPsi(type) ? await psiOf(connection, column, sides, before) : null,
    })
  }
  return found
}

type Column = Pick<ContractColumn, 'name' | 'type' | 'personal'>

async function figuresOf(
  connection: DuckDBConnection,
  column: Column,
  table: string,
): Promise<ColumnFigures> {
  const { name, type } = column
  const value = storage[type].load(name)
  // Sums of whole numbers are exact in 128 bits; those of floats are compensated.
  const sum = type === 'number' ? `fsum(${value})` : `sum(CAST(${value} AS HUGEINT))`
  const [row] = await rowsOf(
    connection,
    `SELECT count(*), count(*) - count(${name}), count(DISTINCT ${name}),
       ${hasMean(column) ? `CAST(${sum} AS DOUBLE) / count(${name})` : 'NULL'} FROM ${table}`,
  )
  const [count, missing, distinct, mean] = row
  return {
    rows: Number(count),
    missing: Number(missing),
    distinct: Number(distinct),
    mean: mean === null || Number(missing) === Number(count) ? null : Number(mean),
    quantiles: hasQuantiles(column)
      ? await quantiles(connection, value, table, quantilesShown)
      : [],
  }
}

/** Of n values the ⌈p·n⌉-th; none where there are no values. */
async function quantiles(
  connection: DuckDBConnection,
  value: string,
  table: string,
  shares: readonly number[],
): Promise<number[]> {
  const [[count]] = await rowsOf(connection, `SELECT count(${value}) FROM ${table}`)
  const n = Number(count)
  if (n === 0) return []
  // The middle of a value's share of the whole, so that the engine's rounding of p·n cannot matter.
  const wanted = shares.map((p) => (quantilePlace(p, n) + 0.5) / n)
  const [[found]] = await rowsOf(
    connection,
    `SELECT quantile_disc(${value}, [${wanted.map(double).join(', ')}]) FROM ${table}`,
  )
  return (found as { readonly items: readonly unknown[] }).items.map(Number)
}

/** A literal without a digit lost: an unquoted one would be read as a decimal. */
function double(value: number): string {
  return `CAST('${value}' AS DOUBLE)`
}

async function psiOf(
  connection: DuckDBConnection,
  { name, type }: Column,
  sides: Sides,
  before: ColumnFigures,
): Promise<number | null> {
  const bin =
    type === 'text' || before.missing === before.rows
      ? await textBin(connection, name, type, sides.before)
      : await numberBin(connection, storage[type].load(name), sides.before)
  const counts = async (table: string) => {
    const found = new Array<number>(textBinsMax + 2).fill(0)
    const binned = await rowsOf(
      connection,
      `SELECT ${bin} AS bin, count(*) FROM ${table} GROUP BY bin`,
    )
    for (const [at, count] of binned) found[Number(at)] = Number(count)
    return found
  }
  return psiOfCounts(await counts(sides.before), await counts(sides.after))
}

/** Bin 0 is of missing values, bin 1 of texts that are not among the most frequent. */
async function textBin(
  connection: DuckDBConnection,
  name: string,
  type: Column['type'],
  table: string,
): Promise<string> {
  const most =
    type === 'text'
      ? await rowsOf(
          connection,
          `SELECT ${name} AS v FROM ${table} WHERE ${name} IS NOT NULL GROUP BY v
           ORDER BY count(*) DESC, v LIMIT ${textBinsMax}`,
        )
      : []
  const own = most.map(([text], at) => ` WHEN ${name} = ${literal(String(text))} THEN ${at + 2}`)
  return `CASE WHEN ${name} IS NULL THEN 0${own.join('')} ELSE 1 END`
}

async function numberBin(
  connection: DuckDBConnection,
  value: string,
  table: string,
): Promise<string> {
  const edges = [...new Set(await quantiles(connection, value, table, deciles))]
  const below = edges.map((edge, at) => ` WHEN ${value} <= ${double(edge)} THEN ${at + 1}`)
  return `CASE WHEN ${value} IS NULL THEN 0${below.join('')} ELSE ${edges.length + 1} END`
}
