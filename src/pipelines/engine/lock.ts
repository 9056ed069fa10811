// The lock file: what a project's pipelines were when they last ran well. A build server compares the
// project with it, and needs neither a home nor a server for that.
import { contentHash, sha256Hex } from '../../lib/hash.ts'
import { AssayError } from '../../lib/errors.ts'
import { createCodeReader } from './code.ts'
import { stepsBefore, type CompiledWork } from './compiled.ts'
import type { PlannedStep } from './dry-run.ts'
import { differences } from './explain.ts'
import { findPath, valueText } from './inputs.ts'
import type { ParamValue } from './kinds.ts'
import { keyParts, paramsOf, stepParams, type Environment, type LoadedPipeline } from './plan.ts'
import type { KeyParts } from './records.ts'

export interface LockedStep {
  readonly key: string
  /** Hash of the code in `parts`. */
  readonly code: string
  readonly parts: KeyParts
  /** Output → digest. */
  readonly outputs: Readonly<Record<string, string>>
}

export interface LockedPipeline {
  /** Hash of the compiled declaration. */
  readonly declaration: string
  readonly params: Readonly<Record<string, ParamValue>>
  /** Those that ran well; an approval is none of them. */
  readonly steps: Readonly<Record<string, LockedStep>>
}

/** `assay.lock.json`. */
export interface PipelineLock {
  readonly format: 1
  readonly pipelines: Readonly<Record<string, LockedPipeline>>
}

export interface LockDifference {
  readonly pipeline: string
  /** '' for the pipeline as a whole. */
  readonly step: string
  readonly state: 'missing' | 'changed' | 'stale' | 'gone'
  readonly why: string
}

/** What is locked of one pipeline, by a plan of running it as it is. */
export function lockPipeline(
  { compiled }: LoadedPipeline,
  plan: readonly PlannedStep[],
): LockedPipeline {
  const steps = plan.flatMap(({ step, key, parts, entry }) => {
    // What runs over partitions is locked by its code and parameters: it has outputs for each of them.
    if (key === null || parts === null) return []
    if (entry === null && compiled.partitions === null) return []
    const outputs = Object.fromEntries(
      Object.entries(entry?.outputs ?? {}).map(([output, { digest }]) => [output, digest]),
    )
    return [[step, { key, code: contentHash(parts.code), parts, outputs }] as const]
  })
  return {
    declaration: contentHash(compiled),
    params: paramsOf(compiled, {}),
    steps: Object.fromEntries(steps),
  }
}

/** Where a step would run is not compared. */
const nowhere: Environment = {
  assay: '',
  node: '',
  platform: '',
  variable: () => undefined,
  seal: () => '',
}

/**
 * What differs between a lock and a project. Data sets and products of other pipelines are taken as
 * they were: only a home knows them. The machine may be another one: Node and platform do not count.
 */
export async function compareLock(
  lock: PipelineLock,
  project: { readonly directory: string; readonly pipelines: readonly LoadedPipeline[] },
): Promise<LockDifference[]> {
  const found: LockDifference[] = []
  for (const loaded of project.pipelines) {
    const { name: pipeline } = loaded.compiled
    const was = lock.pipelines[pipeline]
    if (was === undefined) {
      const why = 'it does not stand in the lock file'
      found.push({ pipeline, step: '', state: 'missing', why })
      continue
    }
    if (was.declaration !== contentHash(loaded.compiled)) {
      found.push({ pipeline, step: '', state: 'changed', why: 'its declaration changed' })
    }
    found.push(...(await compareSteps(was, loaded, project.directory)))
  }
  const declared = new Set(project.pipelines.map(({ compiled }) => compiled.name))
  for (const pipeline of Object.keys(lock.pipelines)) {
    if (declared.has(pipeline)) continue
    found.push({ pipeline, step: '', state: 'gone', why: 'the project declares it no more' })
  }
  return found
}

async function compareSteps(
  was: LockedPipeline,
  { compiled, files }: LoadedPipeline,
  directory: string,
): Promise<LockDifference[]> {
  const { name: pipeline, steps } = compiled
  const code = createCodeReader(directory)
  const differing = new Map<string, LockDifference>()
  const differ = (step: string, state: LockDifference['state'], why: string) =>
    differing.set(step, { pipeline, step, state, why })
  const values = { ...was.params, ...paramsOf(compiled, {}) }

  for (const step of steps) {
    if (step.kind === 'approval') continue
    const before = was.steps[step.name]
    const ofPartition = Object.values(step.inputs).some(
      (input) => 'path' in input && input.path.includes('{partition}'),
    )
    // Files whose place depends on the partition are not one thing to compare.
    if (ofPartition) continue
    if (before === undefined) {
      differ(step.name, 'missing', 'it has not run well before the lock was written')
      continue
    }
    try {
      const parts = keyParts(step, {
        file: files[step.name],
        code,
        params: stepParams(step, values, null),
        inputs: await inputsNow(step, { was, before, directory }),
        environment: nowhere,
      })
      const words = differences(before.parts, {
        ...parts,
        environment: before.parts.environment,
      })
      const changed = stepsBefore(step).find((name) => differing.has(name))
      if (words.length > 0) differ(step.name, 'changed', words.join('; '))
      else if (changed !== undefined) {
        differ(step.name, 'stale', `${changed} before it is ${differing.get(changed)!.state}`)
      }
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
      differ(step.name, 'missing', error.detail)
    }
  }
  for (const step of Object.keys(was.steps)) {
    if (steps.some(({ name }) => name === step)) continue
    differ(step, 'gone', 'the pipeline declares it no more')
  }
  return [...differing.values()]
}

/** Digests of what a step reads, where the project's files alone say what they are now. */
async function inputsNow(
  { inputs }: CompiledWork,
  {
    was,
    before,
    directory,
  }: {
    readonly was: LockedPipeline
    readonly before: LockedStep
    readonly directory: string
  },
): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const [name, input] of Object.entries(inputs)) {
    switch (input.from) {
      case 'step':
        digests[name] = was.steps[input.step]?.outputs[input.output] ?? ''
        break
      case 'dataset':
      case 'product':
        digests[name] = before.parts.inputs[name] ?? ''
        break
      case 'value':
        digests[name] = sha256Hex(valueText(input.value))
        break
      case 'file':
      case 'folder': {
        const found = await findPath(input, { directory, partition: null, digests: new Map() })
        digests[name] = found.digest
      }
    }
  }
  return digests
}
