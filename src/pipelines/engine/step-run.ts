// Runs one step in this process: what a child of the engine does, and what `assay pipelines step` does
// in a container. It knows files and values alone: no home, no server, no other step.
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  checkedColumns,
  runChecks,
  type CheckedTable,
  type ColumnSpread,
} from '../../data/index.ts'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { pipelineErrors } from '../errors.ts'
import type { AnyStep, StepContext } from './declare.ts'
import type { CompiledOutput } from './compiled.ts'
import type { OutputKind, ParamValue, Row } from './kinds.ts'
import type { KeptOutput, OutputChecks } from './records.ts'

/** Reads and writes Parquet files. */
export interface StepTables {
  rows(paths: readonly string[]): Promise<Row[]>
  write(path: string, rows: readonly Row[]): Promise<void>
  describe(paths: readonly string[]): Promise<Required<Pick<KeptOutput, 'rows' | 'columns'>>>
  /** Whole columns; those that are not there are left out. */
  columns(paths: readonly string[], names: readonly string[]): Promise<CheckedTable>
}

export interface StepInput {
  readonly kind: OutputKind
  readonly digest: string
  readonly paths: readonly string[]
}

/** All that a step is told. Paths are absolute. */
export interface StepTask {
  readonly inputs: Readonly<Record<string, StepInput>>
  readonly params: Readonly<Record<string, ParamValue>>
  readonly env: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, CompiledOutput>>
  /** Outputs are written here, a file or folder each, by their names; it is empty. */
  readonly directory: string
  /** Of the last version that passed, by output and column. */
  readonly spreads: Readonly<Record<string, Readonly<Record<string, ColumnSpread>>>>
}

export interface StepResult {
  readonly figure: string
  readonly outputs: Readonly<
    Record<string, { readonly path: string } & Pick<KeptOutput, 'kind' | 'rows' | 'columns'>>
  >
  readonly checks: readonly OutputChecks[]
}

export interface StepHooks {
  readonly tables: StepTables
  readonly log: (line: string) => void
  readonly report: (figure: string) => void
  readonly signal: AbortSignal
}

const FIGURE_MAX = 500

/**
 * Runs a step on a task. What it throws is thrown on; an output that was not written is
 * `pipeline_step_failed`. Checks that do not hold are in the result: the caller decides.
 */
export async function runStep(
  step: AnyStep,
  task: StepTask,
  hooks: StepHooks,
): Promise<StepResult> {
  await mkdir(task.directory, { recursive: true })
  const paths: Record<string, string> = {}
  const outputs: Record<string, unknown> = {}
  for (const [name, { kind }] of Object.entries(task.outputs)) {
    paths[name] = join(task.directory, fileName(name, kind))
    outputs[name] = await outputHandle(kind, paths[name], hooks.tables)
  }
  const context = {
    inputs: Object.fromEntries(
      Object.entries(task.inputs).map(([name, input]) => [name, inputHandle(input, hooks.tables)]),
    ),
    params: task.params,
    outputs,
    env: task.env,
    log: hooks.log,
    report: (figure: string) => hooks.report(figure.slice(0, FIGURE_MAX)),
    signal: hooks.signal,
  } as unknown as StepContext<never, never, never>
  const said = await step.options.run(context as never)
  hooks.signal.throwIfAborted()
  const results: Record<string, StepResult['outputs'][string]> = {}
  const checks: OutputChecks[] = []
  for (const [output, { kind, checks: declared }] of Object.entries(task.outputs)) {
    const path = paths[output]
    await requireWritten(output, kind, path)
    if (kind !== 'table' && kind !== 'snapshot') {
      results[output] = { kind, path }
      continue
    }
    const { rows, columns } = await hooks.tables.describe([path])
    results[output] = { kind, path, rows, columns }
    if (declared.length === 0) continue
    const names = checkedColumns(declared)
    const table = await hooks.tables.columns([path], names)
    const evidence = runChecks(declared, table, (column) => task.spreads[output]?.[column])
    checks.push({ output, evidence })
    for (const { passed, said: words } of evidence) {
      hooks.log(`check ${passed ? 'holds' : 'does not hold'}: ${output}: ${words}`)
    }
  }
  const figure = typeof said === 'string' ? said.slice(0, FIGURE_MAX) : ''
  return { figure, outputs: results, checks }
}

/** Files have the endings that tools know them by. */
export function fileName(output: string, kind: OutputKind): string {
  if (kind === 'json' || kind === 'metrics') return `${output}.json`
  return kind === 'table' || kind === 'snapshot' ? `${output}.parquet` : output
}

function inputHandle({ kind, digest, paths }: StepInput, tables: StepTables): unknown {
  const [path] = paths
  switch (kind) {
    case 'json':
    case 'metrics':
      return { digest, read: async () => JSON.parse(await readFile(path, 'utf8')) as unknown }
    case 'file':
      return {
        digest,
        path,
        text: () => readFile(path, 'utf8'),
        bytes: async () => new Uint8Array(await readFile(path)),
      }
    case 'folder':
      return { digest, path }
    case 'table':
    case 'snapshot':
      return { digest, paths, rows: () => tables.rows(paths) }
  }
}

async function outputHandle(kind: OutputKind, path: string, tables: StepTables): Promise<unknown> {
  switch (kind) {
    case 'json':
      return { write: (value: unknown) => writeFile(path, canonicalJson(value)) }
    case 'metrics':
      return {
        write: async (values: Readonly<Record<string, unknown>>) => {
          const odd = Object.entries(values).find(([, value]) => !Number.isFinite(value))
          if (odd !== undefined) {
            throw pipelineErrors.pipeline_step_failed(
              `The metric ${odd[0]} is ${String(odd[1])}, which is no finite number.`,
            )
          }
          await writeFile(path, canonicalJson(values))
        },
      }
    case 'file':
      return { path, write: (content: string | Uint8Array) => writeFile(path, content) }
    case 'folder':
      await mkdir(path, { recursive: true })
      return { path }
    case 'table':
    case 'snapshot':
      return { path, write: (rows: readonly Row[]) => tables.write(path, rows) }
  }
}

async function requireWritten(output: string, kind: OutputKind, path: string): Promise<void> {
  if (kind === 'folder') return
  await access(path).catch(() => {
    throw pipelineErrors.pipeline_step_failed(
      `The step ended without writing its output "${output}".`,
    )
  })
}
