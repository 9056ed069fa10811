// What a run is asked for, and what its steps depend on.
import { contentHash } from '../../lib/hash.ts'
import { pipelineErrors } from '../errors.ts'
import type { RunOptions, RunReason } from '../types.ts'
import type { CodeReader } from './code.ts'
import { compilePipeline, paramMistake } from './compile.ts'
import { stepsBefore, type CompiledPipeline, type CompiledWork } from './compiled.ts'
import type { PipelineDeclaration } from './declare.ts'
import type { ParamValue } from './kinds.ts'
import { partitionKeys, type PartitionKeys } from './partitions.ts'
import type { KeyParts } from './records.ts'

/** A pipeline and the files of its steps. */
export interface LoadedPipeline {
  readonly compiled: CompiledPipeline
  /** Where each step is declared, by its name in the pipeline. */
  readonly files: Readonly<Record<string, string>>
}

export interface RunRequest {
  /** The project's folder. */
  readonly directory: string
  readonly pipeline: LoadedPipeline
  /** Those that are not the default. */
  readonly params: Readonly<Record<string, ParamValue>>
  readonly partition: string | null
  readonly options: RunOptions
  readonly why: RunReason
  /** Id of who started it. */
  readonly actor: string
  readonly backfill: string | null
  readonly runner: string
}

export const allSteps: RunOptions = { from: null, only: null, noCache: false }

export function loadedPipeline(declaration: PipelineDeclaration): LoadedPipeline {
  const files = Object.entries(declaration.steps).flatMap(([name, use]) =>
    use.kind === 'approval-use' ? [] : [[name, use.step.file] as const],
  )
  return { compiled: compilePipeline(declaration), files: Object.fromEntries(files) }
}

/** Error: `pipeline_value_invalid` where a partition is missing, or there is none of that key. */
export function requirePartition(
  { pipeline, partition }: Pick<RunRequest, 'pipeline' | 'partition'>,
  nowUs: number,
): void {
  const { name, partitions } = pipeline.compiled
  const invalid = (detail: string) => pipelineErrors.pipeline_value_invalid(`${name} ${detail}`)
  if (partitions === null) {
    if (partition === null) return
    throw invalid('has no partitions.')
  }
  const keys = partitionKeys(partitions, nowUs)
  if (partition === null) throw invalid(`runs over partitions; ${howToName(keys)}.`)
  if (keys.placeOf(partition) !== undefined) return
  const range = keys.count === 0 ? 'none yet' : `${keys.at(0)} to ${keys.at(keys.count - 1)}`
  throw invalid(`has no partition "${partition}": ${range}.`)
}

/** With keys that there are, so that it can be typed as it stands. */
function howToName({ count, at }: PartitionKeys): string {
  if (count === 0) return 'none of them is over yet'
  const last = at(count - 1)
  if (count === 1) return `name one: --partition ${last}`
  return `name one, --partition ${last}, or several, --backfill ${at(Math.max(0, count - 7))}..${last}`
}

/** Values of all parameters of a run. Errors: `pipeline_value_invalid`. */
export function paramsOf(
  { name, params: specs }: CompiledPipeline,
  given: Readonly<Record<string, ParamValue>>,
): Record<string, ParamValue> {
  for (const [param, value] of Object.entries(given)) {
    const spec = specs[param]
    if (spec === undefined) {
      const known = Object.keys(specs).join(', ') || 'none'
      throw pipelineErrors.pipeline_value_invalid(
        `${name} has no parameter "${param}"; it has ${known}.`,
      )
    }
    const mistake = paramMistake(spec, value)
    if (mistake !== undefined) {
      throw pipelineErrors.pipeline_value_invalid(`${name}, parameter ${param}: ${mistake}.`)
    }
  }
  const defaults = Object.entries(specs).map(([param, spec]) => [param, spec.default])
  return { ...Object.fromEntries(defaults), ...given }
}

/** A parameter as a command line gives it. Error: `pipeline_value_invalid`. */
export function paramFromText(
  { name, params }: Pick<CompiledPipeline, 'name' | 'params'>,
  param: string,
  text: string,
): ParamValue {
  const type = typeof params[param]?.default
  if (type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  if (type === 'string' || type === 'undefined') return text
  throw pipelineErrors.pipeline_value_invalid(
    `${name}, parameter ${param}: "${text}" is no ${type}.`,
  )
}

/** Values of a step's parameters in a run. */
export function stepParams(
  step: CompiledWork,
  params: Readonly<Record<string, ParamValue>>,
  partition: string | null,
): Record<string, ParamValue> {
  return Object.fromEntries(
    Object.entries(step.params).map(([name, param]) => {
      switch (param.from) {
        case 'value':
          return [name, param.value]
        case 'param':
          return [name, params[param.param]]
        case 'partition':
          return [name, partition ?? '']
      }
    }),
  )
}

export interface Environment {
  readonly assay: string
  readonly node: string
  readonly platform: string
  /** A variable of the process; undefined where it is not set. */
  variable(name: string): string | undefined
  /**
   * What is kept of a variable's value: the same for the same name and value in this home, and of no
   * use to whoever guesses values without the home's secret.
   */
  seal(name: string, value: string): string
}

export function keyParts(
  step: CompiledWork,
  {
    file,
    code,
    params,
    inputs,
    environment,
  }: {
    readonly file: string
    readonly code: CodeReader
    readonly params: Readonly<Record<string, ParamValue>>
    readonly inputs: Readonly<Record<string, string>>
    readonly environment: Environment
  },
): KeyParts {
  const { assay, node, platform } = environment
  const variables = step.env.map((name) => {
    const value = environment.variable(name)
    return [name, value === undefined ? null : environment.seal(name, value)] as const
  })
  return {
    step: step.declared,
    code: code.closure(file),
    params,
    inputs,
    environment: { assay, node, platform, variables: Object.fromEntries(variables) },
  }
}

/** The key of a result. The code is hashed by itself and once, for it is the same for many steps. */
export function keyOf(parts: KeyParts): string {
  return contentHash({ ...parts, code: codeHash(parts.code) })
}

export function codeHash(code: KeyParts['code']): string {
  const known = codeHashes.get(code)
  if (known !== undefined) return known
  const hash = contentHash(code)
  codeHashes.set(code, hash)
  return hash
}

const codeHashes = new WeakMap<KeyParts['code'], string>()

/** What becomes of each step by what was asked for, before anything is looked up. */
export type Wanted = 'as-known' | 'anew' | 'known-only' | 'left-out'

/** Errors: `pipeline_unknown` where an option names a step that is not there. */
export function wantedSteps(
  { name, steps }: CompiledPipeline,
  { from, only, noCache }: RunOptions,
): ReadonlyMap<string, Wanted> {
  const names = new Set(steps.map((step) => step.name))
  for (const asked of [...(from === null ? [] : [from]), ...(only ?? [])]) {
    if (!names.has(asked)) {
      throw pipelineErrors.pipeline_unknown(
        `${name} has no step "${asked}"; it has ${[...names].join(', ')}.`,
      )
    }
  }
  const wanted = new Map<string, Wanted>()
  const anew = new Set<string>(from === null ? [] : [from])
  for (const step of steps) {
    if (stepsBefore(step).some((before) => anew.has(before)) && from !== null) anew.add(step.name)
    wanted.set(step.name, noCache || anew.has(step.name) ? 'anew' : 'as-known')
  }
  if (only === null) return wanted
  const before = new Set(only)
  for (const step of steps.toReversed()) {
    if (before.has(step.name)) for (const each of stepsBefore(step)) before.add(each)
  }
  for (const step of steps) {
    const asked = only.includes(step.name)
    wanted.set(step.name, asked ? 'anew' : before.has(step.name) ? 'known-only' : 'left-out')
  }
  return wanted
}
