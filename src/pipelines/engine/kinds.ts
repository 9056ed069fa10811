// What passes between steps: the kinds of outputs, and what an input of a kind takes.

export const outputKinds = ['json', 'metrics', 'file', 'folder', 'table', 'snapshot'] as const

/**
 * `json` any JSON value; `metrics` an object of numbers; `file` one file; `folder` files in a folder;
 * `table` rows, kept as one Parquet file; `snapshot` rows of a data set, kept as Parquet files.
 */
export type OutputKind = (typeof outputKinds)[number]

/** Kinds that an input takes: metrics are JSON, and a snapshot's rows are a table. */
const taken = {
  json: ['json', 'metrics'],
  metrics: ['metrics'],
  file: ['file'],
  folder: ['folder'],
  table: ['table', 'snapshot'],
  snapshot: ['snapshot'],
} as const satisfies Record<OutputKind, readonly OutputKind[]>

export type Taken<Kind extends OutputKind> = (typeof taken)[Kind][number]

/** Whether an input of one kind may be wired to an output of another. */
export function takes(input: OutputKind, output: OutputKind): boolean {
  return (taken[input] as readonly OutputKind[]).includes(output)
}

export function isOutputKind(value: unknown): value is OutputKind {
  return (outputKinds as readonly unknown[]).includes(value)
}

export type ParamValue = string | number | boolean

/** The type of a parameter whose default is a literal. */
export type Widened<Value> = Value extends string
  ? string
  : Value extends number
    ? number
    : Value extends boolean
      ? boolean
      : never

/** What a row of a table holds. */
export type Cell = string | number | boolean | null
export type Row = Readonly<Record<string, Cell>>
