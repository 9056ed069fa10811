import {
  type CompiledSource,
  type Frame,
  type FrameColumn,
  type FrameSchema,
} from '../../data/index.ts'
import { exactPath, identifier, openDatabase, type DatabaseLimits } from './database.ts'
import { readVector, storage } from './frame-table.ts'

/** A Parquet file of a snapshot. */
export interface EventFile {
  readonly path: string
  readonly schema: FrameSchema
}

/** Files of one dataset, oldest first. */
export interface EventFiles {
  readonly files: readonly EventFile[]
  /** Whether an event may be there twice: then the earlier file's counts. */
  readonly mayRepeat: boolean
}

export interface EventsInOrderRequest {
  readonly source: CompiledSource
  readonly past: EventFiles
  /** What is asked about; it stands for events of the past with the same ids. At least one file. */
  readonly own: EventFiles
}

/** Some events, in order of (event time, file, row), the past first. */
export interface OrderedEvents {
  readonly frame: Frame
  /** 1 for those that are asked about. */
  readonly isOwn: Float64Array
}

/**
 * Events of many files in one order, a few thousand at a time. Sorting is DuckDB's, which spills to
 * disk, so that no file has to fit into memory. Events after the last that is asked about are left out.
 */
export async function* eventsInOrder(
  { source, past, own }: EventsInOrderRequest,
  limits: DatabaseLimits = {},
): AsyncGenerator<OrderedEvents> {
  const files = [...past.files, ...own.files]
  const types = source.columns.map(({ name }) => {
    const found = files.map(({ schema }) => schema.columns.find((each) => each.name === name)!.type)
    // Ids are whole numbers in one file and text in another.
    return found.find((type) => type === 'text') ?? found[0]
  })
  const select = (file: EventFile, at: number) => {
    const values = source.columns.map(({ name }, c) => {
      const loaded = storage[file.schema.columns.find((each) => each.name === name)!.type].load(
        identifier(name),
      )
      return types[c] === 'text'
        ? `CAST(${loaded} AS VARCHAR) AS c${c}`
        : `coalesce(CAST(${loaded} AS DOUBLE), 'NaN'::DOUBLE) AS c${c}`
    })
    const from = `read_parquet([${exactPath(file.path)}], file_row_number = true, hive_partitioning = false)`
    return `SELECT ${values.join(', ')}, ${at} AS file, file_row_number AS place FROM ${from}`
  }
  const id = `c${source.columns.findIndex(({ name }) => name === source.id)}`
  const time = `c${source.columns.findIndex(({ name }) => name === source.eventTime)}`
  const union = (of: EventFiles, first: number) => {
    const all = of.files.map((file, at) => select(file, first + at)).join(' UNION ALL ')
    const once = `QUALIFY row_number() OVER (PARTITION BY ${id} ORDER BY file, place) = 1`
    return of.mayRepeat ? `SELECT * FROM (${all}) ${once}` : all
  }
  const database = await openDatabase(limits)
  try {
    const { connection } = database
    await connection.run(`CREATE VIEW own AS ${union(own, past.files.length)}`)
    const before =
      past.files.length === 0
        ? ''
        : `SELECT *, 0.0::DOUBLE AS own FROM (${union(past, 0)}) AS past ` +
          `WHERE ${time} <= (SELECT max(${time}) FROM own) ` +
          `AND NOT EXISTS (SELECT 1 FROM own WHERE own.${id} = past.${id}) UNION ALL `
    const result = await connection.stream(
      `SELECT ${[...types.map((_, c) => `c${c}`), 'own'].join(', ')} ` +
        `FROM (${before}SELECT *, 1.0::DOUBLE AS own FROM own) ORDER BY ${time}, file, place`,
    )
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      const rows = chunk.rowCount
      const columns: Record<string, FrameColumn> = {}
      source.columns.forEach(({ name }, c) => {
        columns[name] =
          types[c] === 'text' ? new Array<string | undefined>(rows) : new Float64Array(rows)
        readVector(chunk, c, columns[name], 0)
      })
      const isOwn = new Float64Array(rows)
      readVector(chunk, types.length, isOwn, 0)
      yield { frame: { rows, columns }, isOwn }
    }
  } finally {
    database.close()
  }
}
