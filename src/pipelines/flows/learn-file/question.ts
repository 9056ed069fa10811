// From a file and a few words of a person to what can be learnt: labels, classes, columns.
import { textAt, type Frame, type FrameColumn, type TableFile } from '../../../data/index.ts'
import {
  categoryColumn,
  numberColumn,
  tableOf,
  type Table,
  type TableColumn,
  type Task,
} from '../../../learning/index.ts'
import { selectValues } from '../../../lib/matrix.ts'
import { pipelineErrors } from '../../errors.ts'

/** What a person says of a file; columns by name. */
export interface FileQuestion {
  readonly target: string
  /** The class whose likelihood is asked for, as the file has it; the rarer one if absent. */
  readonly positive?: string | undefined
  /** Recognised from the target if absent. */
  readonly task?: LabelledTask | undefined
  /** Columns to leave out. */
  readonly drop: readonly string[]
  /** Rows of one value stay together: of a customer who has several rows, for example. */
  readonly group?: string | undefined
  /** Learn from earlier rows, judge on later ones. */
  readonly time?: string | undefined
}

export type LabelledTask = Extract<Task, 'binary' | 'multiclass' | 'regression'>

/** Rows to learn from, as the file has them. */
export interface LearnableRows {
  readonly table: Table
  /** 0 or 1, the index of a class, or a number. */
  readonly y: Float64Array
  readonly group: readonly (number | string)[] | undefined
  /** Microseconds UTC, or any number that grows with time. */
  readonly time: Float64Array | undefined
  /** Rows of the file that have no label, and were left out. */
  readonly unlabelled: number
}

export interface Learnable extends LearnableRows {
  readonly task: LabelledTask
  /** Negative and positive of a binary task; the classes of a multi-class one. */
  readonly classes: readonly string[]
  /** Columns that are no features, and why. */
  readonly leftOut: readonly LeftOut[]
}

export interface LeftOut {
  readonly column: string
  readonly why: string
}

/** Above this a column of text or whole numbers as a target is taken for a name, not a class. */
const CLASSES_MAX = 100

/** Sums of squares of greater numbers are infinite. */
const SQUARE_MAX = 1e150

/** Errors: `learn_request_invalid`. */
export function learnable(file: TableFile, question: FileQuestion): Learnable {
  checkColumns(file, question)
  const target = file.frame.columns[question.target]
  const task = taskOf(file, question)
  const classes = task === 'regression' ? [] : classesOf(target, file.frame.rows, task, question)
  const leftOut = columnsLeftOut(file, question)
  const rows = rowsOf(file, question, { task, classes, leftOut })
  if (rows.table.columns.length === 0) {
    throw pipelineErrors.learn_request_invalid('No column is left to learn from.')
  }
  return { ...rows, task, classes, leftOut }
}

/**
 * The rows of a further file, such as a test file, by the classes and columns of the first.
 * Errors: `learn_request_invalid` where a column or a class is another, or all rows are of one class.
 */
export function rowsOf(
  file: TableFile,
  question: FileQuestion,
  { task, classes, leftOut }: Pick<Learnable, 'task' | 'classes' | 'leftOut'>,
): LearnableRows {
  checkColumns(file, question)
  const { frame } = file
  const labels = labelsOf(frame, question, task, classes)
  const kept = Uint32Array.from(labels.keys()).filter((row) => !Number.isNaN(labels[row]))
  if (kept.length === 0) {
    throw pipelineErrors.learn_request_invalid(`No row has a value of ${question.target}.`)
  }
  const [first] = kept
  if (task !== 'regression' && kept.every((row) => labels[row] === labels[first])) {
    throw pipelineErrors.learn_request_invalid(
      `Every row has the same class of ${question.target}, "${classes[labels[first]]}": there is nothing to tell apart.`,
    )
  }
  const skip = new Set([question.target, ...leftOut.map(({ column }) => column)])
  const columns = file.schema.columns
    .filter(({ name }) => !skip.has(name))
    .map(({ name, type }): TableColumn => {
      if (name === '__proto__') {
        throw pipelineErrors.learn_request_invalid(
          'A feature cannot be called "__proto__"; rename the column, or leave it out with --drop.',
        )
      }
      const values = frame.columns[name]
      if (values instanceof Float64Array && type !== 'time') {
        return numberColumn(name, selectValues(values, kept))
      }
      return categoryColumn(
        name,
        Array.from(kept, (row) => textAt(values, row)),
      )
    })
  const group = question.group === undefined ? undefined : frame.columns[question.group]
  return {
    table: tableOf(columns),
    y: selectValues(labels, kept),
    // A row that names no group is one by itself.
    group: group && Array.from(kept, (row) => textAt(group, row) ?? `row ${row}`),
    time: question.time === undefined ? undefined : timesOf(frame, question.time, kept),
    unlabelled: frame.rows - kept.length,
  }
}

function checkColumns({ schema }: TableFile, question: FileQuestion): void {
  const names = schema.columns.map(({ name }) => name)
  const { target, group, time, drop } = question
  for (const name of [target, group, time, ...drop]) {
    if (name === undefined || names.includes(name)) continue
    throw pipelineErrors.learn_request_invalid(
      `The file has no column "${name}"; it has ${listed(names)}.`,
    )
  }
  if (schema.columns.find(({ name }) => name === target)!.type === 'time') {
    throw pipelineErrors.learn_request_invalid(
      `"${target}" holds times, which cannot be learnt; write as a number what is asked for, such as the days until then.`,
    )
  }
  if ([group, time, ...drop].includes(target)) {
    throw pipelineErrors.learn_request_invalid(
      `"${target}" is the target and cannot be the group, the time or left out as well.`,
    )
  }
}

function taskOf(file: TableFile, question: FileQuestion): LabelledTask {
  const task = question.task ?? recognise(file, question)
  if (question.positive !== undefined && task !== 'binary') {
    throw pipelineErrors.learn_request_invalid(
      `One class is asked for, "${question.positive}", which only a binary task has, not a ${task} one.`,
    )
  }
  const target = file.frame.columns[question.target]
  if (task === 'regression' && countValues(target, file.frame.rows, 1).size === 1) {
    throw pipelineErrors.learn_request_invalid(
      `"${question.target}" has the value "${[...countValues(target, file.frame.rows, 1).keys()][0]}" alone: there is nothing to learn.`,
    )
  }
  return task
}

/** Text has classes; numbers have two, or are numbers. One class that is asked for has another. */
function recognise({ frame, schema }: TableFile, question: FileQuestion): LabelledTask {
  const { target, positive } = question
  if (positive !== undefined) return 'binary'
  const { type } = schema.columns.find(({ name }) => name === target)!
  const distinct = countValues(frame.columns[target], frame.rows).size
  if (distinct <= 2) return 'binary'
  return type === 'text' ? 'multiclass' : 'regression'
}

function classesOf(
  target: FrameColumn,
  rows: number,
  task: LabelledTask,
  { target: name, positive: asked }: FileQuestion,
): string[] {
  const positive = asAColumnHasIt(target, asked)
  const counts = countValues(target, rows)
  const found = [...counts.keys()].toSorted(byNumberThenText)
  if (found.length < 2) {
    const what = found.length === 0 ? 'no value' : `the value "${found[0]}" alone`
    throw pipelineErrors.learn_request_invalid(
      `"${name}" has ${what}: there is nothing to tell apart.`,
    )
  }
  if (task === 'multiclass') {
    if (found.length <= CLASSES_MAX) return found
    throw pipelineErrors.learn_request_invalid(
      `"${name}" has ${found.length} different values; at most ${CLASSES_MAX} can be classes.`,
    )
  }
  if (positive !== undefined && !counts.has(positive)) {
    throw pipelineErrors.learn_request_invalid(
      `"${name}" never is "${positive}"; it is ${listed(found)}.`,
    )
  }
  if (found.length > 2) {
    // Everything else is the other class, if a person says which one is asked for.
    if (positive !== undefined) return [`not ${positive}`, positive]
    throw pipelineErrors.learn_request_invalid(
      `"${name}" has ${found.length} different values; say with --positive which one is asked for.`,
    )
  }
  const wanted = positive ?? usualPositive(found, counts)
  return [found.find((value) => value !== wanted)!, wanted]
}

/** A column of numbers has 1 where the file, or a person, may have written 1.0. */
function asAColumnHasIt(column: FrameColumn, text: string | undefined): string | undefined {
  const isNumber = text !== undefined && text.trim() !== '' && !Number.isNaN(Number(text))
  return column instanceof Float64Array && isNumber ? String(Number(text)) : text
}

/** 1 of 0 and 1, else the rarer of two; the later in order where both are as frequent. */
function usualPositive(found: readonly string[], counts: ReadonlyMap<string, number>): string {
  const [first, second] = found
  if (first === '0' && second === '1') return second
  return counts.get(first)! < counts.get(second)! ? first : second
}

function labelsOf(
  frame: Frame,
  { target }: FileQuestion,
  task: LabelledTask,
  classes: readonly string[],
): Float64Array {
  const column = frame.columns[target]
  if (task === 'regression') {
    if (column instanceof Float64Array) {
      if (column.some((value) => Math.abs(value) > SQUARE_MAX)) {
        throw pipelineErrors.learn_request_invalid(
          `"${target}" has values whose squares are beyond the range of numbers; divide them first.`,
        )
      }
      return column
    }
    throw pipelineErrors.learn_request_invalid(`"${target}" holds text, not numbers.`)
  }
  const others = task === 'binary' && classes[0] === `not ${classes[1]}`
  const index = new Map(classes.map((name, at) => [name, at]))
  return Float64Array.from({ length: frame.rows }, (_, row) => {
    const text = textAt(column, row)
    if (text === undefined) return Number.NaN
    const found = index.get(text) ?? index.get(withoutStop(text)) ?? (others ? 0 : undefined)
    if (found !== undefined) return found
    throw pipelineErrors.learn_request_invalid(
      `"${target}" is "${text}" in row ${row + 1}; the classes are ${listed(classes)}.`,
    )
  })
}

/** Test files of the UCI repository write a full stop after the class. */
function withoutStop(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text
}

function timesOf(frame: Frame, name: string, kept: Uint32Array): Float64Array {
  const column = frame.columns[name]
  if (!(column instanceof Float64Array)) {
    throw pipelineErrors.learn_request_invalid(`"${name}" holds neither times nor numbers.`)
  }
  const times = selectValues(column, kept)
  const row = times.findIndex(Number.isNaN)
  if (row < 0) return times
  throw pipelineErrors.learn_request_invalid(
    `"${name}" has no value in row ${kept[row] + 1}; rows are parted by it.`,
  )
}

function columnsLeftOut({ frame, schema }: TableFile, question: FileQuestion): LeftOut[] {
  const out: LeftOut[] = []
  for (const { name, type } of schema.columns) {
    if (name === question.target) continue
    const why = whyLeftOut(name, type, frame, question)
    if (why !== undefined) out.push({ column: name, why })
  }
  return out
}

function whyLeftOut(
  name: string,
  type: string,
  frame: Frame,
  { drop, group, time }: FileQuestion,
): string | undefined {
  if (drop.includes(name)) return 'left out as asked'
  if (name === group) return 'says which rows belong together'
  if (name === time) return 'says when'
  if (type === 'time') return 'a time as such; declare what it tells, such as the age or the hour'
  const counts = countValues(frame.columns[name], frame.rows, frame.rows)
  if (counts.size === 0) return 'has no value in any row'
  if (counts.size === 1 && sum(counts.values()) === frame.rows) return 'is the same in every row'
  const isName = type === 'text' || type === 'integer'
  if (isName && counts.size === frame.rows && frame.rows > 20) {
    if (type === 'text' || isSequence(frame.columns[name]))
      return 'names each row: it is different in all'
  }
  return undefined
}

/** Whole numbers, all different, without gaps to speak of: a row number. */
function isSequence(column: FrameColumn): boolean {
  let least = Infinity
  let greatest = -Infinity
  for (const value of column as Float64Array) {
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  return greatest - least < 1.1 * column.length
}

/** How often each value occurs, by its text; counts no further than beyond `most` values. */
function countValues(column: FrameColumn, rows: number, most = Infinity): Map<string, number> {
  const counts = new Map<string, number>()
  for (let row = 0; row < rows && counts.size <= most; row++) {
    const text = textAt(column, row)
    if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return counts
}

function byNumberThenText(a: string, b: string): number {
  const difference = Number(a) - Number(b)
  if (!Number.isNaN(difference) && difference !== 0) return difference
  return a < b ? -1 : 1
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}

const LISTED_MAX = 20

export function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_MAX).map((name) => `"${name}"`)
  const more = names.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}
