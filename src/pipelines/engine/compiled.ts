// Pipelines as data: what is applied, shown, hashed and run by name. It holds no code.
import type { TableCheck } from '../../data/index.ts'
import type { OutputKind, ParamValue } from './kinds.ts'
import type { PartitionsDeclaration, TriggerDeclaration } from './when.ts'

export type CompiledInput = { readonly kind: OutputKind } & (
  | { readonly from: 'step'; readonly step: string; readonly output: string }
  | { readonly from: 'product'; readonly pipeline: string; readonly output: string }
  | { readonly from: 'file' | 'folder'; readonly path: string }
  | { readonly from: 'value'; readonly value: unknown }
  | { readonly from: 'dataset'; readonly dataset: string; readonly version: string | null }
)

export type CompiledParam =
  | { readonly from: 'value'; readonly value: ParamValue }
  | { readonly from: 'param'; readonly param: string }
  | { readonly from: 'partition' }

export interface CompiledOutput {
  readonly kind: OutputKind
  readonly description: string
  readonly checks: readonly TableCheck[]
}

export interface CompiledParamSpec {
  readonly default: ParamValue
  readonly description: string
  readonly min: number | null
  readonly max: number | null
  readonly choices: readonly ParamValue[] | null
}

export interface CompiledRetry {
  readonly attempts: number
  readonly backoffS: number
  readonly backoffMaxS: number
}

interface InAnyStep {
  /** Its name in the pipeline. */
  readonly name: string
  readonly title: string
  readonly inputs: Readonly<Record<string, CompiledInput>>
  /** Steps that come before, beside those whose outputs it reads; sorted. */
  readonly after: readonly string[]
}

export interface CompiledWork extends InAnyStep {
  readonly kind: 'step'
  /** The name under which its file declares it. */
  readonly declared: string
  readonly description: string
  readonly params: Readonly<Record<string, CompiledParam>>
  readonly specs: Readonly<Record<string, CompiledParamSpec>>
  readonly outputs: Readonly<Record<string, CompiledOutput>>
  readonly retry: CompiledRetry
  readonly timeoutS: number
  readonly memoryMb: number
  readonly env: readonly string[]
  readonly cache: boolean
}

export interface CompiledApproval extends InAnyStep {
  readonly kind: 'approval'
  readonly question: string
  readonly approvers: 1 | 2
}

export type CompiledStep = CompiledWork | CompiledApproval

export interface CompiledPipeline {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly params: Readonly<Record<string, CompiledParamSpec>>
  /** In an order in which every step comes after those it needs. */
  readonly steps: readonly CompiledStep[]
  readonly products: Readonly<
    Record<string, { readonly step: string; readonly output: string; readonly kind: OutputKind }>
  >
  readonly partitions: PartitionsDeclaration | null
  readonly triggers: readonly TriggerDeclaration[]
  readonly parallel: number
}

/** Names of the steps that a step waits for, sorted and each once. */
export function stepsBefore(step: CompiledStep): string[] {
  const read = Object.values(step.inputs).flatMap((input) =>
    input.from === 'step' ? [input.step] : [],
  )
  return [...new Set([...read, ...step.after])].toSorted()
}
