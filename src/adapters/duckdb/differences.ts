import type { DuckDBConnection } from '@duckdb/node-api'
import {
  comparedColumns,
  dataErrors,
  differencePlan,
  shownCells,
  shownId,
  type ContractColumn,
  type DatasetDifference,
  type DifferenceCell,
  type DifferenceEngine,
  type DifferencePlan,
  type DifferenceSide,
  type FrameType,
  type RowDifference,
} from '../../data/index.ts'
import { identifier, parquetFiles, rowsOf, withDatabase, type DatabaseLimits } from './database.ts'
import { profileColumns } from './difference-profile.ts'
import { storage } from './frame-table.ts'
import { filesIn } from './snapshot-files.ts'
import type { DuckdbSnapshotsOptions } from './snapshots.ts'

/** Rows of both sides that are compared at once; more are compared in passes, by a hash of their id. */
const rowsOfPassMax = 8_000_000

/**
 * Differences by DuckDB over the Parquet files of snapshots: parts that both sides hold are not
 * read; the rest is cancelled, paired and counted in SQL.
 */
export function duckdbDifferences(
  options: DuckdbSnapshotsOptions & { readonly rowsOfPassMax?: number },
): DifferenceEngine {
  const files = filesIn(options.directory)

  async function partsOf(side: DifferenceSide): Promise<Part[]> {
    const parts: Part[] = []
    for (const hash of side.snapshots) parts.push(...(await files.partsOf(hash)))
    return parts
  }

  return {
    async compare(request) {
      const plan = differencePlan(request)
      const before = await partsOf(request.before)
      const after = await partsOf(request.after)
      const own = withoutShared(before, after)
      return readable(options, async (connection) => {
        const rows = {
          before: await countRows(connection, before),
          after: await countRows(connection, after),
        }
        const rowsRead =
          (await countRows(connection, own.before)) + (await countRows(connection, own.after))
        const passes = Math.ceil(rowsRead / (options.rowsOfPassMax ?? rowsOfPassMax))
        await findDifferences(connection, plan, own, passes)
        const { counts, columns } = await countDifferences(connection, plan)
        return {
          rows: { ...rows, ...counts },
          parts: {
            before: before.length,
            after: after.length,
            shared: before.length - own.before.length,
            rowsRead,
          },
          schema: plan.schema,
          compared: comparedColumns(plan),
          columns,
          sample: {
            added: await sample(connection, plan, 'added'),
            removed: await sample(connection, plan, 'removed'),
            changed: await sample(connection, plan, 'changed'),
          },
          profile: request.profile
            ? await profileColumns(connection, plan.compared, {
                before: tableOf(before, plan, plan.before),
                after: tableOf(after, plan, plan.after),
              })
            : null,
        } satisfies DatasetDifference
      })
    },
  }
}

interface Part {
  readonly hash: string
  readonly path: string
}

/** The parts of each side for which the other has no equal one. */
function withoutShared(before: readonly Part[], after: readonly Part[]) {
  const left = (parts: readonly Part[], others: readonly Part[]): Part[] => {
    const counts = new Map<string, number>()
    for (const { hash } of others) counts.set(hash, (counts.get(hash) ?? 0) + 1)
    return parts.filter(({ hash }) => {
      const count = counts.get(hash) ?? 0
      if (count > 0) counts.set(hash, count - 1)
      return count === 0
    })
  }
  return { before: left(before, after), after: left(after, before) }
}

/** A missing or damaged file is no defect of the question. */
async function readable<Result>(
  limits: DatabaseLimits,
  work: (connection: DuckDBConnection) => Promise<Result>,
): Promise<Result> {
  try {
    return await withDatabase(limits, work)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (/No files found|Cannot open file/i.test(message)) {
      throw dataErrors.snapshot_not_found('A file of one of the versions is missing.', { cause })
    }
    if (/parquet/i.test(message) && /magic|corrupt|too small|metadata/i.test(message)) {
      throw dataErrors.snapshot_damaged('A file of one of the versions cannot be read.', { cause })
    }
    throw cause
  }
}

function fileList(parts: readonly Part[]): string {
  return parquetFiles(
    parts.map(({ path }) => path),
    { byName: true },
  )
}

async function countRows(connection: DuckDBConnection, parts: readonly Part[]): Promise<number> {
  if (parts.length === 0) return 0
  return Number((await rowsOf(connection, `SELECT count(*) FROM ${fileList(parts)}`))[0][0])
}

const sqlTypes: Readonly<Record<FrameType, string>> = {
  time: 'TIMESTAMP',
  money: 'BIGINT',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  text: 'VARCHAR',
}

/** A side's rows: id as text, time, and compared columns as c0, c1, … in the plan's types. */
function tableOf(
  parts: readonly Part[],
  { compared }: DifferencePlan,
  { id, time }: DifferencePlan['before'],
): string {
  const columns = compared.map(({ name, type }, at) => {
    const value = parts.length === 0 ? 'NULL' : identifier(name)
    return `, TRY_CAST(${value} AS ${sqlTypes[type]}) AS c${at}`
  })
  const [idValue, timeValue] =
    parts.length === 0 ? ['NULL', 'NULL'] : [identifier(id), identifier(time)]
  return (
    `(SELECT CAST(${idValue} AS VARCHAR) AS id, epoch_us(CAST(${timeValue} AS TIMESTAMP)) AS us` +
    `${columns.join('')}${parts.length === 0 ? ' WHERE false' : ` FROM ${fileList(parts)}`})`
  )
}

/**
 * Makes the table `pairs`: of every row that has no equal one on the other side, its values before
 * (b…) and after (a…). `n` says how many more of a row the newer side has.
 */
async function findDifferences(
  connection: DuckDBConnection,
  plan: DifferencePlan,
  own: { readonly before: readonly Part[]; readonly after: readonly Part[] },
  passes: number,
): Promise<void> {
  const cells = plan.compared.map((_, at) => `c${at}`)
  const values = ['id', ...cells].join(', ')
  const sides = [
    `SELECT id, us, ${[...cells, '-1 AS n'].join(', ')} FROM ${tableOf(own.before, plan, plan.before)}`,
    `SELECT id, us, ${[...cells, '1 AS n'].join(', ')} FROM ${tableOf(own.after, plan, plan.after)}`,
  ].join(' UNION ALL ')
  const cancelled = (where: string) =>
    `SELECT ${values}, min(us) AS us, sum(n) AS n FROM (${sides}) ${where}
     GROUP BY ${values} HAVING sum(n) <> 0`
  await connection.run(`CREATE TABLE differing AS ${cancelled('WHERE false')}`)
  for (let pass = 0; pass < passes; pass++) {
    const where = passes === 1 ? '' : `WHERE hash(id) % ${passes} = ${pass}`
    await connection.run(`INSERT INTO differing ${cancelled(where)}`)
  }
  const order = cells.length === 0 ? 'us' : cells.map((cell) => `${cell} NULLS LAST`).join(', ')
  const side = (sign: string) =>
    `(SELECT id, us, ${[...cells, `row_number() OVER (PARTITION BY id ORDER BY ${order}) AS k`].join(', ')}
      FROM (SELECT *, unnest(range(CAST(${sign}n AS BIGINT))) FROM differing WHERE ${sign}n > 0))`
  const pick = (from: string) => cells.map((cell) => `, ${from}.${cell} AS ${from}${cell}`).join('')
  await connection.run(
    `CREATE TABLE pairs AS SELECT coalesce(a.id, b.id) AS id, coalesce(a.us, b.us) AS us,
       coalesce(a.k, b.k) AS k,
       CASE WHEN b.k IS NULL THEN 'added' WHEN a.k IS NULL THEN 'removed' ELSE 'changed' END AS kind
       ${pick('b')}${pick('a')}
     FROM ${side('-')} AS b FULL OUTER JOIN ${side('')} AS a
       ON a.id IS NOT DISTINCT FROM b.id AND a.k = b.k`,
  )
}

async function countDifferences(connection: DuckDBConnection, { compared }: DifferencePlan) {
  const differ = compared.map(
    (_, at) => `, count(*) FILTER (kind = 'changed' AND bc${at} IS DISTINCT FROM ac${at})`,
  )
  const [row] = await rowsOf(
    connection,
    `SELECT count(*) FILTER (kind = 'added'), count(*) FILTER (kind = 'removed'),
       count(*) FILTER (kind = 'changed')${differ.join('')} FROM pairs`,
  )
  const [added, removed, changed, ...columns] = row.map(Number)
  return {
    counts: { added, removed, changed },
    columns: compared
      .map(({ name }, at) => ({ column: name, changed: columns[at] }))
      .filter((column) => column.changed > 0),
  }
}

async function sample(
  connection: DuckDBConnection,
  plan: DifferencePlan,
  kind: 'added' | 'removed' | 'changed',
): Promise<RowDifference[]> {
  const { compared, rowsMax } = plan
  const loaded = (side: string) =>
    compared.map(({ type }, at) => `, ${storage[type].load(`${side}c${at}`)}`).join('')
  const differ = compared.map((_, at) => `, bc${at} IS DISTINCT FROM ac${at}`).join('')
  const rows = await rowsOf(
    connection,
    `SELECT id, us${differ}${loaded('b')}${loaded('a')} FROM pairs WHERE kind = '${kind}'
     ORDER BY us NULLS LAST, pairs.id NULLS LAST, k LIMIT ${rowsMax}`,
  )
  const width = compared.length
  const cellsOf = (row: readonly unknown[], start: number) =>
    shownCells(compared, (column: ContractColumn) => cellOf(row[start + compared.indexOf(column)]))
  return rows.map((row) => ({
    id: shownId(plan, row[0] === null ? null : String(row[0])),
    atUs: row[1] === null ? null : Number(row[1]),
    columns:
      kind === 'changed'
        ? compared.filter((_, at) => row[2 + at] === true).map(({ name }) => name)
        : [],
    before: kind === 'added' ? null : cellsOf(row, 2 + width),
    after: kind === 'removed' ? null : cellsOf(row, 2 + 2 * width),
  }))
}

function cellOf(value: unknown): DifferenceCell {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : Number(value)
}
