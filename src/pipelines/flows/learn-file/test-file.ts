// A test file brought into the shape of the file that was learnt from: its columns, each of its type.
import {
  textAt,
  type FrameColumn,
  type FrameSchemaColumn,
  type TableFile,
} from '../../../data/index.ts'
import { pipelineErrors } from '../../errors.ts'
import { listed, type FileQuestion, type Learnable, type LeftOut } from './question.ts'

/** The columns of text, which a further file may fill with digits alone. */
export function textColumns({ schema }: TableFile): string[] {
  return schema.columns.filter(({ type }) => type === 'text').map(({ name }) => name)
}

/**
 * The columns of a test file that were learnt from, of the types that the first file has, and the
 * question without what only parts rows; columns that the first does not have are named. Errors:
 * `learn_request_invalid` where a column lacks, or holds text in place of numbers.
 */
export function likeTheFirst(
  test: TableFile,
  name: string,
  first: TableFile,
  question: FileQuestion,
  { table }: Pick<Learnable, 'table'>,
): {
  readonly file: TableFile
  readonly question: FileQuestion
  readonly testOnly: readonly LeftOut[]
} {
  const { target, positive, task, group } = question
  const has = new Map(test.schema.columns.map((column) => [column.name, column]))
  const needed = [...table.columns.map((column) => column.name), target]
  const grouped = group !== undefined && has.has(group)
  const columns = needed.map((column): readonly [FrameSchemaColumn, FrameColumn] => {
    const own = has.get(column)
    if (own === undefined) {
      throw pipelineErrors.learn_request_invalid(
        column === target
          ? `${name} has no column "${column}", which is to be learnt; it has ${listed([...has.keys()])}.`
          : `${name} has no column "${column}", by which was learnt; it has ${listed([...has.keys()])}. Add it, or leave it out with --drop.`,
      )
    }
    const wanted = first.schema.columns.find((one) => one.name === column)!
    const values = test.frame.columns[column]
    if (column === target) return [own, values]
    if (own.type === 'time' && wanted.type !== 'text') throw notAsFirst(wanted, name, 'times')
    return [wanted, asColumn(values, test.frame.rows, wanted, name)]
  })
  if (grouped) columns.push([has.get(group)!, test.frame.columns[group]])
  const known = new Set(first.schema.columns.map((column) => column.name))
  return {
    file: {
      frame: {
        rows: test.frame.rows,
        columns: Object.fromEntries(columns.map(([{ name: of }, values]) => [of, values])),
      },
      schema: { columns: columns.map(([column]) => column) },
    },
    question: {
      target,
      positive,
      task,
      drop: [],
      group: grouped ? group : undefined,
      time: undefined,
    },
    testOnly: [...has.keys()]
      .filter((column) => !known.has(column))
      .map((column) => ({ column, why: `is in ${name} alone` })),
  }
}

function asColumn(
  values: FrameColumn,
  rows: number,
  wanted: FrameSchemaColumn,
  file: string,
): FrameColumn {
  if (wanted.type === 'text') {
    if (!(values instanceof Float64Array)) return values
    return Array.from({ length: rows }, (_, row) => textAt(values, row))
  }
  if (values instanceof Float64Array) return values
  const filled = values.find((value) => value !== undefined)
  if (filled === undefined) return new Float64Array(rows).fill(Number.NaN)
  throw notAsFirst(wanted, file, `text, such as "${shortened(filled)}"`)
}

function notAsFirst({ name }: FrameSchemaColumn, file: string, what: string): Error {
  return pipelineErrors.learn_request_invalid(
    `"${name}" holds numbers where was learnt, but in ${file} ${what}; correct it, or leave it out with --drop.`,
  )
}

const SHOWN_MAX = 40

function shortened(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}
