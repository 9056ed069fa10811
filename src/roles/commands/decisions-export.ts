// `assay decisions export`: the journal as Parquet files.
import { join } from 'node:path'
import { openDayTables } from '../../adapters/duckdb/index.ts'
import { count, exitCodes, type DecisionsExportOptions, type Terminal } from '../../cli/index.ts'
import { exportJournal } from '../../decisions/index.ts'
import { existingHome } from './connection.ts'
import { periodOf } from './days.ts'
import { commandErrors } from './errors.ts'
import { namespacesOf } from './features-audit.ts'

/** What DuckDB may take; the rows wait on disk. */
const MEMORY_MAX = '512MB'

/** Reads the journal alone, so that a server may go on writing it. */
export async function decisionsExport(
  options: DecisionsExportOptions,
  { out, err }: Terminal,
): Promise<number> {
  const home = existingHome(options.home)
  const period = periodOf(options, 'UTC')
  const [namespace] = namespacesOf(home, options.namespace)
  const { written, expired } = await exportDays(join(home.decide, namespace), period, options.out)
  for (const { file, rows } of written) out.line(`${file}: ${count(rows, 'row')}`)
  if (written.length === 0 && expired === 0) out.line('Nothing was recorded in that period.')
  if (expired > 0) {
    err.line(`${err.style('yellow', count(expired, 'decision'))}: the record is no longer kept.`)
  }
  return exitCodes.ok
}

/** Writes what a namespace's journal has of a period of receipt, a file for each day. */
export async function exportDays(
  directory: string,
  period: { readonly fromUs: number; readonly toUs: number },
  out: string,
) {
  const tables = await openDayTables(out, { memory: MEMORY_MAX }).catch((cause: Error) => {
    throw commandErrors.output_unwritable(cause.message, { cause })
  })
  try {
    const { expired } = await exportJournal({ directory, ...period }, tables)
    return { written: await tables.finish(), expired }
  } finally {
    await tables.close()
  }
}
