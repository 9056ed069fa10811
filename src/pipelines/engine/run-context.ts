// What the parts of a running run share.
import type { Clock } from '../../lib/clock.ts'
import { AssayError } from '../../lib/errors.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Random } from '../../lib/random.ts'
import type { PipelineRun } from '../types.ts'
import type { StepAttempts } from './attempts.ts'
import type { CodeReader } from './code.ts'
import type { CompiledWork } from './compiled.ts'
import type { DatasetVersions, FoundInput, Outside } from './inputs.ts'
import type { PipelineObjects } from './objects.ts'
import type { Environment, RunRequest } from './plan.ts'
import type { PipelineEngineStore } from './records.ts'
import type { Node, RunState } from './run-state.ts'
import type { StepTask } from './step-run.ts'

export interface RunnerPorts {
  readonly store: Omit<PipelineEngineStore, 'answer' | 'cancel'>
  readonly objects: PipelineObjects
  readonly attempts: StepAttempts
  readonly datasets: DatasetVersions
  readonly clock: Clock
  readonly ids: Ids
  /** For the jitter of waits. */
  readonly random: Random
  /** Ends early, without failing, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** A folder on the disk of `objects`. */
  readonly scratch: string
  readonly environment: Environment
  readonly digests: Map<string, { readonly mark: string; readonly digest: string }>
  readonly onProgress?: (run: PipelineRun) => void
}

/** Why a run is left as it is stored, to be gone on with: its process ends. */
export class BrokenOff extends Error {}

export interface RunContext {
  readonly state: RunState
  readonly request: RunRequest
  readonly ports: RunnerPorts
  readonly code: CodeReader
  readonly outside: Outside
  /** Aborts where people or the process end the run. */
  readonly signal: AbortSignal
}

/** A step that must run, and all that it runs on. */
export interface Prepared {
  readonly node: Node
  readonly step: CompiledWork
  readonly inputs: Readonly<Record<string, FoundInput>>
  readonly params: StepTask['params']
  readonly key: string
}

export function failStep({ state, ports }: RunContext, node: Node, problem: string): void {
  const endedAtUs = ports.clock.nowUs()
  state.end(node, { status: 'failed', figure: problem, problem, endedAtUs })
}

export function sentence(error: unknown): string {
  if (error instanceof AssayError) return error.detail
  return error instanceof Error ? error.message : String(error)
}
