// `assay models score`: a table in, what a registered version says of each row out, by the calculation
// that answers requests. A model of a project's own flow needs the features of events, and `assay
// score` computes those.
import { createFolderArtifacts } from '../../adapters/folder/index.ts'
import { isOnnxRuntimeInstalled, openOnnxModel } from '../../adapters/onnx/index.ts'
import { count, exitCodes, type Terminal } from '../../cli/index.ts'
import type { Home } from '../../projects/index.ts'
import type { LoggedFiles, ModelVersion } from '../../registry/index.ts'
import {
  openBatchModel,
  type BatchColumn,
  type BatchColumns,
  type BatchModel,
  type ServedBody,
} from '../../serving/index.ts'
import { servedModelOf } from '../served-models.ts'
import { tableInput, type TableInput, type TextRows } from './batch-input.ts'
import {
  checkTarget,
  runBatch,
  type Batch,
  type BatchChunk,
  type BatchTarget,
  type RefusedRow,
} from './batch-run.ts'
import { withKept, type Kept } from './connection.ts'
import { commandErrors } from './errors.ts'
import type { TableColumn } from './table-file.ts'

export interface ModelsScore extends BatchTarget {
  readonly home: string
  /** CSV or Parquet, or `DATASET@VERSION`. */
  readonly file: string
  /** How many reasons a row gets. */
  readonly reasons: number
}

/** Errors: `version_not_scored`, `option_invalid`, those of `runBatch` and of models. */
export async function scoreModel(
  versionOf: (kept: Kept) => Promise<ModelVersion>,
  { home, file, reasons, ...target }: ModelsScore,
  terminal: Terminal,
): Promise<number> {
  await checkTarget(target, [file])
  const { version, model, input } = await withKept(home, async (kept) => {
    const found = await versionOf(kept)
    const body = await bodyOf(found, kept)
    return { version: found, model: await opened(body), input: await tableInput(file, kept) }
  })
  try {
    const facts = {
      input: input.identity,
      model: `${version.model} version ${version.version} (${version.modelHash})`,
      'number of reasons': String(reasons),
    }
    const { rows } = await runBatch(batchOf(model, input, reasons, facts), target, terminal)
    terminal.err.line(
      `${count(rows, 'row')} scored by ${version.model} version ${version.version} (${version.status})` +
        (target.out === undefined ? '' : `; written to ${target.out}`),
    )
    return exitCodes.ok
  } finally {
    await model.close()
  }
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

/** What is served of the version, which is what is scored with. */
async function bodyOf(version: ModelVersion, { registry, home }: Kept): Promise<ServedBody> {
  if (version.project !== '') {
    throw commandErrors.version_not_scored(
      `${version.model} version ${version.version} scores events of ${version.project} with their features: use \`assay score\`.`,
    )
  }
  const artifacts = createFolderArtifacts({ directory: home.artifacts })
  const { body } = await servedModelOf(version, {
    modelJson: (name, number) => registry.modelJson(name, number),
    file: (sha256) => artifacts.get(sha256),
  })
  return body
}

function opened(body: ServedBody): Promise<BatchModel> {
  return openBatchModel(body, async (outside) => {
    if (outside.kind === 'onnx' && isOnnxRuntimeInstalled()) {
      const { file, features, task } = outside
      const named = { ...(features && { features }), ...(task && { task }) }
      return openOnnxModel(Buffer.from(file, 'base64'), named)
    }
    throw commandErrors.version_not_scored(
      'The model is for ONNX Runtime, which is not installed here (npm install onnxruntime-node --ignore-scripts).',
    )
  })
}

/** Columns of the result: the row of the input, counted from 1, an output each, then the reasons. */
function batchOf(
  model: BatchModel,
  input: TableInput,
  reasons: number,
  facts: Batch['facts'],
): Batch {
  const places = Array.from({ length: reasons }, (_, at) => at + 1)
  return {
    facts,
    columns: [
      { name: 'row', type: 'number' },
      ...model.outputs.map((name) => ({ name, type: 'number' as const })),
      ...places.flatMap((place) => [
        { name: `reason_${place}`, type: 'text' as const },
        { name: `effect_${place}`, type: 'number' as const },
      ]),
    ],
    async *chunks(position) {
      const wanted = model.columns.map(({ name }) => name)
      for await (const rows of input.rows(wanted, position)) {
        yield await scored(model, rows, input, reasons)
      }
    },
  }
}

async function scored(
  model: BatchModel,
  given: TextRows,
  { wordsForNothing }: TableInput,
  reasons: number,
): Promise<BatchChunk> {
  const { columns, kept, refused } = valuesOf(model.columns, given, wordsForNothing)
  const rows = kept.length
  const answers = rows === 0 ? new Float64Array() : await model.predict(columns, rows)
  const width = model.outputs.length
  const table: TableColumn[] = [
    { name: 'row', values: Float64Array.from(kept, (at) => given.numbers[at]) },
    ...model.outputs.map((name, output) => ({
      name,
      values: Float64Array.from(kept, (_, row) => answers[row * width + output]),
    })),
  ]
  if (reasons > 0) {
    const found = rows === 0 ? [] : model.reasons(columns, answers, rows, reasons)
    for (let place = 0; place < reasons; place++) {
      table.push(
        { name: `reason_${place + 1}`, values: found.map((of) => of[place]?.column) },
        {
          name: `effect_${place + 1}`,
          values: Float64Array.from(found, (of) => of[place]?.effect ?? Number.NaN),
        },
      )
    }
  }
  return { read: given.read, share: given.share, table: { rows, columns: table }, refused }
}

interface Values {
  /** Of the rows that the model takes. */
  readonly columns: BatchColumns
  /** Places of these rows among those given. */
  readonly kept: readonly number[]
  readonly refused: readonly RefusedRow[]
}

function valuesOf(wanted: readonly BatchColumn[], given: TextRows, words: boolean): Values {
  const kept: number[] = []
  const refused = [...given.refused]
  const cells = wanted.map((): (number | string | undefined)[] => [])
  const row: (number | string | undefined)[] = []
  for (let at = 0; at < given.numbers.length; at++) {
    const wrong = wanted.find((column, j) => {
      const value = cellOf(column, given.columns[j][at], words)
      row[j] = value === REFUSED ? undefined : value
      return value === REFUSED
    })
    if (wrong === undefined) {
      kept.push(at)
      row.forEach((value, j) => cells[j].push(value))
      continue
    }
    const text = given.columns[wanted.indexOf(wrong)][at]
    refused.push({
      row: given.numbers[at],
      line: given.lines[at],
      column: wrong.name,
      reason: whyRefused(text, words),
      raw: given.raw(at),
    })
  }
  refused.sort((a, b) => a.row - b.row)
  return {
    columns: wanted.map(({ kind }, j) =>
      kind === 'number' ? Float64Array.from(cells[j] as number[]) : (cells[j] as string[]),
    ),
    kept,
    refused,
  }
}

const REFUSED = Symbol('refused')

/** What people write where there is no value. */
const NO_VALUE = new Set(['?', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'NULL', 'null', 'None'])
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const BOOLEANS: Readonly<Record<string, number>> = { true: 1, false: 0 }

/** The value of a field, as a request would have it; no value is NaN or undefined. */
function cellOf(
  { kind, missing }: BatchColumn,
  field: string,
  words: boolean,
): number | string | undefined | typeof REFUSED {
  const text = field.trim()
  if (text === '' || (NO_VALUE.has(text) && (words || kind === 'number'))) {
    if (!missing) return REFUSED
    return kind === 'number' ? Number.NaN : undefined
  }
  if (kind === 'category') return text
  const value = BOOLEANS[text] ?? (NUMBER.test(text) ? Number(text) : Number.NaN)
  // Digits alone that no double holds are an id; so are they behind the doors.
  const isExact = Number.isSafeInteger(value) || !/^[+-]?\d+$/.test(text)
  return Number.isFinite(value) && isExact ? value : REFUSED
}

function whyRefused(field: string, words: boolean): string {
  const text = field.trim()
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  if (text === '' || (words && NO_VALUE.has(text)) || text === 'NaN' || text === 'nan') {
    return 'There is no value, and the model takes no missing ones.'
  }
  if (/^[+-]?\d+$/.test(text)) return `${shown} is beyond ±9007199254740991 and would lose digits.`
  if (NUMBER.test(text) || /^[+-]?inf(inity)?$/i.test(text)) return `${shown} is not finite.`
  return `${shown} is not a number.`
}
