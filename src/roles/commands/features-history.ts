// `assay features history`: a feature set as of each event of a file, as a table.
import { monotonicUs } from '../../lib/clock.ts'
import { count, exitCodes, type FeaturesHistoryOptions, type Terminal } from '../../cli/index.ts'
import { columnOf, numbersOf, type CompiledLabels, type CompiledSource } from '../../data/index.ts'
import { historyWithState, type CompiledFeatureSet } from '../../features/index.ts'
import { DAY_US, formatTimestamp, parseTimestamp } from '../../lib/time.ts'
import { labelArrivals, labelsByRow, sliceFrame } from '../../pipelines/index.ts'
import type { CompiledProject } from '../../projects/index.ts'
import { commandErrors } from './errors.ts'
import { readRows, reportRefused, type FileRows } from './file-rows.ts'
import { labelsInFilesOf, projectIn } from './project.ts'
import { writeTable, type Table } from './table-file.ts'

/** What is asked for: a set, its source, the labels of its files, and the period [fromUs, toUs). */
interface Question {
  readonly set: CompiledFeatureSet
  readonly source: CompiledSource
  readonly labels: CompiledLabels | undefined
  readonly fromUs: number
  readonly toUs: number
}

/**
 * Computes the set over all events of the file, so that every window is whole, and writes the rows
 * of the wanted days: the id and the label under their names in the file, the features between.
 */
export async function featuresHistory(
  path: string,
  options: FeaturesHistoryOptions,
  terminal: Terminal,
): Promise<number> {
  const startedUs = monotonicUs()
  const { compiled } = await projectIn(path)
  const question = questionOf(compiled, options)
  const rows = await readRows(options.data, question.source, question.labels)
  reportRefused(terminal, rows)
  warnWithoutLabels(terminal, question, rows)
  const table = tableOf(question, rows)
  await writeTable(options.out, table)
  const seconds = ((monotonicUs() - startedUs) / 1e6).toFixed(1)
  terminal.out.line(
    `${count(rows.read, 'event')} read, ${count(rows.quarantined)} refused; ` +
      `${count(question.set.features.length, 'feature')} of ${question.set.name}; ` +
      `${count(table.rows, 'row')} written to ${options.out} in ${seconds} s`,
  )
  return exitCodes.ok
}

function questionOf(project: CompiledProject, options: FeaturesHistoryOptions): Question {
  const set = project.featureSets.find(({ name }) => name === options.set)
  if (set === undefined) {
    const names = project.featureSets.map(({ name }) => name).join(', ')
    throw commandErrors.option_invalid(
      `There is no feature set "${options.set}"; there are: ${names}.`,
    )
  }
  const source = project.sources.find(({ name }) => name === set.source)!
  const { timeZone } = source
  const fromUs = options.from === undefined ? -Infinity : dayStart('--from', options.from, timeZone)
  const toUs =
    options.to === undefined ? Infinity : dayStart('--to', dayAfter(options.to), timeZone)
  if (toUs <= fromUs) {
    throw commandErrors.option_invalid(`--to ${options.to} lies before --from ${options.from}.`)
  }
  const used = set.labels.map(({ name }) => name)
  return { set, source, labels: labelsInFilesOf(project, source, used), fromUs, toUs }
}

/** The first instant of a day in a time zone. */
function dayStart(option: string, day: string, timeZone: string): number {
  const us = /^\d{4}-\d{2}-\d{2}$/.test(day)
    ? parseTimestamp(`${day} 00:00:00`, { timeZone })
    : undefined
  if (us !== undefined) return us
  throw commandErrors.option_invalid(`${option} ${day} is not a day; write YYYY-MM-DD.`)
}

/** The next day of the calendar; what is no day is given back, for `dayStart` to refuse. */
function dayAfter(day: string): string {
  const us = /^\d{4}-\d{2}-\d{2}$/.test(day) ? parseTimestamp(`${day}T00:00:00Z`) : undefined
  return us === undefined ? day : formatTimestamp(us + DAY_US).slice(0, 10)
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

function tableOf({ set, source, labels, fromUs, toUs }: Question, rows: FileRows): Table {
  const times = numbersOf(rows.frame, source.eventTime)
  const frame = sliceFrame(rows.frame, times, toUs)
  const { matrix, firstRow } = historyWithState({
    sets: [set],
    source,
    frame,
    labels:
      labels === undefined || rows.labels === undefined
        ? []
        : [labelArrivals(labels.name, rows.labels)],
    fromUs,
    toUs,
  })
  const idColumn = source.columns.find(({ name }) => name === source.id)!
  const ids = columnOf(frame, source.id)
  const columns: Table['columns'][number][] = [
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
  return { rows: matrix.rows, columns }
}
