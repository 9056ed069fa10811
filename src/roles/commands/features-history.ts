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
  enginesOf,
  enginesOfRows,
  trainingRows,
  type CompiledFeatureSet,
  type EngineUse,
  type SourceEvents,
} from '../../features/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import {
  entityFeatures,
  eventsOf,
  knownLabels,
  labelsByRow,
  labelsNotBeforeEvents,
  noEvents,
  otherSources,
  rowsBefore,
} from '../../pipelines/index.ts'
import type { LoadedFeatures } from '../../projects/index.ts'
import { periodOf } from './days.ts'
import { historyEngine } from './engines.ts'
import { commandErrors } from './errors.ts'
import { setNamed } from './features-list.ts'
import { readRows, reportRefused, type FileRows } from './file-rows.ts'
import { withGraphTables } from './graphs-of-files.ts'
import { featuresIn, labelsInFilesOf } from './project.ts'
import { checkOutput, writeTable, type Table, type TableColumn } from './table-file.ts'

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
  /** Which engines gave the values, and why. */
  readonly engines: readonly EngineUse[]
  /** How long they took, seconds. */
  readonly seconds: number
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
  const asked = questionOf(compiled, options)
  await checkOutput(options.out, inputsOf(options))
  const given = await readOthers(compiled, options, terminal)
  const rows = await readRows(options.data, asked.source, asked.labels)
  reportRefused(terminal, rows)
  const own = eventsOf(asked.source, rows.frame)
  const question = { ...asked, others: await withGraphTables(compiled, own, given) }
  warnOfGaps(terminal, question, rows)
  const { table, ...calculated } =
    options.rows === undefined
      ? await tableOfEvents(question, rows)
      : await tableOfEntities(question, rows, options.rows)
  await writeTable(options.out, table)
  const seconds = ((monotonicUs() - startedUs) / 1e6).toFixed(1)
  terminal.out.line(
    `${count(rows.read, 'event')} read, ${count(rows.quarantined)} refused; ` +
      `${count(question.set.features.length, 'feature')} of ${question.set.name}; ` +
      `${count(table.rows, 'row')} written to ${options.out} in ${seconds} s`,
  )
  for (const line of sayEngines(calculated.engines, calculated.seconds)) terminal.out.line(line)
  return exitCodes.ok
}

function inputsOf({ data, rows, other = {} }: FeaturesHistoryOptions): string[] {
  return [data, ...(rows === undefined ? [] : [rows]), ...Object.values(other)]
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
  const startedUs = monotonicUs()
  const { matrix, firstRow, ids, engines } = await valuesOfEvents(question, rows)
  const seconds = (monotonicUs() - startedUs) / 1e6
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
  return { table: { rows: matrix.rows, columns }, engines, seconds }
}

interface EventValues {
  readonly matrix: Matrix
  /** The file's row that is the matrix's first. */
  readonly firstRow: number
  readonly ids: FrameColumn
  readonly engines: readonly EngineUse[]
}

/** The features of the events of the period, each as of its own event. */
async function valuesOfEvents(question: Question, rows: FileRows): Promise<EventValues> {
  const { set, source, others, fromUs, toUs, order } = question
  const times = numbersOf(rows.frame, source.eventTime)
  // What came late is told by all that came before it.
  const isWhole = order === 'as-decided' && source.arrivalTime !== undefined
  const frame = isWhole ? rows.frame : rowsBefore(rows.frame, times, toUs)
  const ids = columnOf(frame, source.id)
  const events = eventsOf(source, frame)
  const request = { sets: [set], ...events, labels: arrivalsOf(question, events, rows) }
  const before = times.findIndex((us) => us >= fromUs)
  const firstRow = before < 0 ? frame.rows : Math.min(before, frame.rows)
  if (order === 'as-decided') {
    const past = await historyEngine().historyWithPlan({ ...request, others, fromUs, toUs })
    return { matrix: past.matrix, firstRow, ids, engines: enginesOf(past.plan) }
  }
  const eventIds = ids.slice(firstRow)
  const timesUs = new Float64Array(eventIds.length).fill(Number.NaN)
  const asked = { rows: eventIds.length, timesUs, columns: {}, eventIds }
  const matrix: Matrix = trainingRows({ ...request, others, order, rows: asked }).matrix
  return { matrix, firstRow, ids, engines: enginesOfRows(set) }
}

const engineWords: Readonly<Record<EngineUse['engine'], string>> = {
  sweep: 'by a sweep over columns',
  sql: 'in SQL',
  replay: 'by a replay of the live operator',
}

/**
 * `Calculated in 0.8 s: 9 features by a sweep over columns, 6 by a replay of the live operator.`, and
 * a line for each reason.
 */
export function sayEngines(uses: readonly EngineUse[], seconds: number): string[] {
  const features = new Map<EngineUse['engine'], number>()
  for (const use of uses) {
    features.set(use.engine, (features.get(use.engine) ?? 0) + use.features)
  }
  const said = [...features].map(([engine, many], at) => {
    return `${at === 0 ? count(many, 'feature') : count(many)} ${engineWords[engine]}`
  })
  return [
    `Calculated in ${seconds.toFixed(1)} s: ${said.join(', ')}.`,
    ...uses.map(({ engine, features: many, reason }) => `  ${engine}, ${many}: ${reason}`),
  ]
}

function arrivalsOf({ labels }: Question, events: SourceEvents, rows: FileRows) {
  if (labels === undefined || rows.labels === undefined) return []
  return labelsNotBeforeEvents(events, [knownLabels(labels, rows.labels)])
}

async function tableOfEntities(
  question: Question,
  rows: FileRows,
  path: string,
): Promise<Calculated> {
  const { set, source, labels, order } = question
  const entities = await readEntityFile({ path, source }, { parquet: duckdbParquetRows() })
  const startedUs = monotonicUs()
  const { frame, columns, engines } = await entityFeatures({
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
  const table = {
    rows: frame.rows,
    columns: columns.map(({ name, type }) => ({ name, type, values: frame.columns[name] })),
  }
  return { table, engines, seconds: (monotonicUs() - startedUs) / 1e6 }
}
