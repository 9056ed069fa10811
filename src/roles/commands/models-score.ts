// `assay models score`: a table in, what a registered model says of each row out. A model of a project's
// own flow needs the features of events, and `assay score` computes those.
import { readTableFile } from '../../adapters/duckdb/index.ts'
import { createFolderArtifacts } from '../../adapters/folder/index.ts'
import { isOnnxRuntimeInstalled, openOnnxModel } from '../../adapters/onnx/index.ts'
import { count, exitCodes, type Terminal } from '../../cli/index.ts'
import { textAt, type TableFile } from '../../data/index.ts'
import {
  categoryColumn,
  numberColumn,
  preparedPredictor,
  tableOf,
  type PreparedModel,
} from '../../learning/index.ts'
import type { Home } from '../../projects/index.ts'
import { openLogged, type LoggedFiles, type ModelVersion } from '../../registry/index.ts'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { withKept, type Kept } from './connection.ts'
import { commandErrors } from './errors.ts'
import { checkOutput, csvPieces, writeTable, type Table } from './table-file.ts'

/** Rows that are scored at once. */
const ROWS_AT_ONCE = 10_000

export interface ModelsScore {
  readonly home: string
  readonly file: string
  /** CSV or Parquet; CSV to standard output where none is named. */
  readonly out: string | undefined
}

/** Errors: `version_not_scored`, `option_invalid`, and those of a model that cannot be served. */
export async function scoreModel(
  versionOf: (kept: Kept) => Promise<ModelVersion>,
  { home, file, out }: ModelsScore,
  terminal: Terminal,
): Promise<number> {
  if (out !== undefined) await checkOutput(out, [file])
  return withKept(home, async (kept) => {
    const version = await versionOf(kept)
    const table =
      version.brought === undefined
        ? await scoreLearnt(version, kept, file)
        : await scoreBrought(version, version.brought.files, kept.home, file)
    if (out === undefined) {
      await pipeline(Readable.from(csvPieces(table)), process.stdout, { end: false })
    } else await writeTable(out, table)
    terminal.err.line(
      `${count(table.rows, 'row')} scored by ${version.model} version ${version.version} (${version.status})` +
        (out === undefined ? '' : `; written to ${out}`),
    )
    return exitCodes.ok
  })
}

/** The files of a version that a client brought. Error: `version_not_scored` where none is kept here. */
export async function loggedFiles(
  version: ModelVersion,
  files: Readonly<Record<string, string>>,
  home: Home,
): Promise<LoggedFiles> {
  const artifacts = createFolderArtifacts({ directory: home.artifacts })
  const contents = new Map<string, Uint8Array>()
  for (const [name, sha256] of Object.entries(files)) {
    const bytes = await artifacts.get(sha256)
    if (bytes !== undefined) contents.set(name, bytes)
  }
  if (contents.size === 0) {
    throw commandErrors.version_not_scored(
      `The files of ${version.model} version ${version.version} are not kept here.`,
    )
  }
  return {
    sizes: new Map(Array.from(contents, ([name, bytes]) => [name, bytes.length])),
    read: async (name) => contents.get(name)!,
  }
}

/** A model that a client brought: what Python logged, read as data. */
async function scoreBrought(
  version: ModelVersion,
  files: Readonly<Record<string, string>>,
  home: Home,
  path: string,
): Promise<Table> {
  const logged = await loggedFiles(version, files, home)
  const model = await openLogged(
    logged,
    isOnnxRuntimeInstalled() ? { openOnnx: openOnnxModel } : {},
  )
  try {
    const file = await readTableFile(path)
    const columns = model.features.map((name) => numbersOf(file, name))
    const said = model.outputs.map(() => new Float64Array(file.frame.rows))
    for (let from = 0; from < file.frame.rows; from += ROWS_AT_ONCE) {
      const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, file.frame.rows - from) }, (_, i) =>
        Object.fromEntries(model.features.map((name, j) => [name, columns[j][from + i]])),
      )
      for (const [i, answer] of (await model.score(rows)).entries()) {
        answer.forEach((value, output) => (said[output][from + i] = value))
      }
    }
    return tableOfScores(model.outputs, said)
  } finally {
    await model.close()
  }
}

/** A model of `assay learn`, with its preparation. */
async function scoreLearnt(version: ModelVersion, kept: Kept, path: string): Promise<Table> {
  if (version.project !== '') {
    throw commandErrors.version_not_scored(
      `${version.model} version ${version.version} scores events of ${version.project} with their features: use \`assay score\`.`,
    )
  }
  const json = await kept.registry.modelJson(version.model, version.version)
  const model = preparedPredictor(JSON.parse(json) as PreparedModel)
  const texts = model.columns.filter(({ kind }) => kind === 'category').map(({ name }) => name)
  const file = await readTableFile(path, {}, texts)
  const table = tableOf(
    model.columns.map(({ name, kind }) => {
      if (kind === 'number') return numberColumn(name, numbersOf(file, name))
      const values = columnOf(file, name)
      return categoryColumn(
        name,
        Array.from({ length: file.frame.rows }, (_, row) => textAt(values, row)),
      )
    }),
  )
  const answers = model.predict(table)
  const width = model.outputs.length
  const said = model.outputs.map((_, output) =>
    Float64Array.from({ length: file.frame.rows }, (__, row) => answers[row * width + output]),
  )
  return tableOfScores(model.outputs, said)
}

/** The row of the file, counted from 1, and one column an output. */
function tableOfScores(outputs: readonly string[], said: readonly Float64Array[]): Table {
  const rows = said[0].length
  const row = Float64Array.from({ length: rows }, (_, i) => i + 1)
  return {
    rows,
    columns: [
      { name: 'row', values: row },
      ...outputs.map((name, output) => ({ name, values: said[output] })),
    ],
  }
}

function columnOf({ frame }: TableFile, name: string) {
  const values = Object.hasOwn(frame.columns, name) ? frame.columns[name] : undefined
  if (values !== undefined) return values
  throw commandErrors.option_invalid(`The file has no column "${name}", which the model takes.`)
}

function numbersOf(file: TableFile, name: string): Float64Array {
  const values = columnOf(file, name)
  if (values instanceof Float64Array) return values
  throw commandErrors.option_invalid(
    `The column "${name}" holds text, and the model takes numbers there.`,
  )
}
