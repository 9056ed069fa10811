// How a project writes a pipeline down: steps, and how they are wired. The compiler in `compile.ts`
// turns it into data; what runs stays in the project's own files.
import type { TableCheck } from '../../data/index.ts'
import { callerFile } from './call-site.ts'
import type { Cell, OutputKind, ParamValue, Row, Taken, Widened } from './kinds.ts'
import type { PartitionsDeclaration, TriggerDeclaration } from './when.ts'

/** An input's kind, or an output's, with what is said about it. */
export type OutputDeclaration =
  | OutputKind
  | {
      readonly kind: OutputKind
      readonly description?: string
      /** Of `table` and `snapshot`: what must hold of its rows before anything may use them. */
      readonly checks?: readonly TableCheck[]
    }

/** A default, or a default with its bounds. */
export type ParamDeclaration =
  | ParamValue
  | {
      readonly default: ParamValue
      readonly description?: string
      readonly min?: number
      readonly max?: number
      readonly choices?: readonly ParamValue[]
    }

type KindOf<Declared> = Declared extends OutputKind
  ? Declared
  : Declared extends { readonly kind: infer Kind extends OutputKind }
    ? Kind
    : never

export type ParamType<Declared> = Declared extends { readonly default: infer Value }
  ? Widened<Value>
  : Widened<Declared>

/** Members by the names that were declared; none where nothing was. */
type ByName<Declared, Members> = string extends keyof Declared
  ? Readonly<Record<string, never>>
  : Members

type Inputs = Readonly<Record<string, OutputKind>>
type Params = Readonly<Record<string, ParamDeclaration>>
type Outputs = Readonly<Record<string, OutputDeclaration>>

/** Something that a step can read. */
export interface Ref<Kind extends OutputKind> {
  readonly kind: Kind
  readonly from: RefSource
}

export type RefSource =
  | { readonly type: 'step'; readonly use: AnyStepUse; readonly output: string }
  | { readonly type: 'product'; readonly pipeline: string; readonly output: string }
  | { readonly type: 'file' | 'folder'; readonly path: string }
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'dataset'; readonly dataset: string; readonly version: string | null }

/** A parameter of the pipeline, or the key of the partition that runs. */
export interface ParamRef<Value extends ParamValue> {
  readonly type: 'param' | 'partition'
  readonly name: string
  /** Never there: it carries the type. */
  readonly value?: Value
}

/** What a step reads. Files are read-only and named by their digest. */
export type InputHandle<Kind extends OutputKind> = {
  /** SHA-256 of the content, in hex. */
  readonly digest: string
} & (Kind extends 'json' | 'metrics'
  ? { read(): Promise<Kind extends 'metrics' ? Record<string, number> : unknown> }
  : Kind extends 'file'
    ? { readonly path: string; text(): Promise<string>; bytes(): Promise<Uint8Array> }
    : Kind extends 'folder'
      ? { readonly path: string }
      : {
          /** Parquet files; a table has one, a snapshot may have more. */
          readonly paths: readonly string[]
          /** All rows, in order; whole numbers beyond 2^53 and times come as text. */
          rows(): Promise<Row[]>
        })

/** Where a step puts what it makes. Every output must be written. */
export type OutputHandle<Kind extends OutputKind> = Kind extends 'json'
  ? { write(value: unknown): Promise<void> }
  : Kind extends 'metrics'
    ? { write(values: Readonly<Record<string, number>>): Promise<void> }
    : Kind extends 'file'
      ? { readonly path: string; write(content: string | Uint8Array): Promise<void> }
      : Kind extends 'folder'
        ? { readonly path: string }
        : {
            /** Where a Parquet file is expected, for what writes one itself. */
            readonly path: string
            /** Columns in the order of the first row. A column is of one type, or null. */
            write(rows: readonly Readonly<Record<string, Cell>>[]): Promise<void>
          }

export interface StepContext<I extends Inputs, P extends Params, O extends Outputs> {
  readonly inputs: ByName<I, { readonly [Name in keyof I]: InputHandle<I[Name]> }>
  readonly params: ByName<P, { readonly [Name in keyof P]: ParamType<P[Name]> }>
  readonly outputs: { readonly [Name in keyof O]: OutputHandle<KindOf<O[Name]>> }
  /** The declared environment variables; others are not there. */
  readonly env: Readonly<Record<string, string>>
  /** A line of the attempt's log. */
  readonly log: (line: string) => void
  /** The figure that is shown while it runs; what `run` returns is the last one. */
  readonly report: (figure: string) => void
  /** Aborted when the step is cancelled or out of time, shortly before it is ended by force. */
  readonly signal: AbortSignal
}

export interface RetryDeclaration {
  /** Attempts in all, 1 to 10. */
  readonly attempts: number
  /** Seconds before the second attempt, doubled each time, with jitter. Default 1. */
  readonly backoffS?: number
  /** No wait is longer. Default 300. */
  readonly backoffMaxS?: number
}

export interface StepOptions<I extends Inputs, P extends Params, O extends Outputs> {
  readonly title?: string
  readonly description?: string
  readonly inputs?: I
  readonly params?: P
  readonly outputs: O
  /**
   * A pure function: it reads `inputs`, `params` and `env`, and writes `outputs`, nothing else. What
   * it returns is the figure that people see.
   */
  readonly run: (context: StepContext<I, P, O>) => Promise<string | void>
  readonly retry?: RetryDeclaration
  /** It is ended after this long; default 3600. */
  readonly timeoutS?: number
  /** It is ended when its process holds more; default 2048. */
  readonly memoryMb?: number
  /** Names of environment variables that it reads. Their values are part of what it depends on. */
  readonly env?: readonly string[]
  /** False for what must run every time. */
  readonly cache?: boolean
}

/** A step as declared; calling it uses it in a pipeline. */
export interface StepDeclaration<
  I extends Inputs = Inputs,
  P extends Params = Params,
  O extends Outputs = Outputs,
> {
  (wired: Wired<I, P>): StepUse<O>
  readonly kind: 'step'
  readonly stepName: string
  readonly options: StepOptions<I, P, O>
  /** The file that declares it; its hash and those of what it imports are the step's code. */
  readonly file: string
}

type Wired<I extends Inputs, P extends Params> = {
  /** Steps that must have run before, although nothing of theirs is read. */
  readonly after?: readonly AnyStepUse[]
  readonly params?: ByName<
    P,
    { readonly [Name in keyof P]?: ParamType<P[Name]> | ParamRef<ParamType<P[Name]>> }
  >
} & (string extends keyof I
  ? { readonly inputs?: Readonly<Record<string, never>> }
  : { readonly inputs: { readonly [Name in keyof I]: Ref<Taken<I[Name]>> } })

export interface StepUse<O extends Outputs = Outputs> {
  readonly kind: 'step-use'
  readonly step: AnyStep
  readonly inputs: Readonly<Record<string, Ref<OutputKind>>>
  readonly params: Readonly<Record<string, ParamValue | ParamRef<ParamValue>>>
  readonly after: readonly AnyStepUse[]
  readonly outputs: { readonly [Name in keyof O]: Ref<KindOf<O[Name]>> }
}

export interface ApprovalUse {
  readonly kind: 'approval-use'
  readonly title: string | undefined
  readonly question: string
  readonly approvers: 1 | 2
  readonly shows: Readonly<Record<string, Ref<OutputKind>>>
  readonly after: readonly AnyStepUse[]
}

/** What the compiler needs of a declared step, whatever its types. */
export interface AnyStep {
  readonly kind: 'step'
  readonly stepName: string
  readonly file: string
  readonly options: {
    readonly title?: string
    readonly description?: string
    readonly inputs?: Inputs
    readonly params?: Params
    readonly outputs: Outputs
    readonly run: (context: never) => Promise<string | void>
    readonly retry?: RetryDeclaration
    readonly timeoutS?: number
    readonly memoryMb?: number
    readonly env?: readonly string[]
    readonly cache?: boolean
  }
}

export type AnyStepUse =
  | ApprovalUse
  | (Omit<StepUse, 'outputs'> & { readonly outputs: Readonly<Record<string, Ref<OutputKind>>> })

/**
 * Declares a step: a pure function from inputs and parameters to outputs. It is used in a pipeline by
 * calling it with what it reads: `clean({ inputs: { raw: given.file('payments.csv') } })`.
 */
export function step<
  const I extends Inputs = Inputs,
  const P extends Params = Params,
  const O extends Outputs = Outputs,
>(name: string, options: StepOptions<I, P, O>): StepDeclaration<I, P, O> {
  const facts = { kind: 'step', stepName: name, options, file: callerFile() } as const
  const use = (wired: Wired<I, P>): StepUse<O> => {
    const outputs: Record<string, Ref<OutputKind>> = {}
    const made = {
      kind: 'step-use',
      step: facts as unknown as AnyStep,
      inputs: (wired.inputs ?? {}) as StepUse['inputs'],
      params: (wired.params ?? {}) as StepUse['params'],
      after: wired.after ?? [],
      outputs,
    } as const
    for (const [output, declared] of Object.entries(options.outputs)) {
      const kind = typeof declared === 'string' ? declared : declared.kind
      outputs[output] = { kind, from: { type: 'step', use: made, output } }
    }
    return made as unknown as StepUse<O>
  }
  return Object.assign(use, facts)
}

/**
 * A step at which the pipeline waits until people have said yes: those with the right to approve who
 * did not start the run. What it shows is what they approve; any of it that changes asks anew.
 */
export function approval(options: {
  readonly question: string
  readonly title?: string
  /** How many different people must say yes. Default 1. */
  readonly approvers?: 1 | 2
  readonly shows?: Readonly<Record<string, Ref<OutputKind>>>
  readonly after?: readonly AnyStepUse[]
}): ApprovalUse {
  const { question, title, approvers = 1, shows = {}, after = [] } = options
  return { kind: 'approval-use', title, question, approvers, shows, after }
}

/** What comes from outside of the pipeline. Paths are relative to the project's folder. */
export const given = {
  /** A file; `{partition}` in the path becomes the key of the partition that runs. */
  file: (path: string): Ref<'file'> => ({ kind: 'file', from: { type: 'file', path } }),
  folder: (path: string): Ref<'folder'> => ({ kind: 'folder', from: { type: 'folder', path } }),
  /** A Parquet file as a table. */
  table: (path: string): Ref<'table'> => ({ kind: 'table', from: { type: 'file', path } }),
  value: (value: unknown): Ref<'json'> => ({ kind: 'json', from: { type: 'value', value } }),
  /** The rows of a data set: its newest snapshot when the run starts, or a version by its hash. */
  dataset: (name: string, { version = null }: { readonly version?: string | null } = {}) =>
    ({
      kind: 'snapshot',
      from: { type: 'dataset', dataset: name, version },
    }) satisfies Ref<'snapshot'>,
}

type Products = Readonly<Record<string, Ref<OutputKind>>>
type AnyUses = Readonly<Record<string, AnyStepUse>>

export interface PipelineOptions<P extends Params, S extends AnyUses, O extends Products> {
  readonly title?: string
  readonly description?: string
  readonly params?: P
  /** Wires the steps; a key is the step's name in the pipeline. */
  readonly steps: (context: {
    readonly params: ByName<P, { readonly [Name in keyof P]: ParamRef<ParamType<P[Name]>> }>
    /** The key of the partition that runs, as a parameter of steps. */
    readonly partition: ParamRef<string>
  }) => S
  /** What others may read by name: each good run makes the next version of it. */
  readonly products?: (steps: S) => O
  readonly partitions?: PartitionsDeclaration
  readonly triggers?: readonly TriggerDeclaration[]
  /** Steps that may run at once; default 2. */
  readonly parallel?: number
}

export interface PipelineDeclaration<O extends Products = Products> {
  readonly kind: 'pipeline'
  readonly name: string
  readonly title: string | undefined
  readonly description: string | undefined
  readonly params: Params
  readonly steps: AnyUses
  readonly made: O
  readonly partitions: PartitionsDeclaration | undefined
  readonly triggers: readonly TriggerDeclaration[]
  readonly parallel: number
  /** Its products, as inputs of other pipelines. */
  readonly products: { readonly [Name in keyof O]: Ref<O[Name]['kind']> }
}

/** Declares a pipeline: steps wired into a graph. It belongs in `pipelines` of a project. */
export function pipeline<
  const P extends Params = Params,
  S extends AnyUses = AnyUses,
  O extends Products = Products,
>(name: string, options: PipelineOptions<P, S, O>): PipelineDeclaration<O> {
  const { title, description, triggers = [], parallel = 2, partitions } = options
  const params = (options.params ?? {}) as P
  const references = Object.fromEntries(
    Object.keys(params).map((param) => [param, { type: 'param', name: param }]),
  ) as ByName<P, { readonly [Name in keyof P]: ParamRef<ParamType<P[Name]>> }>
  const steps = options.steps({
    params: references,
    partition: { type: 'partition', name: 'partition' },
  })
  const made = options.products?.(steps) ?? ({} as O)
  const products = Object.fromEntries(
    Object.entries(made).map(([output, { kind }]) => [
      output,
      { kind, from: { type: 'product', pipeline: name, output } },
    ]),
  ) as PipelineDeclaration<O>['products']
  return {
    kind: 'pipeline',
    name,
    title,
    description,
    params,
    steps,
    made,
    partitions,
    triggers,
    parallel,
    products,
  }
}
