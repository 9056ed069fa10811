import { sql } from 'kysely'
import type { Run, RunField, RunSearch, RunStore, StoreSearch } from '../../tracking/index.ts'
import type { Page, PageKey } from '../../lib/paging.ts'
import type { SqliteDatabase } from './database.ts'
import { whereFilter, type FilterColumn, type Sql } from './filter.ts'
import { deletedIs, ordered, pageAfter, pageFrom, places, type OrderColumn } from './keyset.ts'
import { completeRuns } from './tracking-parts.ts'
import { ofExperiments } from './tracking-runs.ts'

type SearchedRow = { key: number } & Record<string, string | number | null>

const tables = {
  metric: 'tracking_series',
  param: 'tracking_params',
  tag: 'tracking_tags',
} as const

/** With no more runs than this, sorting them is cheaper than walking a metric's values of all. */
const sortedRunsMax = 2000

/** So many runs are read in one go: some 40 ms. */
const runsPerTurn = 1000

/** What a search selects from, where, and in which order. */
interface Selection {
  readonly from: Sql
  readonly where: Sql
  readonly columns: readonly OrderColumn[]
}

export function searchStore(database: SqliteDatabase): Pick<RunStore, 'searchRuns'> {
  const execute = async (
    { from, where, columns }: Selection,
    after: PageKey | undefined,
    n: number,
  ) =>
    (
      await sql<SearchedRow>`
        SELECT r.key, ${places(columns)}
        FROM ${from} WHERE ${where} AND ${pageAfter(columns, after)}
        ORDER BY ${ordered(columns)} LIMIT ${n}`.execute(database.reader())
    ).rows

  /** Whether the experiments hold so few runs that any plan is a fast one. */
  async function isSmall({ experimentIds }: StoreSearch<RunSearch>): Promise<boolean> {
    const { rows } = await sql<{ runs: number }>`
      SELECT count(*) AS runs FROM (SELECT 1 FROM tracking_runs AS r
        WHERE ${ofExperiments('r.experimentId', experimentIds)} LIMIT ${sortedRunsMax + 1})`.execute(
      database.reader(),
    )
    return rows[0].runs <= sortedRunsMax
  }

  async function search(asked: StoreSearch<RunSearch>): Promise<SearchedRow[]> {
    const { order, limit, after } = asked
    const where = sql`${ofExperiments('r.experimentId', asked.experimentIds)}
      AND ${deletedIs(sql`r.deletedAtUs`, asked.deleted)}
      AND ${whereFilter(asked.filter ?? { all: [] }, columnOf)}`
    const columns = orderOf(order)
    const first = order[0]?.field
    const isLogged = first !== undefined && first.of !== 'attribute' && first.of !== 'dataset'
    if (!isLogged || (await isSmall(asked))) {
      return execute({ from: joined(order, 0), where, columns }, after, limit + 1)
    }
    // The index on (name, value) has the runs in their order; those without a value follow.
    const table = sql.table(tables[first.of])
    const has = sql`o0.name = ${first.name} AND o0.value IS NOT NULL`
    const inOrder: Selection = {
      from: sql`${table} AS o0 CROSS JOIN tracking_runs AS r ON r.key = o0.runKey ${joins(order, 1)}`,
      where: sql`${has} AND ${where}`,
      columns: [{ ...columns[0], isNullable: false }, ...columns.slice(1)],
    }
    const rows =
      after !== undefined && after[0] === null ? [] : await execute(inOrder, after, limit + 1)
    if (rows.length > limit) return rows
    const [, ...later] = columns
    const rest: Selection = {
      from: joined(order, 1),
      where: sql`${where} AND NOT EXISTS (SELECT 1 FROM ${table} AS o0
        WHERE o0.runKey = r.key AND ${has})`,
      columns: later,
    }
    const left = limit + 1 - rows.length
    const others = await execute(rest, after?.[0] === null ? after.slice(1) : undefined, left)
    return [...rows, ...others.map((row) => shifted(row, columns.length))]
  }

  return {
    async searchRuns(asked): Promise<Page<Run>> {
      const rows = await search(asked)
      return pageFrom(rows, asked.limit, asked.order.length + 2, async (page) => {
        const runs: Run[] = []
        for (let from = 0; from < page.length; from += runsPerTurn) {
          // Others are answered between the parts of a large page.
          if (from > 0) await new Promise((resolve) => void setImmediate(resolve))
          const keys = page.slice(from, from + runsPerTurn).map(({ key }) => key)
          runs.push(...completeRuns(database, keys, asked.parts ?? {}))
        }
        return runs
      })
    },
  }
}

/** A row of those without a value of the first field: its other columns move up by one. */
function shifted(row: SearchedRow, columns: number): SearchedRow {
  const places = Array.from({ length: columns }, (_, index) => [
    `o${index}`,
    index === 0 ? null : row[`o${index - 1}`],
  ])
  return { ...row, ...Object.fromEntries(places) } as SearchedRow
}

/** The fields that were asked for, then newest first, then by id. */
function orderOf(order: RunSearch['order']): OrderColumn[] {
  return [
    ...order.map(({ field, descending }, index): OrderColumn => {
      if (field.of === 'attribute') {
        const isNullable = field.name === 'endedAtUs'
        return { value: columnOf(field).value, descending, isNullable }
      }
      if (field.of !== 'dataset') {
        return { value: sql.ref(`o${index}.value`), descending, isNullable: true }
      }
      const extreme = sql.raw(descending ? 'max' : 'min')
      const value = sql`(SELECT ${extreme}(${datasetValue(field.name)}) FROM ${readings})`
      return { value, descending, isNullable: true }
    }),
    { value: sql`r.startedAtUs`, descending: true, isNullable: false },
    { value: sql`r.id`, descending: false, isNullable: false },
  ]
}

function joined(order: RunSearch['order'], from: number): Sql {
  return sql`tracking_runs AS r ${joins(order, from)}`
}

/** One row at most of each: names are unique within a run. */
function joins(order: RunSearch['order'], from: number): Sql {
  const each = order.map(({ field }, index) => {
    if (index < from || field.of === 'attribute' || field.of === 'dataset') return sql``
    const alias = sql.ref(`o${index}`)
    return sql` LEFT JOIN ${sql.table(tables[field.of])} AS ${alias}
      ON ${alias}.runKey = r.key AND ${alias}.name = ${field.name}`
  })
  return sql.join(each, sql``)
}

const readings = sql`tracking_readings AS g JOIN tracking_datasets AS d ON d.key = g.datasetKey
  WHERE g.runKey = r.key`

function datasetValue(name: 'name' | 'digest' | 'context'): Sql {
  return name === 'context' ? sql`g.context` : sql.ref(`d.${name}`)
}

function columnOf(field: RunField): FilterColumn {
  switch (field.of) {
    case 'attribute':
      return {
        value: field.name === 'artifactUri' ? sql`('runs:/' || r.id)` : sql.ref(`r.${field.name}`),
      }
    case 'dataset': {
      const value = datasetValue(field.name)
      return {
        value,
        holds: (condition) => sql`r.key IN (SELECT g.runKey FROM tracking_readings AS g
          JOIN tracking_datasets AS d ON d.key = g.datasetKey
          WHERE ${value} IS NOT NULL AND ${condition})`,
      }
    }
    default: {
      const table = sql.table(tables[field.of])
      return {
        value: sql`p.value`,
        holds: (condition) => sql`r.key IN (SELECT p.runKey FROM ${table} AS p
          WHERE p.name = ${field.name} AND ${condition})`,
      }
    }
  }
}
