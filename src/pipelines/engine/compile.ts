// Turns declarations into data, and refuses what cannot run: the compiler of TypeScript sees most
// mistakes, and this one sees them all.
import { Cron } from 'croner'
import { mistakeInCheck } from '../../data/index.ts'
import { pipelineErrors } from '../errors.ts'
import type {
  CompiledInput,
  CompiledOutput,
  CompiledParam,
  CompiledParamSpec,
  CompiledPipeline,
  CompiledStep,
} from './compiled.ts'
import { stepsBefore } from './compiled.ts'
import type {
  AnyStepUse,
  ParamDeclaration,
  ParamRef,
  PipelineDeclaration,
  Ref,
  StepUse,
} from './declare.ts'
import { isOutputKind, takes, type OutputKind, type ParamValue } from './kinds.ts'
import { partitionMistake } from './partitions.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/
const PART = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
const STEPS_MAX = 5000
const RETRY_DEFAULT = { attempts: 1, backoffS: 1, backoffMaxS: 300 }
const TIMEOUT_S = 3600
const MEMORY_MB = 2048
const MEMORY_MB_MIN = 192

/**
 * Compiles one pipeline. Error: `pipeline_invalid` with the step, the part and what to write instead.
 * References to products of other pipelines are checked by `compilePipelines`.
 */
export function compilePipeline(declaration: PipelineDeclaration): CompiledPipeline {
  const { name, title, description = '', partitions = null, parallel } = declaration
  const scope = scopeOf(declaration)
  if (!NAME.test(name)) {
    throw scope.invalid('a name has lower-case letters, digits and dashes, 64 at most')
  }
  const params = compileSpecs(scope, '', declaration.params)
  const steps = Object.entries(declaration.steps).map(([step, use]) =>
    use.kind === 'approval-use'
      ? compileApproval(scope, step, use)
      : compileWork(scope, step, use, params),
  )
  if (steps.length === 0 || steps.length > STEPS_MAX) {
    throw scope.invalid(`it has ${steps.length} steps, not 1 to ${STEPS_MAX}`)
  }
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 64) {
    throw scope.invalid('parallel is a whole number from 1 to 64')
  }
  const mistake = partitions === null ? undefined : partitionMistake(partitions)
  if (mistake !== undefined) throw scope.invalid(`partitions: ${mistake}`)
  if (partitions?.by === 'list' && declaration.triggers.length > 0) {
    throw scope.invalid('triggers run the last part of a calendar; a list is backfilled')
  }
  const products = Object.fromEntries(
    Object.entries(declaration.made).map(([output, ref]) => {
      const input = compileRef(scope, `products.${output}`, ref)
      if (input.from !== 'step') throw scope.invalid(`products.${output} is no output of its steps`)
      return [output, { step: input.step, output: input.output, kind: input.kind }]
    }),
  )
  return {
    name,
    title: title ?? name,
    description,
    params,
    steps: inOrder(scope, steps),
    products,
    partitions,
    triggers: declaration.triggers.map((trigger) => checkedTrigger(scope, trigger)),
    parallel,
  }
}

/** Compiles the pipelines of a project. Error: `pipeline_invalid`. */
export function compilePipelines(
  declarations: readonly PipelineDeclaration[],
): readonly CompiledPipeline[] {
  const compiled = declarations.map((each) => compilePipeline(each))
  const byName = new Map(compiled.map((each) => [each.name, each]))
  if (byName.size !== compiled.length) {
    throw pipelineErrors.pipeline_invalid('Two pipelines of the project have the same name.')
  }
  for (const { name, steps } of compiled) {
    for (const step of steps) {
      for (const [input, { kind, ...source }] of Object.entries(step.inputs)) {
        if (source.from !== 'product') continue
        const product = byName.get(source.pipeline)?.products[source.output]
        if (product?.kind !== kind) {
          throw pipelineErrors.pipeline_invalid(
            `${name}: ${step.name}.inputs.${input} reads ${source.pipeline}/${source.output}, which no pipeline of the project makes; add that pipeline to pipelines`,
          )
        }
      }
    }
  }
  return compiled
}

interface Scope {
  readonly invalid: (detail: string) => Error
  readonly nameOf: (use: AnyStepUse) => string | undefined
  readonly params: Readonly<Record<string, ParamDeclaration>>
  readonly partitioned: boolean
}

function scopeOf({ name, steps, params, partitions }: PipelineDeclaration): Scope {
  const names = new Map(Object.entries(steps).map(([step, use]) => [use, step]))
  const invalid = (detail: string) => pipelineErrors.pipeline_invalid(`${name}: ${detail}`)
  if (names.size !== Object.keys(steps).length) {
    throw invalid('one use of a step stands under two names; call the step again for another')
  }
  return { invalid, params, partitioned: partitions !== undefined, nameOf: (use) => names.get(use) }
}

function compileWork(
  scope: Scope,
  name: string,
  use: Exclude<AnyStepUse, { kind: 'approval-use' }>,
  pipelineParams: Readonly<Record<string, CompiledParamSpec>>,
): CompiledStep {
  checkName(scope, name)
  const { options, stepName } = use.step
  const specs = compileSpecs(scope, `${name}.`, options.params ?? {})
  const retry = { ...RETRY_DEFAULT, ...options.retry }
  if (!Number.isInteger(retry.attempts) || retry.attempts < 1 || retry.attempts > 10) {
    throw scope.invalid(`${name}.retry.attempts is a whole number from 1 to 10`)
  }
  const { timeoutS = TIMEOUT_S, memoryMb = MEMORY_MB, env = [] } = options
  if (memoryMb < MEMORY_MB_MIN) {
    throw scope.invalid(`${name}.memoryMb is at least ${MEMORY_MB_MIN}, of which Node takes half`)
  }
  for (const [what, value] of Object.entries({ timeoutS, memoryMb, ...retry })) {
    if (!(value >= 0 && Number.isFinite(value))) throw scope.invalid(`${name}.${what} is no number`)
  }
  return {
    kind: 'step',
    name,
    declared: stepName,
    title: options.title ?? name,
    description: options.description ?? '',
    inputs: compileInputs(scope, name, use, options.inputs ?? {}),
    after: compileAfter(scope, name, use.after),
    params: compileParams(scope, name, { use, specs, pipelineParams }),
    specs,
    outputs: compileOutputs(scope, name, options.outputs),
    retry,
    timeoutS,
    memoryMb,
    env: [...new Set(env)].toSorted(),
    cache: options.cache ?? true,
  }
}

function compileApproval(
  scope: Scope,
  name: string,
  use: Extract<AnyStepUse, { kind: 'approval-use' }>,
): CompiledStep {
  checkName(scope, name)
  if (use.approvers !== 1 && use.approvers !== 2) {
    throw scope.invalid(`${name}.approvers is 1 or 2`)
  }
  const inputs = Object.entries(use.shows).map(
    ([input, ref]) => [input, compileRef(scope, `${name}.shows.${input}`, ref)] as const,
  )
  return {
    kind: 'approval',
    name,
    title: use.title ?? use.question,
    question: use.question,
    approvers: use.approvers,
    inputs: Object.fromEntries(inputs),
    after: compileAfter(scope, name, use.after),
  }
}

function compileInputs(
  scope: Scope,
  step: string,
  { inputs }: Pick<StepUse, 'inputs'>,
  declared: Readonly<Record<string, OutputKind>>,
): Record<string, CompiledInput> {
  const unknown = Object.keys(inputs).find((input) => declared[input] === undefined)
  if (unknown !== undefined) throw scope.invalid(`${step} has no input "${unknown}"`)
  return Object.fromEntries(
    Object.entries(declared).map(([input, kind]) => {
      const place = `${step}.inputs.${input}`
      const ref = inputs[input]
      if (!isOutputKind(kind)) throw scope.invalid(`${place}: there is no kind "${String(kind)}"`)
      if (ref === undefined) throw scope.invalid(`${place} is not wired to anything`)
      const compiled = compileRef(scope, place, ref)
      if (!takes(kind, compiled.kind)) {
        throw scope.invalid(`${place} takes ${kind}, and is wired to ${compiled.kind}`)
      }
      return [input, compiled]
    }),
  )
}

function compileRef(scope: Scope, place: string, { kind, from }: Ref<OutputKind>): CompiledInput {
  switch (from.type) {
    case 'step': {
      const step = scope.nameOf(from.use)
      if (step !== undefined) return { kind, from: 'step', step, output: from.output }
      throw scope.invalid(
        `${place} reads "${from.output}" of a step that is not among steps; return it there too`,
      )
    }
    case 'product':
      return { kind, from: 'product', pipeline: from.pipeline, output: from.output }
    case 'value':
      return { kind, from: 'value', value: from.value }
    case 'dataset':
      return { kind, from: 'dataset', dataset: from.dataset, version: from.version }
    case 'file':
    case 'folder':
      if (/^([/\\]|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)/.test(from.path)) {
        throw scope.invalid(`${place}: "${from.path}" does not lie in the project's folder`)
      }
      if (from.path.includes('{partition}') && !scope.partitioned) {
        throw scope.invalid(`${place}: "${from.path}" names a partition, and there are none`)
      }
      return { kind, from: from.type, path: from.path }
  }
}

function compileAfter(scope: Scope, step: string, after: readonly AnyStepUse[]): string[] {
  return after
    .map((use) => {
      const name = scope.nameOf(use)
      if (name === undefined) throw scope.invalid(`${step}.after names a step that is not in steps`)
      return name
    })
    .toSorted()
}

function compileOutputs(
  scope: Scope,
  step: string,
  outputs: Exclude<AnyStepUse, { kind: 'approval-use' }>['step']['options']['outputs'],
): Record<string, CompiledOutput> {
  return Object.fromEntries(
    Object.entries(outputs).map(([output, declared]) => {
      const place = `${step}.outputs.${output}`
      const given = typeof declared === 'string' ? { kind: declared } : declared
      const { kind, description = '', checks = [] } = given
      if (!PART.test(output)) throw scope.invalid(`${place}: a name has letters, digits and _`)
      if (!isOutputKind(kind)) throw scope.invalid(`${place}: there is no kind "${String(kind)}"`)
      if (checks.length > 0 && kind !== 'table' && kind !== 'snapshot') {
        throw scope.invalid(`${place}: checks are of tables, and this is ${kind}`)
      }
      for (const check of checks) {
        const mistake = mistakeInCheck(check)
        if (mistake !== undefined) throw scope.invalid(`${place}: ${check.check}: ${mistake}`)
      }
      return [output, { kind, description, checks }]
    }),
  )
}

function compileSpecs(
  scope: Scope,
  place: string,
  params: Readonly<Record<string, ParamDeclaration>>,
): Record<string, CompiledParamSpec> {
  return Object.fromEntries(
    Object.entries(params).map(([name, declared]) => {
      const given = typeof declared === 'object' ? declared : { default: declared }
      const { description = '', min = null, max = null, choices = null } = given
      const spec = { default: given.default, description, min, max, choices }
      if (!PART.test(name)) throw scope.invalid(`${place}params.${name}: letters, digits and _`)
      const mistake = paramMistake(spec, spec.default)
      if (mistake !== undefined) throw scope.invalid(`${place}params.${name}: ${mistake}`)
      return [name, spec]
    }),
  )
}

/** What is wrong with a value of a parameter; undefined where nothing is. */
export function paramMistake(spec: CompiledParamSpec, value: ParamValue): string | undefined {
  if (typeof value !== typeof spec.default) {
    return `it is a ${typeof spec.default}, and ${JSON.stringify(value)} is a ${typeof value}`
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `${value} is no finite number`
    if (spec.min !== null && value < spec.min) return `${value} is less than ${spec.min}`
    if (spec.max !== null && value > spec.max) return `${value} is more than ${spec.max}`
  }
  if (spec.choices !== null && !spec.choices.includes(value)) {
    return `${JSON.stringify(value)} is none of ${spec.choices.join(', ')}`
  }
  return undefined
}

function compileParams(
  scope: Scope,
  step: string,
  {
    use,
    specs,
    pipelineParams,
  }: {
    readonly use: Pick<StepUse, 'params'>
    readonly specs: Readonly<Record<string, CompiledParamSpec>>
    readonly pipelineParams: Readonly<Record<string, CompiledParamSpec>>
  },
): Record<string, CompiledParam> {
  const unknown = Object.keys(use.params).find((param) => specs[param] === undefined)
  if (unknown !== undefined) throw scope.invalid(`${step} has no parameter "${unknown}"`)
  return Object.fromEntries(
    Object.entries(specs).map(([param, spec]) => {
      const place = `${step}.params.${param}`
      const wired: ParamValue | ParamRef<ParamValue> = use.params[param] ?? spec.default
      if (typeof wired !== 'object') {
        const mistake = paramMistake(spec, wired)
        if (mistake !== undefined) throw scope.invalid(`${place}: ${mistake}`)
        return [param, { from: 'value', value: wired }]
      }
      if (wired.type === 'partition') {
        if (!scope.partitioned) throw scope.invalid(`${place}: the pipeline has no partitions`)
        if (typeof spec.default !== 'string') throw scope.invalid(`${place}: a key is a string`)
        return [param, { from: 'partition' }]
      }
      const source = pipelineParams[wired.name]
      if (typeof source?.default !== typeof spec.default) {
        throw scope.invalid(`${place} is wired to "${wired.name}", which is of another type`)
      }
      return [param, { from: 'param', param: wired.name }]
    }),
  )
}

function checkName(scope: Scope, step: string): void {
  if (!PART.test(step)) {
    throw scope.invalid(`"${step}" is no name of a step: letters, digits and _, 64 at most`)
  }
}

type Trigger = CompiledPipeline['triggers'][number]

function checkedTrigger(scope: Scope, trigger: Trigger): Trigger {
  if (trigger.on === 'freshness' && !(trigger.maxAgeUs > 0)) {
    throw scope.invalid(`freshness("${trigger.said}") is no duration; write P1D, PT6H or P1DT12H`)
  }
  if (trigger.on !== 'cron') return trigger
  try {
    const job = new Cron(trigger.pattern, { timezone: trigger.timeZone, paused: true })
    if (job.nextRun() === null) throw new Error('it never comes')
  } catch (error) {
    throw scope.invalid(`cron("${trigger.pattern}"): ${(error as Error).message}`)
  }
  return trigger
}

/** Kahn's algorithm; among steps that are ready the declared order decides. */
function inOrder(scope: Scope, steps: readonly CompiledStep[]): CompiledStep[] {
  const waiting = new Map(steps.map((step) => [step.name, new Set(stepsBefore(step))]))
  const followers = new Map<string, string[]>()
  for (const [name, before] of waiting) {
    for (const each of before) followers.set(each, [...(followers.get(each) ?? []), name])
  }
  const byName = new Map(steps.map((step) => [step.name, step]))
  const ready = steps.filter((step) => waiting.get(step.name)?.size === 0)
  for (const { name } of ready) {
    for (const follower of followers.get(name) ?? []) {
      const before = waiting.get(follower)
      before?.delete(name)
      const step = byName.get(follower)
      // The list that is walked grows by what it makes ready.
      if (before?.size === 0 && step !== undefined) ready.push(step)
    }
  }
  if (ready.length === steps.length) return ready
  const stuck = steps.filter((step) => !ready.includes(step)).map(({ name }) => name)
  throw scope.invalid(`the steps ${stuck.join(', ')} wait for each other`)
}
