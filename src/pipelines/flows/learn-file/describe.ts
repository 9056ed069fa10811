// What a file holds, for a person who is to say what should be learnt from it.
import {
  profileFrame,
  type ColumnProfile,
  type FrameType,
  type TableFile,
} from '../../../data/index.ts'
import { summaryOf } from './facts.ts'

export interface DescribedColumn {
  readonly name: string
  readonly type: FrameType
  readonly missing: number
  readonly distinct: number
  readonly summary: string
  /** Of columns with few different values: each that repeats, with its rows; the most frequent first. */
  readonly values: readonly { readonly value: string; readonly count: number }[]
}

/** What a file is most likely meant for; a person decides. */
export interface FileGuess {
  readonly target: string | null
  readonly group: string | null
  readonly time: string | null
}

export interface FileDescription {
  readonly rows: number
  readonly columns: readonly DescribedColumn[]
  readonly guess: FileGuess
}

const VALUES_MAX = 20

const TARGET_NAME =
  /^(y|target|label|class|income|churn(ed)?|default(ed)?|fraud|is_?fraud|outcome|response|survived|approved|accepted|exited|attrition)$/i
const GROUP_NAME =
  /(^|_)(customer|client|user|account|patient|person|household|card)(_?(id|no|nr|number))?$/i

export function describeFile({ frame, schema }: TableFile): FileDescription {
  const { columns } = profileFrame(frame, schema, { eventTime: '', timeZone: 'UTC' })
  return {
    rows: frame.rows,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      missing: column.nulls,
      distinct: column.distinct,
      summary: summaryOf(column),
      values: column.distinct <= VALUES_MAX ? column.top.slice(0, VALUES_MAX) : [],
    })),
    guess: guessOf(columns, frame.rows),
  }
}

/** By names that such columns usually have; a target may also be the last column of few values. */
function guessOf(columns: readonly ColumnProfile[], rows: number): FileGuess {
  const varied = columns.filter(({ distinct, type }) => distinct > 1 && type !== 'time')
  const last = varied.at(-1)
  const target =
    varied.findLast(({ name }) => TARGET_NAME.test(name)) ??
    (last !== undefined && last === columns.at(-1) && last.distinct <= VALUES_MAX
      ? last
      : undefined)
  const group = varied.find(
    ({ name, distinct }) =>
      name !== target?.name && GROUP_NAME.test(name) && distinct > VALUES_MAX && distinct < rows,
  )
  const times = columns.filter(
    ({ type, nulls, distinct }) => type === 'time' && nulls === 0 && distinct > VALUES_MAX,
  )
  return {
    target: target?.name ?? null,
    group: group?.name ?? null,
    time: times.length === 1 ? times[0].name : null,
  }
}
