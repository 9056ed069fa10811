import { identifier, literal, exactPath, withDatabase, type DatabaseLimits } from './database.ts'

/** A column of the CSV and what its fields are. */
export interface CsvColumn {
  readonly name: string
  readonly type: 'number' | 'text'
}

/**
 * Writes CSV files without headers, one after the other, as one Parquet file, in memory that does not
 * grow with them: numbers as DOUBLE, text as VARCHAR, an empty field that is not quoted as NULL. The
 * same rows give the same bytes, wherever one file ends and the next begins. Errors are DuckDB's.
 */
export async function csvToParquet(
  paths: readonly string[],
  columns: readonly CsvColumn[],
  to: string,
  limits: DatabaseLimits = {},
): Promise<void> {
  const types = columns.map(({ name, type }) => {
    return `${literal(name)}: ${literal(type === 'number' ? 'DOUBLE' : 'VARCHAR')}`
  })
  const names = columns.map(({ name }) => identifier(name)).join(', ')
  const from =
    paths.length === 0
      ? `(SELECT ${columns.map(({ type }) => `NULL::${type === 'number' ? 'DOUBLE' : 'VARCHAR'}`).join(', ')} WHERE false) AS none(${names})`
      : `read_csv([${paths.map(exactPath).join(', ')}], header = false, auto_detect = false, ` +
        `delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, ` +
        `new_line = '\\n', parallel = false, max_line_size = ${LINE_BYTES_MAX}, ` +
        `columns = {${types.join(', ')}})`
  // One thread, so that the row groups are those of the rows and not of who came first.
  await withDatabase({ ...limits, threads: 1 }, async (connection) => {
    await connection.run(
      `COPY (SELECT ${names} FROM ${from}) TO ${literal(to)} ` +
        '(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, ROW_GROUP_SIZE 122880)',
    )
  })
}

/** A row may hold the reasons of a decision and, among what was refused, a record of its input. */
const LINE_BYTES_MAX = 8 * 1024 * 1024
