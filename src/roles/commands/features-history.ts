// `assay features history`: a feature set as of each event of a file, or as of given rows.
import { monotonicUs } from '../../lib/clock.ts'
import { count, exitCodes, type FeaturesHistoryOptions, type Terminal } from '../../cli/index.ts'
import { duckdbParquetRows } from '../../adapters/duckdb/index.ts'
import {
  columnOf,
  numbersOf,
  readEntityFile,
  type CompiledLabels,
  type CompiledSource,
  type FrameColumn,
} from '../../data/index.ts'
import {
  trainingRows,
  type CompiledFeatureSet,
  type HistoryPlan,
  type SourceEvents,
} from '../../features/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import {
  entityFeatures,
  eventsOf,
  knownLabels,
  labelArrivals,
  labelsByRow,
  noEvents,
  otherSources,
  sliceFrame,
} from '../../pipelines/index.ts'
import type { LoadedFeatures } from '../../projects/index.ts'
import { periodOf } from './days.ts'
import { historyEngine } from './engines.ts'
import { commandErrors } from './errors.ts'
import { setNamed } from './features-list.ts'
import { readRows, reportRefused, type FileRows } from './file-rows.ts'
import { featuresIn, labelsInFilesOf } from './project.ts'
import { writeTable, type Table, type TableColumn } from './table-file.ts'

/** What is asked for: a set, its source, the labels of its files, and the period [fromUs, toUs). */
interface Question {
  readonly set: CompiledFeatureSet
  readonly source: CompiledSource
  readonly labels: CompiledLabels | undefined
  /** Events of the further sources that the set reads. */
  readonly others: readonly SourceEvents[]
  readonly fromUs: number
  readonly toUs: number
  readonly order: 'as-decided' | 'as-corrected'
}

interface Calculated {
  readonly table: Table
  /** Which engines gave the values and how long they took, as a sentence. */
  readonly calculated?: string | undefined
}

/**
 * Computes the set over all events of the file, so that every window is whole, and writes the rows
 * of the wanted days, or those that were asked for: the id and the label under their names in the
 * file, the features between.
 */
export async function featuresHistory(
  path: string,
  options: FeaturesHistoryOptions,
  terminal: Terminal,
): Promise<number> {
  const startedUs = monotonicUs()
  const compiled = await featuresIn(path)
  const question = {
    ...questionOf(compiled, options),
    others: await readOthers(compiled, options, terminal),
  }
  const rows = await readRows(options.data, question.source, question.labels)
  reportRefused(terminal, rows)
  warnOfGaps(terminal, question, rows)
  const { table, calculated }: Calculated =
    options.rows === undefined
      ? await tableOfEvents(question, rows)
      : { table: await tableOfEntities(question, rows, options.rows) }
  await writeTable(options.out, table)
  const seconds = ((monotonicUs() - startedUs) / 1e6).toFixed(1)
  terminal.out.line(
    `${count(rows.read, 'event')} read, ${count(rows.quarantined)} refused; ` +
      `${count(question.set.features.length, 'feature')} of ${question.set.name}; ` +
      `${count(table.rows, 'row')} written to ${options.out} in ${seconds} s`,
  )
  if (calculated !== undefined) terminal.out.line(calculated)
  return exitCodes.ok
}

/** The further sources that the set reads, each from its file; those without one have no events. */
async function readOthers(
  project: LoadedFeatures,
  { set: name, other: files = {} }: FeaturesHistoryOptions,
  terminal: Terminal,
): Promise<SourceEvents[]> {
  const read = otherSources(project, [setNamed(project, name)])
  const unread = Object.keys(files).find((given) => !read.some((each) => each.name === given))
  if (unread !== undefined) {
    const names = read.map((each) => each.name).join(', ') || 'none beside its own'
    throw commandErrors.option_invalid(
      `--other ${unread}: the set ${name} reads no source of that name; it reads ${names}.`,
    )
  }
  const others: SourceEvents[] = []
  for (const source of read) {
    const file = files[source.name]
    if (file === undefined) {
      others.push(noEvents(source))
      continue
    }
    const rows = await readRows(file, source, undefined)
    reportRefused(terminal, rows)
    others.push(eventsOf(source, rows.frame))
  }
  return others
}

function questionOf(
  project: LoadedFeatures,
  options: FeaturesHistoryOptions,
): Omit<Question, 'others'> {
  const set = setNamed(project, options.set)
  const source = project.sources.find(({ name }) => name === set.source)!
  const { rows, from, to } = options
  if (rows !== undefined && (from ?? to) !== undefined) {
    throw commandErrors.option_invalid('--rows says the times itself; leave --from and --to out.')
  }
  const used = set.labels.map(({ name }) => name)
  return {
    set,
    source,
    labels: labelsInFilesOf(project, source, used),
    ...periodOf(options, source.timeZone),
    order: `as-${options.as}`,
  }
}

function warnOfGaps(terminal: Terminal, question: Question, rows: FileRows): void {
  warnWithoutLabels(terminal, question, rows)
  const { err } = terminal
  for (const { source, frame } of question.others) {
    if (frame.rows > 0) continue
    const text = `No ${source.name} are given (--other ${source.name}=FILE): features that look at them are as if there were none.`
    err.line(err.style('yellow', text))
  }
}

function warnWithoutLabels({ err }: Terminal, { set, labels }: Question, rows: FileRows): void {
  if (set.labels.length === 0 || rows.labels !== undefined) return
  const column = labels?.from ?? set.labels[0].name
  err.line(
    err.style(
      'yellow',
      `The file has no labels (column ${column}): features that use them are as if none were known.`,
    ),
  )
}

async function tableOfEvents(question: Question, rows: FileRows): Promise<Calculated> {
  const { set, source, labels } = question
  const { matrix, firstRow, ids, calculated } = await valuesOfEvents(question, rows)
  const idColumn = source.columns.find(({ name }) => name === source.id)!
  const columns: TableColumn[] = [
    { name: idColumn.from, values: ids.slice(firstRow, firstRow + matrix.rows) },
    // The matrix has the set's own order or the operator's; people are promised the declared one.
    ...set.features.map(({ name }) => ({
      name,
      values: matrix.columns[matrix.names.indexOf(name)],
    })),
  ]
  if (labels !== undefined && rows.labels !== undefined) {
    const values = labelsByRow(ids, rows.labels, firstRow, matrix.rows)
    columns.push({ name: labels.from ?? labels.name, values })
  }
  return { table: { rows: matrix.rows, columns }, calculated }
}

interface EventValues {
  readonly matrix: Matrix
  /** The file's row that is the matrix's first. */
  readonly firstRow: number
  readonly ids: FrameColumn
  readonly calculated?: string | undefined
}

/** The features of the events of the period, each as of its own event. */
async function valuesOfEvents(question: Question, rows: FileRows): Promise<EventValues> {
  const { set, source, others, fromUs, toUs, order } = question
  const times = numbersOf(rows.frame, source.eventTime)
  const frame = sliceFrame(rows.frame, times, toUs)
  const ids = columnOf(frame, source.id)
  const request = { sets: [set], source, frame, labels: arrivalsOf(question, rows) }
  const before = times.findIndex((us) => us >= fromUs)
  const firstRow = before < 0 ? frame.rows : Math.min(before, frame.rows)
  if (order === 'as-decided') {
    // Of the set's own events the file is taken in the order of their times.
    const startedUs = monotonicUs()
    const past = await historyEngine().historyWithPlan({ ...request, others, fromUs, toUs })
    const calculated = sayEngines(past.plan, (monotonicUs() - startedUs) / 1e6)
    return { matrix: past.matrix, firstRow, ids, calculated }
  }
  const eventIds = ids.slice(firstRow)
  const timesUs = new Float64Array(eventIds.length).fill(Number.NaN)
  const asked = { rows: eventIds.length, timesUs, columns: {}, eventIds }
  const matrix: Matrix = trainingRows({ ...request, others, order, rows: asked }).matrix
  return { matrix, firstRow, ids }
}

/** `Calculated in 0.8 s: 9 features by a sweep over columns, 6 by a replay of the live operator.` */
function sayEngines({ features }: HistoryPlan, seconds: number): string {
  const parts = [
    { names: features.sweep, way: 'by a sweep over columns' },
    { names: features.sql, way: 'in SQL' },
    { names: features.replay, way: 'by a replay of the live operator' },
  ]
  const said = parts
    .filter(({ names }) => names.length > 0)
    .map(({ names, way }, at) => {
      return `${at === 0 ? count(names.length, 'feature') : count(names.length)} ${way}`
    })
  return `Calculated in ${seconds.toFixed(1)} s: ${said.join(', ')}.`
}

function arrivalsOf({ labels }: Question, rows: FileRows) {
  if (labels === undefined || rows.labels === undefined) return []
  return [labelArrivals(labels.name, rows.labels)]
}

async function tableOfEntities(question: Question, rows: FileRows, path: string): Promise<Table> {
  const { set, source, labels, order } = question
  const entities = await readEntityFile({ path, source }, { parquet: duckdbParquetRows() })
  const { frame, columns } = await entityFeatures({
    set,
    facts: {
      source,
      events: rows.frame,
      others: question.others,
      labels:
        labels !== undefined && rows.labels !== undefined ? [knownLabels(labels, rows.labels)] : [],
      snapshots: [],
    },
    entities,
    order,
    turn: async () => undefined,
  })
  return {
    rows: frame.rows,
    columns: columns.map(({ name, type }) => ({ name, type, values: frame.columns[name] })),
  }
}
