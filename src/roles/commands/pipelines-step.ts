// `assay pipelines step`: one step by itself, from files to files. It needs the project and nothing
// else, so that any orchestrator can run it in a container.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { exitCodes, type PipelinesStepOptions, type Terminal } from '../../cli/index.ts'
import { canonicalJson, parseStrictJson } from '../../lib/canonical-json.ts'
import {
  digestFile,
  digestFolder,
  paramFromText,
  pipelineErrors,
  runStep,
  type CompiledWork,
  type OutputKind,
  type StepTask,
} from '../../pipelines/index.ts'
import { declaredStep, stepTables } from '../pipeline-step.ts'
import { commandErrors } from './errors.ts'
import { pipelineIn } from './pipelines.ts'

export async function pipelinesStep(
  pipeline: string,
  name: string,
  options: PipelinesStepOptions,
  { out, err }: Terminal,
): Promise<number> {
  const { compiled, directory } = await pipelineIn(options.project, pipeline)
  const step = compiled.steps.find((each) => each.name === name)
  if (step?.kind !== 'step') {
    throw pipelineErrors.pipeline_unknown(`${pipeline} has no step "${name}" that runs.`)
  }
  const task: StepTask = {
    inputs: await inputsOf(step, options.inputs),
    params: paramsOf(step, options.param ?? {}),
    env: environmentOf(step),
    outputs: step.outputs,
    directory: resolve(options.out),
    spreads: {},
  }
  await mkdir(task.directory, { recursive: true })
  const declared = await declaredStep({ project: directory, pipeline, step: name })
  const result = await runStep(declared, task, {
    tables: stepTables,
    log: (line) => err.line(line),
    report: () => {},
    signal: AbortSignal.timeout(step.timeoutS * 1000),
  }).catch((error: Error) => {
    throw pipelineErrors.pipeline_step_failed(`${name}: ${error.message}`, { cause: error })
  })
  const outputs = await Promise.all(
    Object.entries(result.outputs).map(async ([output, { path, ...facts }]) => {
      const kept = facts.kind === 'folder' ? await digestFolder(path) : await digestFile(path)
      return [output, { path, ...facts, ...kept }] as const
    }),
  )
  const passed = result.checks.every(({ evidence }) => evidence.every((each) => each.passed))
  const summary = {
    pipeline,
    step: name,
    figure: result.figure,
    passed,
    outputs: Object.fromEntries(outputs),
    checks: result.checks,
  }
  await writeFile(join(task.directory, 'result.json'), `${canonicalJson(summary)}\n`)
  out.line(JSON.stringify(summary))
  return passed ? exitCodes.ok : exitCodes.notHeld
}

/** `{"raw": "words.txt", "rows": ["a.parquet", "b.parquet"]}`, relative to the working directory. */
async function inputsOf(step: CompiledWork, file: string | undefined): Promise<StepTask['inputs']> {
  const given = file === undefined ? {} : await readInputs(file)
  const unknown = Object.keys(given).find((name) => step.inputs[name] === undefined)
  if (unknown !== undefined) {
    throw pipelineErrors.pipeline_value_invalid(`${step.name} has no input "${unknown}".`)
  }
  const inputs: Record<string, StepTask['inputs'][string]> = {}
  for (const [name, { kind }] of Object.entries(step.inputs)) {
    const paths = given[name]
    if (paths === undefined) {
      throw pipelineErrors.pipeline_input_missing(`${step.name} reads "${name}"; name its path.`)
    }
    inputs[name] = { kind, paths, digest: await digestOf(kind, paths) }
  }
  return inputs
}

async function readInputs(file: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const text = await readFile(file).catch((error: Error) => {
    throw commandErrors.input_unreadable(`${file}: ${error.message}`)
  })
  const given = parseStrictJson(text)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw pipelineErrors.pipeline_value_invalid(`${file} holds no object of paths.`)
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, value]: [string, unknown]) => {
      const paths = Array.isArray(value) ? (value as unknown[]) : [value]
      if (!paths.every((path) => typeof path === 'string')) {
        throw pipelineErrors.pipeline_value_invalid(`${file}: "${name}" is no path.`)
      }
      return [name, paths.map((path) => resolve(path))]
    }),
  )
}

async function digestOf(kind: OutputKind, paths: readonly string[]): Promise<string> {
  const digests: string[] = []
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || found.isDirectory() !== (kind === 'folder')) {
      throw pipelineErrors.pipeline_input_missing(`There is no ${kind} ${path}.`)
    }
    digests.push((found.isDirectory() ? await digestFolder(path) : await digestFile(path)).digest)
  }
  return digests.join(' ')
}

function paramsOf(step: CompiledWork, given: Readonly<Record<string, string>>): StepTask['params'] {
  const defaults = Object.entries(step.params).map(([name, param]) => [
    name,
    param.from === 'value' ? param.value : step.specs[name].default,
  ])
  const own = { name: step.name, params: step.specs }
  const set = Object.entries(given).map(([name, text]) => {
    if (step.specs[name] === undefined) {
      throw pipelineErrors.pipeline_value_invalid(`${step.name} has no parameter "${name}".`)
    }
    return [name, paramFromText(own, name, text)]
  })
  return { ...Object.fromEntries(defaults), ...Object.fromEntries(set) }
}

function environmentOf(step: CompiledWork): Record<string, string> {
  return Object.fromEntries(
    step.env.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
}
