import type { SqlDialect } from './dialect.ts'

/** Labels that arrive, or change, when a window holds their event already. */
export interface LateLabels {
  /** The column that says how many positive labels they add to the window. */
  readonly name: string
  /** Table of the labels' changes. */
  readonly changes: string
  readonly keys: readonly string[]
  /** The condition under which an event counts; '' is fulfilled by all. */
  readonly counted: string
  readonly windowUs: number | null
  readonly delayUs: number
}

/**
 * A table of events with the column of late labels. A late change counts in the window of its event
 * from its arrival until the event leaves. So each becomes one row at either time, whose running sum
 * by entity is the figure at every time between; an event takes the last of them up to its own time.
 */
export function withLateLabels(
  dialect: SqlDialect,
  events: string,
  table: string,
  late: LateLabels,
): string {
  const { name, keys } = late
  const same = keys.map((key) => `o.${key} = x.${key}`).join(' AND ')
  return (
    `(SELECT o.*, coalesce(x.total, 0e0) AS ${name} FROM ${table} AS o ${dialect.asOfLeftJoin} ` +
    `(${runningTotals(dialect, events, late)}) AS x ON ${same} AND o.time >= x.moment)`
  )
}

function runningTotals(
  dialect: SqlDialect,
  events: string,
  { changes, keys, counted, windowUs, delayUs }: LateLabels,
): string {
  const enters = `e.time + ${delayUs}`
  const leaves = windowUs === null ? null : `${enters} + ${windowUs}`
  const conditions = [
    `c.arrival > ${enters}`,
    ...(leaves === null ? [] : [`c.arrival < ${leaves}`]),
    ...(counted === '' ? [] : [counted]),
  ]
  const rows = (at: string, change: string): string =>
    `SELECT ${keys.join(', ')}, ${at} AS moment, ${change} AS change FROM ${changes} AS c ` +
    `JOIN ${events} AS e ON e.row = c.row WHERE ${conditions.join(' AND ')}`
  const all = [rows('c.arrival', 'c.change')]
  if (leaves !== null) all.push(rows(leaves, '- c.change'))
  const total = `CAST(sum(sum(change)) OVER (PARTITION BY ${keys.join(', ')} ORDER BY moment)`
  return (
    `SELECT ${keys.join(', ')}, moment, ${total} AS ${dialect.types.number}) AS total ` +
    `FROM (${all.join(' UNION ALL ')}) GROUP BY ${keys.join(', ')}, moment`
  )
}
